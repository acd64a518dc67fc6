//! The digest's part about flags: the current ones, and the changes since the previous digest.

use super::people::{PlainNumbers, SubjectName, plain_numbers};
use crate::JobError;
use crate::flags::Stored;
use diesel::prelude::*;
use schema::enums::{FlagState, Proposed, SubjectKind, Tier};
use schema::tables::{flag_reviews, flags};
use schema::{Conn, Id};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most flags of a group that a digest lists with their reasons, and the most that it lists by code alone.
const LISTED: usize = 15;
const BY_CODE: usize = 300;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagsPart {
    pub total: usize,
    /// Flags of the highest tier, on officers and branches.
    pub suspension_review: usize,
    /// Flags on branches, for which the proposal is an inspection.
    #[serde(default)]
    pub inspection: usize,
    pub review: usize,
    pub watch: usize,
    /// The number of flags in all groups: new, raised, lowered, gone, dismissed or retracted.
    pub changes: usize,
    pub groups: Vec<FlagGroup>,
    /// The codes of all flagged subjects, highest tier first.
    #[serde(default)]
    pub all: Vec<Flagged>,
    /// All current flags, with which the next digest compares.
    pub standing: Vec<Standing>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagGroup {
    /// `flags-new`, `flags-raised`, `flags-lowered`, `flags-gone`, `flags-dismissed` or `flags-retracted`.
    pub key: String,
    pub count: usize,
    pub listed: Vec<FlagLine>,
    /// The codes of those not listed, up to 300.
    #[serde(default)]
    pub others: Vec<String>,
}

/// The flagged subjects of one kind and tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flagged {
    pub kind: SubjectKind,
    pub tier: Tier,
    pub count: usize,
    /// Codes of flags, at most 300.
    pub codes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlagLine {
    pub flag: Id,
    pub kind: SubjectKind,
    pub code: String,
    pub tier: Tier,
    pub was: Option<Tier>,
    pub reason_vi: String,
    pub reason_en: String,
    /// The subject. A flag that has ended shows the name that the previous digest gave.
    #[serde(flatten)]
    pub subject: SubjectName,
    /// The Board's reason, when it dismissed the flag.
    #[serde(default)]
    pub because: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    pub flag: Id,
    pub kind: SubjectKind,
    pub code: String,
    pub tier: Tier,
    pub reason_vi: String,
    pub reason_en: String,
    #[serde(flatten)]
    pub subject: SubjectName,
    /// The numbers for plain words.
    #[serde(default)]
    pub plain: Option<PlainNumbers>,
    /// The key of the group of changes that it belongs to; None if it is unchanged since the digest before.
    #[serde(default)]
    pub change: Option<String>,
    /// The tier in the digest before, of a raised or lowered flag.
    #[serde(default)]
    pub was: Option<Tier>,
}

impl FlagsPart {
    /// The flags on officers that are new or were raised.
    pub(super) fn changed_officers(&self) -> impl Iterator<Item = Id> {
        let told = |one: &&Standing| {
            one.kind == SubjectKind::Officer && matches!(one.change.as_deref(), Some("flags-new" | "flags-raised"))
        };
        self.standing.iter().filter(told).map(|one| one.flag)
    }
}

/// The state of each flag, with the Board's reason when it is dismissed.
///
/// # Errors
/// If the database cannot be read.
pub(super) fn states(conn: &mut Conn) -> Result<BTreeMap<Id, (FlagState, Option<String>)>, JobError> {
    let mut reasons: BTreeMap<Id, Option<String>> = flag_reviews::table
        .filter(flag_reviews::to_state.eq(FlagState::Dismissed))
        .order(flag_reviews::reviewed_at)
        .select((flag_reviews::flag_id, flag_reviews::reason))
        .load::<(Id, Option<String>)>(conn)?
        .into_iter()
        .collect();
    let states = flags::table.select((flags::id, flags::state)).load::<(Id, FlagState)>(conn)?;
    let with_reason = |(id, state): (Id, FlagState)| {
        let reason = reasons.remove(&id).flatten().filter(|_| state == FlagState::Dismissed);
        (id, (state, reason))
    };
    Ok(states.into_iter().map(with_reason).collect())
}

pub(super) fn flags_part(
    flagged: &[Stored],
    before: Option<&FlagsPart>,
    states: &BTreeMap<Id, (FlagState, Option<String>)>,
    mut subjects: HashMap<Id, SubjectName>,
) -> FlagsPart {
    let then: BTreeMap<Id, &Standing> =
        before.map(|before| before.standing.iter().map(|one| (one.flag, one)).collect()).unwrap_or_default();
    let mut standing: Vec<Standing> = flagged
        .iter()
        .map(|stored| Standing {
            flag: stored.assessment.flag_id,
            kind: stored.kind,
            code: stored.code.clone(),
            tier: stored.assessment.tier,
            reason_vi: stored.assessment.reason_vi.clone(),
            reason_en: stored.assessment.reason_en.clone(),
            subject: subjects.remove(&stored.subject).unwrap_or_default(),
            plain: plain_numbers(&stored.assessment.numbers.0),
            change: None,
            was: None,
        })
        .collect();
    let (mut new, mut raised, mut lowered) = (Vec::new(), Vec::new(), Vec::new());
    for one in &mut standing {
        let was = then.get(&one.flag).map(|was| was.tier);
        let (key, lines) = match was {
            None => ("flags-new", &mut new),
            Some(was) if was < one.tier => ("flags-raised", &mut raised),
            Some(was) if was > one.tier => ("flags-lowered", &mut lowered),
            Some(_) => continue,
        };
        lines.push(line(one, was));
        one.change = Some(key.to_owned());
        one.was = was;
    }
    let now: BTreeSet<Id> = standing.iter().map(|one| one.flag).collect();
    // Every flag of the previous digest that has ended is reported with its end.
    let ended = |wanted: &dyn Fn(FlagState) -> bool| -> Vec<FlagLine> {
        let state = |one: &Standing| states.get(&one.flag).map_or(FlagState::Expired, |(state, _)| *state);
        let because = |one: &Standing| states.get(&one.flag).and_then(|(_, reason)| reason.clone());
        then.values()
            .filter(|one| !now.contains(&one.flag) && wanted(state(one)))
            .map(|one| FlagLine { because: because(one), ..line(one, Some(one.tier)) })
            .collect()
    };
    let retracted = ended(&|state| state == FlagState::Retracted);
    let dismissed = ended(&|state| state == FlagState::Dismissed);
    let gone = ended(&|state| !matches!(state, FlagState::Retracted | FlagState::Dismissed));
    // Highest tier first.
    standing.sort_by(|a, b| (b.tier, a.kind, &a.code).cmp(&(a.tier, b.kind, &b.code)));
    let of = |tier: Tier| standing.iter().filter(|one| one.tier == tier).count();
    let groups: Vec<FlagGroup> = [
        ("flags-new", new),
        ("flags-raised", raised),
        ("flags-lowered", lowered),
        ("flags-gone", gone),
        ("flags-dismissed", dismissed),
        ("flags-retracted", retracted),
    ]
    .into_iter()
    .map(|(key, mut lines)| {
        // Highest tier first.
        lines.sort_by(|a, b| (b.tier, a.kind, &a.code).cmp(&(a.tier, b.kind, &b.code)));
        let count = lines.len();
        let others = lines.iter().skip(LISTED).take(BY_CODE).map(|one| one.code.clone()).collect();
        lines.truncate(LISTED);
        FlagGroup { key: key.to_owned(), count, listed: lines, others }
    })
    .collect();
    FlagsPart {
        total: standing.len(),
        suspension_review: of(Tier::SuspensionReview),
        inspection: standing.iter().filter(|one| one.tier.proposed(one.kind) == Proposed::Inspection).count(),
        review: of(Tier::Review),
        watch: of(Tier::Watch),
        changes: groups.iter().map(|group| group.count).sum(),
        groups,
        all: everybody(&standing),
        standing,
    }
}

fn everybody(standing: &[Standing]) -> Vec<Flagged> {
    let mut by_tier: BTreeMap<(Reverse<Tier>, SubjectKind), Vec<String>> = BTreeMap::new();
    for one in standing {
        by_tier.entry((Reverse(one.tier), one.kind)).or_default().push(one.code.clone());
    }
    let flagged = |((Reverse(tier), kind), mut codes): ((Reverse<Tier>, SubjectKind), Vec<String>)| {
        let count = codes.len();
        codes.sort_unstable();
        codes.truncate(BY_CODE);
        Flagged { kind, tier, count, codes }
    };
    by_tier.into_iter().map(flagged).collect()
}

fn line(one: &Standing, was: Option<Tier>) -> FlagLine {
    FlagLine {
        flag: one.flag,
        kind: one.kind,
        code: one.code.clone(),
        tier: one.tier,
        was,
        reason_vi: one.reason_vi.clone(),
        reason_en: one.reason_en.clone(),
        subject: one.subject.clone(),
        because: None,
    }
}
