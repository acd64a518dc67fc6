//! Reads the rows of one complaint and joins them into a [`ParsedComplaint`].

use super::resolvers::{Resolvers, resolve_category, resolve_enterprise, resolve_officer, resolve_unit};
use super::{
    ATTRIBUTION, BLAMES_SYSTEM, CHANNEL, CLOSED, CONFIDENTIAL, COST_VND, DECIDED, DECLARATION_NUMBER, DELAY_HOURS,
    FINDING, LEGAL_FORM, OCCURRED, RECEIVED, STATE, STATE_SINCE, TAX_CODE, TEXT,
};
use crate::domain::calendar::check_received;
use crate::enums::{Attribution, Channel, ComplaintState, DatePrecision, Finding, LegalForm};
use crate::import::Reject;
use crate::import::mapping::Mapping;
use crate::import::row::{BLANK, Cells, Columns};
use crate::import::stage::Group;
use crate::sql_types::{JsonValue, Timestamp};
use chrono::NaiveDate;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// A complaint as the file gives it. Its serialised form is hashed to detect changes, so it holds codes, not ids, and
/// nothing that differs between runs.
#[derive(Debug, Clone, Serialize)]
pub struct ParsedComplaint {
    pub received: Timestamp,
    /// None for a precision of one day; then it is left out of the hash, which keeps earlier hashes valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received_precision: Option<DatePrecision>,
    pub occurred: Option<Timestamp>,
    pub state: ComplaintState,
    pub state_since: Timestamp,
    /// Whether the file says since when the state is; else `state_since` is the time of receipt.
    #[serde(skip)]
    pub state_is_dated: bool,
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
    /// The sort key of allegations: (officer, category, unit), bytewise, then the other values. It makes the result
    /// independent of the order of rows.
    fn rank(&self) -> impl Ord + '_ {
        let kept = self.kept.as_ref().map(|kept| kept.0.to_string());
        (&self.officer, &self.category, &self.unit, self.attribution, self.finding, self.decided, kept)
    }
}

/// Reads the rows of one complaint.
///
/// # Errors
/// One reject for each row that cannot be read or contradicts an earlier row, or one for a blank `received`.
pub fn read(
    columns: &Columns<'_>,
    group: &Group,
    now: Timestamp,
    resolvers: &mut Resolvers,
) -> Result<ParsedComplaint, Vec<Reject>> {
    let mut parsed: Option<ParsedComplaint> = None;
    let mut rejects = Vec::new();
    let mut closed = Some(Vec::new());
    let mut values = ComplaintValues::default();
    for row in &group.rows {
        let cells = columns.of(row);
        match read_row(columns.mapping, &cells, now, resolvers) {
            Err(reject) => rejects.push(reject),
            Ok((this, row_values, row_closed)) => {
                if let Err(reject) = values.merge(row_values, &cells) {
                    rejects.push(reject);
                    continue;
                }
                match (&mut closed, row_closed) {
                    (Some(all), Some(at)) => all.push(at),
                    (closed, _) => *closed = None,
                }
                match &mut parsed {
                    None => parsed = Some(this),
                    // `ComplaintValues::merge` has compared all other values of the row.
                    Some(parsed) => parsed.allegations.extend(this.allegations),
                }
            }
        }
    }
    let Some(mut parsed) = parsed.filter(|_| rejects.is_empty()) else { return Err(rejects) };
    let Some(received) = values.received else {
        return Err(vec![columns.of(&group.rows[0]).reject(RECEIVED, BLANK)]);
    };
    values.fill(received, &mut parsed);
    if columns.mapping.has(CLOSED)
        && let Some(at) = closed.and_then(|all| all.into_iter().max())
    {
        parsed.state = ComplaintState::Closed;
        parsed.state_since = at;
        parsed.state_is_dated = true;
    }
    parsed.allegations.sort_by(|a, b| a.rank().cmp(&b.rank()));
    parsed.allegations.dedup();
    Ok(parsed)
}

fn read_row(
    mapping: &Mapping,
    cells: &Cells<'_>,
    now: Timestamp,
    resolvers: &mut Resolvers,
) -> Result<(ParsedComplaint, ComplaintValues, Option<Timestamp>), Reject> {
    let received = cells.time_or_blank(RECEIVED)?;
    if let Some(received) = received {
        check_received(received, now).map_err(|e| cells.reject(RECEIVED, e.to_string()))?;
    }
    let allegation = Allegation {
        officer: resolve_officer(cells, resolvers)?,
        category: resolve_category(mapping, cells, resolvers)?,
        unit: resolve_unit(cells, resolvers)?,
        attribution: cells.word(ATTRIBUTION)?.unwrap_or(Attribution::Asserted),
        finding: cells.word(FINDING)?.unwrap_or(Finding::Pending),
        decided: cells.date(DECIDED)?,
        kept: cells.kept(),
    };
    let values = ComplaintValues {
        received,
        names_a_day: received.is_some() && !cells.is_by_month(RECEIVED),
        occurred: cells.time(OCCURRED)?,
        state: cells.word(STATE)?,
        state_since: cells.time(STATE_SINCE)?,
        legal_form: cells.word(LEGAL_FORM)?,
        channel: cells.word(CHANNEL)?,
        tax_code: resolve_enterprise(cells, resolvers)?,
        declaration_number: cells.declaration_number(DECLARATION_NUMBER)?,
        text: cells.text(TEXT)?.map(Into::into),
        cost_vnd: cells.count(COST_VND)?,
        delay_hours: cells.amount(DELAY_HOURS)?,
        blames_system: cells.truth(BLAMES_SYSTEM)?,
        confidential: cells.truth(CONFIDENTIAL)?,
    };
    let parsed = ParsedComplaint {
        received: now,
        received_precision: None,
        occurred: None,
        state: ComplaintState::Received,
        state_since: now,
        state_is_dated: false,
        legal_form: LegalForm::Feedback,
        channel: Channel::Other,
        tax_code: None,
        declaration_number: None,
        text: None,
        cost_vnd: None,
        delay_hours: None,
        blames_system: false,
        confidential: false,
        kept: None,
        allegations: vec![allegation],
    };
    Ok((parsed, values, cells.time(CLOSED)?))
}

/// The values of a row that concern the whole complaint; each may be blank.
#[derive(Default)]
struct ComplaintValues {
    received: Option<Timestamp>,
    /// Whether some row gives the day of receipt, and not only the month.
    names_a_day: bool,
    occurred: Option<Timestamp>,
    state: Option<ComplaintState>,
    state_since: Option<Timestamp>,
    legal_form: Option<LegalForm>,
    channel: Option<Channel>,
    tax_code: Option<String>,
    declaration_number: Option<String>,
    text: Option<String>,
    cost_vnd: Option<i64>,
    delay_hours: Option<f64>,
    blames_system: Option<bool>,
    confidential: Option<bool>,
}

impl ComplaintValues {
    /// Merges another row: a value replaces a blank.
    ///
    /// # Errors
    /// A reject where the two rows have different values for a field.
    fn merge(&mut self, row: Self, cells: &Cells<'_>) -> Result<(), Reject> {
        macro_rules! merge {
            ($($field:ident => $name:ident;)+) => {
                $(match (&self.$name, row.$name) {
                    (Some(existing), Some(new)) if *existing != new => {
                        return Err(cells.reject($field, DIFFERS));
                    }
                    (None, new) => self.$name = new,
                    _ => {}
                })+
            };
        }
        self.names_a_day |= row.names_a_day;
        merge! {
            RECEIVED => received;
            OCCURRED => occurred;
            STATE => state;
            STATE_SINCE => state_since;
            LEGAL_FORM => legal_form;
            CHANNEL => channel;
            TAX_CODE => tax_code;
            DECLARATION_NUMBER => declaration_number;
            TEXT => text;
            COST_VND => cost_vnd;
            DELAY_HOURS => delay_hours;
            BLAMES_SYSTEM => blames_system;
            CONFIDENTIAL => confidential;
        }
        Ok(())
    }

    /// Copies the values into the complaint; word fields that are blank keep the complaint's defaults.
    fn fill(self, received: Timestamp, parsed: &mut ParsedComplaint) {
        parsed.received = received;
        parsed.received_precision = (!self.names_a_day).then_some(DatePrecision::Month);
        parsed.occurred = self.occurred;
        parsed.state = self.state.unwrap_or(parsed.state);
        parsed.state_since = self.state_since.unwrap_or(received);
        parsed.state_is_dated = self.state_since.is_some();
        parsed.legal_form = self.legal_form.unwrap_or(parsed.legal_form);
        parsed.channel = self.channel.unwrap_or(parsed.channel);
        parsed.tax_code = self.tax_code;
        parsed.declaration_number = self.declaration_number;
        parsed.text = self.text;
        parsed.cost_vnd = self.cost_vnd;
        parsed.delay_hours = self.delay_hours;
        parsed.blames_system = self.blames_system.unwrap_or(false);
        parsed.confidential = self.confidential.unwrap_or(false);
    }
}

const DIFFERS: &str = "differs between the rows of one complaint";

/// The content hash by which an import detects whether a complaint changed: 16 bytes of SHA-256, in hex.
pub fn hash(parsed: &ParsedComplaint) -> String {
    let text = serde_json::to_vec(parsed).unwrap_or_default();
    data_encoding::HEXLOWER.encode(&Sha256::digest(&text)[..16])
}
