//! Who asks: a bearer token, and what its owner may see of the rows.

use crate::limits::Limits;
use actix_web::http::header::HeaderMap;
use diesel::dsl::not;
use diesel::prelude::*;
use jobs::statistics::Thresholds;
use schema::db::MultiBackend;
use schema::domain::calendar::local_date;
use schema::domain::tree::UnitTree;
use schema::enums::{GuidanceState, Role, UnitKind};
use schema::models::{ApiToken, Complaint, Principal};
use schema::pseudonyms::Audience;
use schema::queries::{Pred, in_select, not_true};
use schema::register::access::{authenticate, note_use};
use schema::tables::{
    complaint_officers, complaints, digests, enterprises, flags, guidance_documents, measures, officers, postings,
    unit_parents,
};
use schema::{Db, Id, StoreError, Timestamp};

/// Whoever makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub token_id: Id,
    pub principal_id: Id,
    pub name: String,
    pub role: Role,
    /// The unit of a UNIT_HEAD.
    pub unit_id: Option<Id>,
    /// The officer that it is, if it is one.
    pub officer_id: Option<Id>,
    /// Whether what it is shown leaves the house.
    pub outside: bool,
    /// When the token ends.
    pub expires_at: Option<Timestamp>,
}

/// The token of a request.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// How often the use of a token is noted.
const NOTE_USE_EVERY: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// The owner of a token; None where it is not valid. Notes that it was used, about once in a minute.
pub fn viewer(db: &Db, token: &str) -> Result<Option<Viewer>, StoreError> {
    let now = Timestamp::now();
    let found = db.read(|conn| {
        let found = authenticate(conn, token, now)?;
        if let Some((token, _)) = &found {
            let is_old = |used: Timestamp| used.utc() + NOTE_USE_EVERY < now.utc();
            if token.last_used_at.is_none_or(is_old)
                && let Err(error) = note_use(conn, token.id, now)
            {
                // A register that can be read but not written, a replica say, answers all the same.
                tracing::debug!(%error, "the use of a token was not noted");
            }
        }
        Ok(found)
    })?;
    Ok(found.map(|(token, principal)| viewer_of(&token, principal)))
}

/// Whoever a token belongs to.
pub fn viewer_of(token: &ApiToken, principal: Principal) -> Viewer {
    Viewer {
        token_id: token.id,
        principal_id: principal.id,
        name: principal.name,
        role: principal.role,
        unit_id: principal.unit_id,
        officer_id: principal.officer_id,
        outside: principal.outside,
        expires_at: token.expires_at,
    }
}

impl Viewer {
    /// Whether the token is none of ours: such a one is its own principal.
    pub fn is_external_jwt(&self) -> bool {
        self.token_id == self.principal_id
    }

    /// Among whom pseudonyms and cursors mean the same: those of one role, and the heads of one unit. What leaves the house and
    /// what is told by tokens of others does not make another audience: it is seen by the same people.
    pub fn audience(&self) -> Audience {
        match (self.role, self.unit_id) {
            (Role::UnitHead, Some(unit)) => Audience::Unit(unit),
            (role, _) => Audience::Role(role),
        }
    }

    /// Whether people, enterprises and complaints are shown to it under pseudonyms alone: it must not be told by ids or codes,
    /// not even by an order made of them.
    pub fn sees_pseudonyms_alone(&self) -> bool {
        self.role == Role::DataTeam
    }

    /// Whether this viewer may see and do what another may.
    pub fn has_rights_of(&self, other: &Self) -> bool {
        let rights = |viewer: &Self| (viewer.role, viewer.unit_id, viewer.officer_id, viewer.outside);
        rights(self) == rights(other)
    }

    /// The name under which this viewer's changes are recorded.
    pub fn actor(&self) -> String {
        format!("token:{}", self.name)
    }

    /// Whether this viewer is shown each complaint. Who is not, a head or an officer, is shown no number that a run computed
    /// from all of them, whether it counts one that is kept from this viewer or not: a number that is missing only then
    /// would tell that it does.
    pub fn sees_every_complaint(&self) -> bool {
        !matches!(self.role, Role::UnitHead | Role::Intake | Role::Admin) && !self.is_an_officer()
    }

    /// Whether complaints that name this viewer may be kept from it.
    pub fn is_an_officer(&self) -> bool {
        self.officer_id.is_some()
    }

    /// The flags that this viewer may see; None for all of them.
    ///
    /// A UNIT_HEAD sees those of the branches and of the officers that are its own today. Nobody sees the flag on
    /// himself: that goes to the level above. Nor does a member of the Board who is an officer see the flags of branches in
    /// which it ever served: complaints that name it may be what they are raised by, and it would decide in its own case.
    pub fn flags(&self, tree: &UnitTree) -> Option<Pred<flags::table>> {
        let rows: Option<Pred<flags::table>> = match (self.role, self.unit_id) {
            (Role::Board, _) => None,
            (Role::UnitHead, Some(unit)) => {
                let today = local_date(Timestamp::now());
                let below: Vec<Id> = tree.below_on(unit, today).into_iter().collect();
                let posted = posted_today(below.clone()).select(postings::officer_id.nullable());
                Some(Box::new(flags::unit_id.eq_any(below).or(in_select(flags::officer_id, posted))))
            }
            _ => Some(Box::new(flags::id.is_null().nullable())),
        };
        let Some(own) = self.officer_id else { return rows };
        let of_others: Pred<flags::table> = Box::new(not_true(Box::new(flags::officer_id.eq(own).nullable())));
        let of_others: Pred<flags::table> = match self.role {
            Role::UnitHead => of_others,
            _ => Box::new(of_others.and(not_true(of_branches_of(own)))),
        };
        Some(match rows {
            None => of_others,
            Some(rows) => Box::new(rows.and(of_others)),
        })
    }

    /// The measures that this viewer may see; None for all of them. A UNIT_HEAD sees those about officers who served in the
    /// units that are its own today or serve there now, and those that these units recorded; nobody those about himself.
    pub fn measures(&self, tree: &UnitTree) -> Option<Pred<measures::table>> {
        let rows: Option<Pred<measures::table>> = match (self.role, self.unit_id) {
            (Role::Board, _) => None,
            (Role::UnitHead, Some(unit)) => {
                let below: Vec<Id> = tree.below_on(unit, local_date(Timestamp::now())).into_iter().collect();
                let served = measures::unit_id.eq_any(below.clone());
                let recorded = measures::recorded_by_unit_id.eq_any(below.clone());
                let serves = in_select(measures::officer_id, posted_today(below).select(postings::officer_id));
                Some(Box::new(served.or(recorded).nullable().or(serves)))
            }
            _ => Some(Box::new(measures::id.is_null().nullable())),
        };
        let Some(own) = self.officer_id else { return rows };
        let of_others: Pred<measures::table> = Box::new(measures::officer_id.ne(own).nullable());
        Some(match rows {
            None => of_others,
            Some(rows) => Box::new(rows.and(of_others)),
        })
    }

    /// The guidance documents that this viewer may see; None for all of them. A UNIT_HEAD sees drafts of its own unit and
    /// those below it, and what was issued by any.
    pub fn guidance(&self, tree: &UnitTree) -> Option<Pred<guidance_documents::table>> {
        match (self.role, self.unit_id) {
            (Role::Board, _) => None,
            (Role::UnitHead, Some(unit)) => {
                let below: Vec<Id> = tree.below_on(unit, local_date(Timestamp::now())).into_iter().collect();
                let issued = guidance_documents::state.eq(GuidanceState::Issued);
                Some(Box::new(guidance_documents::unit_id.eq_any(below).or(issued).nullable()))
            }
            _ => Some(Box::new(guidance_documents::id.is_null().nullable())),
        }
    }

    /// The digests that this viewer may see; None for all of them. An officer sees none: their totals count complaints that
    /// name this one, and one that is missing because it names this one would tell so.
    pub fn digests(&self) -> Option<Pred<digests::table>> {
        self.is_an_officer().then(|| Box::new(digests::id.is_null().nullable()) as Pred<digests::table>)
    }

    /// The enterprises that this viewer may see; None for all of them. An officer sees those that complained about something
    /// that it may see: of one that is in the register for a single complaint, which names this officer, it would tell.
    pub fn enterprises(&self, tree: &UnitTree) -> Option<Pred<enterprises::table>> {
        let seen = self.scope(tree).condition().filter(|_| self.is_an_officer())?;
        let complained = complaints::table
            .into_boxed::<MultiBackend>()
            .filter(seen.and(complaints::enterprise_id.is_not_null()))
            .select(complaints::enterprise_id.assume_not_null());
        Some(Box::new(in_select(enterprises::id, complained)))
    }

    /// The officers that this viewer may see; None for all of them. An officer does not see those of whom the register
    /// knows by complaints alone that name it too.
    pub fn officers(&self, tree: &UnitTree) -> Option<Pred<officers::table>> {
        let (own, seen) = (self.officer_id?, self.scope(tree).condition()?);
        let seen = complaints::table.into_boxed::<MultiBackend>().filter(seen).select(complaints::id);
        let named = complaint_officers::table
            .into_boxed::<MultiBackend>()
            .filter(in_select(complaint_officers::complaint_id, seen))
            .select(complaint_officers::officer_id);
        let known = not(officers::unknown).or(officers::id.eq(own)).nullable();
        Some(Box::new(known.or(in_select(officers::id, named))))
    }

    /// From when a group of complaints is shown to this viewer, rounded; None for who sees exact numbers.
    pub fn thresholds(&self, limits: &Limits) -> Option<Thresholds> {
        let (smallest, enterprises) = (limits.smallest_group, limits.smallest_group_enterprises);
        let complaints = if self.outside { smallest.max(limits.smallest_group_outside) } else { smallest };
        (self.role == Role::Dashboard).then_some(Thresholds { complaints, enterprises })
    }

    /// The complaints that this viewer may see.
    ///
    /// A UNIT_HEAD sees what the unit and those below it received, and until there is a redacted
    /// text of them no confidential ones. What names the viewer itself is kept from everybody.
    pub fn scope(&self, tree: &UnitTree) -> Scope {
        let rows = match (self.role, self.unit_id) {
            // What these may see of a row the access table says, and of groups the thresholds.
            (Role::Board | Role::DataTeam | Role::Dashboard, _) => Rows::Everything,
            (Role::UnitHead, Some(unit)) => {
                let below = tree.below_beside_ancestors(unit);
                Rows::Unit { unit, kind: tree.kind(unit), below }
            }
            _ => Rows::Nothing,
        };
        // All who see aggregates alone see the same: what one sees less than another would tell where an officer is named.
        Scope { rows, except_officer: self.officer_id.filter(|_| self.role != Role::Dashboard) }
    }
}

/// The flags of branches in which an officer ever served, also in a team below them.
fn of_branches_of(officer: Id) -> Pred<flags::table> {
    let served = || {
        postings::table
            .into_boxed::<MultiBackend>()
            .filter(postings::officer_id.eq(officer).nullable())
            .select(postings::unit_id)
    };
    let above = |below: Pred<unit_parents::table>| {
        unit_parents::table.into_boxed::<MultiBackend>().filter(below).select(unit_parents::parent_id)
    };
    let one = || above(Box::new(in_select(unit_parents::unit_id, served())));
    // A team may lie within a team.
    let two = above(Box::new(in_select(unit_parents::unit_id, one())));
    let here = served().select(postings::unit_id.nullable());
    let one = one().select(unit_parents::parent_id.nullable());
    let two = two.select(unit_parents::parent_id.nullable());
    Box::new(in_select(flags::unit_id, here).or(in_select(flags::unit_id, one)).or(in_select(flags::unit_id, two)))
}

/// The postings at some units that last today.
fn posted_today<'q>(units: Vec<Id>) -> postings::BoxedQuery<'q, MultiBackend> {
    let today = local_date(Timestamp::now());
    postings::table
        .into_boxed::<MultiBackend>()
        .filter(postings::unit_id.eq_any(units).nullable())
        .filter(postings::valid_from.le(today).nullable())
        .filter(postings::valid_to.is_null().nullable().or(postings::valid_to.ge(today)))
}

/// Which complaints somebody may see: the one definition for lists, single objects and aggregates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    pub rows: Rows,
    /// None that name this officer.
    pub except_officer: Option<Id>,
}

/// The complaints of a scope, whoever they name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    Everything,
    /// Those of a unit on their own day, and of units below it that do not store it as an ancestor.
    Unit {
        unit: Id,
        kind: Option<UnitKind>,
        below: Vec<Id>,
    },
    Nothing,
}

impl Scope {
    /// As a condition; None for everything.
    pub fn condition(&self) -> Option<Pred<complaints::table>> {
        let rows: Option<Pred<complaints::table>> = match &self.rows {
            Rows::Everything => None,
            Rows::Unit { unit, kind, below } => {
                let here = within(*unit, *kind, below.clone());
                // Without a value beside the text: PostgreSQL would suppose that half of all are confidential, and plan the
                // statement anew for each page, because it knows better once it sees the value.
                Some(Box::new(not(complaints::confidential).nullable().and(here)))
            }
            Rows::Nothing => Some(Box::new(complaints::confidential.is_null().nullable())),
        };
        let Some(others) = self.others() else { return rows };
        Some(match rows {
            None => others,
            Some(rows) => Box::new(rows.and(others)),
        })
    }

    /// The confidential complaints of it, of which a unit reads what the Board has redacted.
    pub fn confidential(&self) -> Pred<complaints::table> {
        let rows: Pred<complaints::table> = match &self.rows {
            Rows::Everything => Box::new(complaints::confidential.nullable()),
            Rows::Unit { unit, kind, below } => {
                let here = within(*unit, *kind, below.clone());
                Box::new(complaints::confidential.nullable().and(here))
            }
            Rows::Nothing => Box::new(complaints::confidential.is_null().nullable()),
        };
        match self.others() {
            None => rows,
            Some(others) => Box::new(rows.and(others)),
        }
    }

    /// None that name the viewer; None where it is nobody.
    fn others(&self) -> Option<Pred<complaints::table>> {
        Some(Box::new(not_true(self.naming_viewer()?)))
    }

    /// Those that name the viewer; None where it is nobody.
    fn naming_viewer(&self) -> Option<Pred<complaints::table>> {
        let officer = self.except_officer?;
        let named = complaint_officers::table
            .into_boxed::<MultiBackend>()
            .filter(complaint_officers::officer_id.eq(officer).nullable())
            .select(complaint_officers::complaint_id);
        Some(Box::new(in_select(complaints::id, named)))
    }

    /// Whether a complaint, which names these officers, lies in it.
    pub fn contains(&self, complaint: &Complaint, officers: &[Id]) -> bool {
        let seen = match &self.rows {
            Rows::Everything => true,
            Rows::Unit { unit, below, .. } => {
                let own = [complaint.unit_id, complaint.department_id, complaint.branch_id, complaint.team_id];
                let beside = complaint.unit_id.is_some_and(|own| below.contains(&own));
                !complaint.confidential && (own.contains(&Some(*unit)) || beside)
            }
            Rows::Nothing => false,
        };
        seen && self.except_officer.is_none_or(|officer| !officers.contains(&officer))
    }
}

/// Complaints of a unit and of what lies below it: by the ancestor stored with them at the unit's level, as
/// of their own day, and by the units that do not store it. One column, so that an index gives them in the
/// order of time.
pub fn within(unit: Id, kind: Option<UnitKind>, below: Vec<Id>) -> Pred<complaints::table> {
    let stored: Pred<complaints::table> = match kind {
        Some(UnitKind::ProvincialDepartment) => Box::new(complaints::department_id.eq(unit)),
        Some(UnitKind::Branch) => Box::new(complaints::branch_id.eq(unit)),
        Some(UnitKind::Team) => Box::new(complaints::team_id.eq(unit)),
        _ => Box::new(complaints::unit_id.eq(unit).nullable()),
    };
    if below.is_empty() { stored } else { Box::new(stored.or(complaints::unit_id.eq_any(below))) }
}
