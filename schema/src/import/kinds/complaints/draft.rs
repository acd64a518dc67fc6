//! What a file says of a complaint: its rows read and joined.

use super::{
    ATTRIBUTION, BLAMES_SYSTEM, CATEGORY, CATEGORY_KIND, CATEGORY_NAME, CATEGORY_SERIOUS, CHANNEL, CLOSED,
    CONFIDENTIAL, COST_VND, DECIDED, DECLARATION_NUMBER, DELAY_HOURS, ENTERPRISE_GROUP, ENTERPRISE_NAME, FINDING,
    LEGAL_FORM, OCCURRED, OFFICER, OFFICER_APPOINTED, OFFICER_NAME, OFFICER_RANK, RECEIVED, STATE, STATE_SINCE,
    TAX_CODE, TEXT, UNIT, UNIT_KIND, UNIT_NAME,
};
use crate::domain::calendar::check_received;
use crate::enums::{Attribution, CategoryKind, Channel, ComplaintState, Finding, LegalForm};
use crate::import::Reject;
use crate::import::kinds::book::Book;
pub use crate::register::reference::unknown_officer;

use crate::import::kinds::{against, units::unknown_unit};
use crate::import::mapping::{Mapping, OnMissing};
use crate::import::row::Cells;
use crate::import::run::Context;
use crate::import::stage::Group;
use crate::models::{Enterprise, IssueCategory, Officer, Unit};
use crate::sql_types::{JsonValue, Timestamp};
use chrono::NaiveDate;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The case as the file tells it. Its serialised form is hashed to see whether anything changed,
/// so it holds codes, not ids, and nothing of the run.
#[derive(Debug, Clone, Serialize)]
pub struct Draft {
    pub received: Timestamp,
    pub occurred: Option<Timestamp>,
    pub state: ComplaintState,
    pub state_since: Timestamp,
    pub legal_form: LegalForm,
    pub channel: Channel,
    pub tax_code: Option<String>,
    pub declaration_number: Option<String>,
    pub text: Option<String>,
    pub cost_vnd: Option<i64>,
    pub delay_hours: Option<f64>,
    pub blames_system: bool,
    pub confidential: bool,
    pub kept: Option<JsonValue>,
    pub allegations: Vec<Allegation>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Allegation {
    pub officer: Option<String>,
    pub category: Option<String>,
    pub unit: Option<String>,
    pub attribution: Attribution,
    pub finding: Finding,
    pub decided: Option<NaiveDate>,
    pub kept: Option<JsonValue>,
}

impl Allegation {
    /// The order of allegations: (officer, category, unit), bytewise, then the rest, so that the
    /// order of rows makes no difference.
    fn rank(&self) -> impl Ord + '_ {
        let kept = self.kept.as_ref().map(|kept| kept.0.to_string());
        (&self.officer, &self.category, &self.unit, self.attribution, self.finding, self.decided, kept)
    }
}

/// The codes that a batch refers to.
pub struct Books {
    pub units: Book<Unit>,
    pub officers: Book<Officer>,
    pub categories: Book<IssueCategory>,
    pub enterprises: Book<Enterprise>,
}

/// Reads the rows of one complaint.
pub fn read(context: &Context<'_>, group: &Group, now: Timestamp, books: &mut Books) -> Result<Draft, Vec<Reject>> {
    let mut draft: Option<Draft> = None;
    let mut rejects = Vec::new();
    let mut closed = Some(Vec::new());
    for row in &group.rows {
        let cells = context.columns.of(row);
        match read_row(context.mapping, &cells, now, books) {
            Err(reject) => rejects.push(reject),
            Ok((this, closed_here)) => {
                match (&mut closed, closed_here) {
                    (Some(all), Some(at)) => all.push(at),
                    (closed, _) => *closed = None,
                }
                match &mut draft {
                    None => draft = Some(this),
                    Some(draft) => {
                        if let Err(reject) = join(draft, this, &cells) {
                            rejects.push(reject);
                        }
                    }
                }
            }
        }
    }
    let Some(mut draft) = draft.filter(|_| rejects.is_empty()) else { return Err(rejects) };
    if context.mapping.has(CLOSED)
        && let Some(at) = closed.and_then(|all| all.into_iter().max())
    {
        draft.state = ComplaintState::Closed;
        draft.state_since = at;
    }
    draft.allegations.sort_by(|a, b| a.rank().cmp(&b.rank()));
    draft.allegations.dedup();
    let nameless: Vec<_> = draft.allegations.iter().filter(|allegation| allegation.officer.is_none()).collect();
    if nameless.len() > 1 {
        let reason = "rows that name no officer differ: a complaint has one category and one unit of its own";
        return Err(vec![against(&group.rows[group.rows.len() - 1], reason)]);
    }
    Ok(draft)
}

fn read_row(
    mapping: &Mapping,
    cells: &Cells<'_>,
    now: Timestamp,
    books: &mut Books,
) -> Result<(Draft, Option<Timestamp>), Reject> {
    let received = cells.time(RECEIVED)?.ok_or_else(|| cells.reject(RECEIVED, "is blank"))?;
    check_received(received, now).map_err(|e| cells.reject(RECEIVED, e.to_string()))?;
    let allegation = Allegation {
        officer: want_officer(cells, books)?,
        category: want_category(mapping, cells, books)?,
        unit: want_unit(cells, books)?,
        attribution: cells.word(ATTRIBUTION)?.unwrap_or(Attribution::Asserted),
        finding: cells.word(FINDING)?.unwrap_or(Finding::Pending),
        decided: cells.date(DECIDED)?,
        kept: cells.kept(),
    };
    let draft = Draft {
        received,
        occurred: cells.time(OCCURRED)?,
        state: cells.word(STATE)?.unwrap_or(ComplaintState::Received),
        state_since: cells.time(STATE_SINCE)?.unwrap_or(received),
        legal_form: cells.word(LEGAL_FORM)?.unwrap_or(LegalForm::Feedback),
        channel: cells.word(CHANNEL)?.unwrap_or(Channel::Other),
        tax_code: want_enterprise(cells, books)?,
        declaration_number: cells.declaration_number(DECLARATION_NUMBER)?,
        text: cells.text(TEXT)?.map(Into::into),
        cost_vnd: cells.count(COST_VND)?,
        delay_hours: cells.amount(DELAY_HOURS)?,
        blames_system: cells.truth(BLAMES_SYSTEM)?.unwrap_or(false),
        confidential: cells.truth(CONFIDENTIAL)?.unwrap_or(false),
        kept: None,
        allegations: vec![allegation],
    };
    Ok((draft, cells.time(CLOSED)?))
}

/// Adds a further row of a complaint. What belongs to the complaint as a whole has to agree.
fn join(draft: &mut Draft, mut row: Draft, cells: &Cells<'_>) -> Result<(), Reject> {
    let differs = [
        (RECEIVED, draft.received != row.received),
        (OCCURRED, draft.occurred != row.occurred),
        (STATE, draft.state != row.state),
        (STATE_SINCE, draft.state_since != row.state_since),
        (LEGAL_FORM, draft.legal_form != row.legal_form),
        (CHANNEL, draft.channel != row.channel),
        (TAX_CODE, draft.tax_code != row.tax_code),
        (DECLARATION_NUMBER, draft.declaration_number != row.declaration_number),
        (TEXT, draft.text != row.text),
        (COST_VND, draft.cost_vnd != row.cost_vnd),
        (DELAY_HOURS, draft.delay_hours != row.delay_hours),
        (BLAMES_SYSTEM, draft.blames_system != row.blames_system),
        (CONFIDENTIAL, draft.confidential != row.confidential),
    ];
    if let Some((field, _)) = differs.iter().find(|(_, differs)| *differs) {
        return Err(cells.reject(*field, "differs between the rows of one complaint"));
    }
    draft.allegations.append(&mut row.allegations);
    Ok(())
}

fn want_unit(cells: &Cells<'_>, books: &mut Books) -> Result<Option<String>, Reject> {
    let Some(code) = cells.code(UNIT)? else { return Ok(None) };
    let (name, kind) = (cells.text(UNIT_NAME)?, cells.word(UNIT_KIND)?);
    books.units.want(&code, |id| unknown_unit(id, &code, name.as_deref(), kind));
    Ok(Some(code))
}

fn want_officer(cells: &Cells<'_>, books: &mut Books) -> Result<Option<String>, Reject> {
    let Some(code) = cells.code(OFFICER)? else { return Ok(None) };
    let (name, rank, appointed_on) =
        (cells.text(OFFICER_NAME)?, cells.code(OFFICER_RANK)?, cells.date(OFFICER_APPOINTED)?);
    books.officers.want(&code, |id| Officer {
        name: name.map(Into::into),
        rank,
        appointed_on,
        ..unknown_officer(id, &code)
    });
    Ok(Some(code))
}

fn want_category(mapping: &Mapping, cells: &Cells<'_>, books: &mut Books) -> Result<Option<String>, Reject> {
    let Some(code) = cells.code(CATEGORY)? else { return Ok(None) };
    let (name, kind) = (cells.text(CATEGORY_NAME)?, cells.word(CATEGORY_KIND)?);
    let serious = cells.truth(CATEGORY_SERIOUS)?.unwrap_or(false);
    let kind = match kind {
        Some(kind) => kind,
        None if mapping.missing.category == OnMissing::Create => {
            return Err(
                cells.reject(CATEGORY_KIND, "is needed where the mapping says that missing categories are created")
            );
        }
        None => CategoryKind::Conduct,
    };
    books.categories.want(&code, |id| IssueCategory {
        id,
        code: code.clone(),
        parent_id: None,
        name_vi: name.map_or_else(|| code.clone(), Into::into),
        name_en: None,
        kind,
        serious,
        deadline_days: None,
        owner_unit_id: None,
        unknown: true,
    });
    Ok(Some(code))
}

fn want_enterprise(cells: &Cells<'_>, books: &mut Books) -> Result<Option<String>, Reject> {
    let Some(tax_code) = cells.tax_code(TAX_CODE)? else { return Ok(None) };
    let (name, group_code) = (cells.text(ENTERPRISE_NAME)?.map(Into::into), cells.code(ENTERPRISE_GROUP)?);
    books.enterprises.want(&tax_code, |id| Enterprise { id, tax_code: tax_code.clone(), name, group_code });
    Ok(Some(tax_code))
}

/// What is compared to see whether anything changed.
pub fn hash(draft: &Draft) -> String {
    let text = serde_json::to_vec(draft).unwrap_or_default();
    data_encoding::HEXLOWER.encode(&Sha256::digest(&text)[..16])
}
