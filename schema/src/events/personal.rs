//! Personal values of events: the fields that hold them, and the commitments that replace them in the event.

use super::Fields;
use crate::enums::Side;
use crate::sql_types::JsonValue;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Fields with personal values.
const PERSONAL: &[&str] = &[
    "text",
    "response_text",
    "redacted_text",
    "addition_text",
    "attachments",
    "reason",
    "declaration_number",
    "name",
    "tax_code",
    "grounds",
    "decision_maker",
    "end_reason",
    "void_reason",
    "outcome",
    "explanation",
    "extension_reason",
    "no_basis_reason",
    "correction",
    "decision_reason",
    "split_reason",
];

/// A commitment to a value: it proves that a value shown later is the original, and reveals nothing without the salt.
pub fn commitment(salt: &[u8], field: &str, value: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(salt) else { return String::new() };
    mac.update(field.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

/// Whether a field of a stored event holds a commitment in place of a personal value.
pub fn is_commitment(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.len() == 1 && fields.get("commitment").is_some_and(Value::is_string))
}

/// A personal value of an event, which is stored apart from it.
#[derive(Debug)]
pub(super) struct PersonalValue {
    pub side: Side,
    pub field: String,
    pub salt: Vec<u8>,
    pub value: String,
}

/// Replaces personal values by commitments and pushes the values to `personal`.
pub(super) fn commit_personal(
    side: Side,
    fields: Option<Fields>,
    personal: &mut Vec<PersonalValue>,
) -> Option<JsonValue> {
    let mut fields = fields?;
    for field in PERSONAL {
        let Some(value) = fields.get_mut(*field) else { continue };
        let Value::String(text) = value else { continue };
        let salt: [u8; 16] = rand::random();
        let sealed = json!({ "commitment": commitment(&salt, field, text) });
        let Value::String(text) = std::mem::replace(value, sealed) else { continue };
        personal.push(PersonalValue { side, field: (*field).to_owned(), salt: salt.to_vec(), value: text });
    }
    Some(JsonValue(Value::Object(fields)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{Cover, cover_of, covered_tables};
    use std::collections::BTreeSet;

    /// Text columns of evented tables that are not personal, and that events contain in clear.
    const PUBLIC: &[(&str, &str)] = &[
        ("complaint_clocks", "stops"),
        ("complaint_links", "actor"),
        ("complaint_matters", "source_codes"),
        ("complaint_officers", "source_codes"),
        ("complaint_sources", "content_hash"),
        ("complaint_sources", "reference"),
        ("complaint_sources", "source"),
        ("complaints", "source_codes"),
        ("correction_proposals", "actor"),
        ("correction_proposals", "decided_by"),
        ("enterprises", "group_code"),
        ("guidance_documents", "actor"),
        ("guidance_documents", "number"),
        ("guidance_documents", "title"),
        ("guidance_opinions", "actor"),
        ("holiday_years", "days_off"),
        ("holiday_years", "days_worked"),
        ("issue_categories", "code"),
        ("issue_categories", "name_en"),
        ("issue_categories", "name_vi"),
        ("measures", "actor"),
        ("measures", "decision_number"),
        ("measures", "limits_version"),
        ("merges", "actor"),
        ("merges", "split_actor"),
        ("officers", "code"),
        ("officers", "rank"),
        ("proposals", "actor"),
        ("proposals", "title"),
        ("redactions", "actor"),
        ("system_incidents", "description"),
        ("system_incidents", "reference"),
        ("unit_responses", "actor"),
        ("units", "code"),
        ("units", "field"),
        ("units", "name_en"),
        ("units", "name_vi"),
    ];

    /// Columns that have another name in events.
    const RENAMED: [(&str, &str, &str); 3] = [
        ("unit_responses", "text", "response_text"),
        ("redactions", "text", "redacted_text"),
        ("complaint_additions", "text", "addition_text"),
    ];

    #[test]
    fn every_text_column_of_an_event_is_personal_or_public() {
        use crate::models as m;
        let tables = [
            m::Complaint::COLUMNS,
            m::ComplaintSource::COLUMNS,
            m::ComplaintOfficer::COLUMNS,
            m::ComplaintMatter::COLUMNS,
            m::ComplaintClock::COLUMNS,
            m::UnitResponse::COLUMNS,
            m::Redaction::COLUMNS,
            m::ComplaintAddition::COLUMNS,
            m::ComplaintLink::COLUMNS,
            m::Unit::COLUMNS,
            m::UnitParent::COLUMNS,
            m::Officer::COLUMNS,
            m::Posting::COLUMNS,
            m::Enterprise::COLUMNS,
            m::IssueCategory::COLUMNS,
            m::RoutingRule::COLUMNS,
            m::HolidayYear::COLUMNS,
            m::Workload::COLUMNS,
            m::SystemIncident::COLUMNS,
            m::GuidanceDocument::COLUMNS,
            m::GuidanceOpinion::COLUMNS,
            m::Proposal::COLUMNS,
            m::ProposalCategory::COLUMNS,
            m::ProposalUnit::COLUMNS,
            m::Measure::COLUMNS,
            m::MeasureComplaint::COLUMNS,
            m::CorrectionProposal::COLUMNS,
            m::CorrectionProposalOfficer::COLUMNS,
            m::Merge::COLUMNS,
        ];
        let listed: BTreeSet<&str> = tables.iter().map(|(table, _)| *table).collect();
        let is_evented = |table: &&str| cover_of(table) == Some(Cover::Events);
        let with_events: BTreeSet<&str> = covered_tables().into_iter().filter(is_evented).collect();
        assert_eq!(listed, with_events, "the models above are those of the tables with events");
        let mut texts = Vec::new();
        for (table, columns) in tables {
            for (column, _) in columns.iter().filter(|(_, of)| of.contains("String") || of.contains("JsonValue")) {
                let renamed = RENAMED.iter().find(|(of, name, _)| (*of, *name) == (table, *column));
                let field = renamed.map_or(*column, |(_, _, field)| *field);
                let is_public = PUBLIC.contains(&(table, *column));
                assert!(
                    is_public != PERSONAL.contains(&field),
                    "{table}.{column}: a new text column goes into PERSONAL, where a person may be read from it, or \
                     into PUBLIC"
                );
                texts.push((table, *column));
            }
        }
        let unknown: Vec<_> = PUBLIC.iter().filter(|public| !texts.contains(public)).collect();
        assert!(unknown.is_empty(), "no such columns: {unknown:?}");
    }
}
