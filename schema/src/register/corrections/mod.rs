//! Corrections of what the register says of a complaint, by the Board and with a reason.
//!
//! A correction is one event. It changes no state, though the responsible unit follows the rules until the complaint is
//! assigned or answered, or a person chooses another one. It may come after the complaint has ended: also a closed
//! complaint may name the wrong officer.

mod allegations;
mod kept;
mod own;
mod proposals;

pub(super) use allegations::move_rows;
pub use allegations::{AllegationChange, AllegationKey, NewAllegation, NewMatter, Replacement};
pub use kept::corrected_fields;
pub(crate) use own::own_finding;
pub(super) use own::settle;
pub use proposals::{decide_correction, propose_correction, withdraw_correction};

use super::administration::open_category;
use super::aliases::Aliases;
use super::complaints::{self, Case};
use super::reference::{Stored, existing_id};
use super::routing::Routing;
use super::submission::enterprise;
use super::tree::load_tree;
use super::values::{check_cost, check_delay, check_occurred};
use crate::db::{StoreError, WriteTx, dialect};
use crate::domain::calendar::local_date;
use crate::domain::ids::reference_id;
use crate::domain::{declaration, tax_code};
use crate::enums::{ComplaintEventKind, LegalForm};
use crate::events::Entity;
use crate::models::{Officer, Unit};
use crate::refusal::{CodeRefusal, CorrectionRefusal};
use crate::sql_types::{Id, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;

/// A value of a correction: kept as it is, or set, also to nothing. In JSON it is absent, null or the value.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Set<T> {
    #[default]
    Keep,
    To(Option<T>),
}

impl<T> Set<T> {
    fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Sets a field, unless its value is kept.
    fn apply(self, field: &mut Option<T>) {
        if let Self::To(value) = self {
            *field = value;
        }
    }
}

impl<T: Serialize> Serialize for Set<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::To(None) => serializer.serialize_none(),
            Self::To(Some(value)) => value.serialize(serializer),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Set<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::To)
    }
}

/// A correction of one complaint. [`correct`] checks its codes and values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Correction {
    #[serde(skip_serializing_if = "Set::is_keep")]
    pub occurred_at: Set<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_form: Option<LegalForm>,
    /// The enterprise of the complaint; set to nothing, the complaint is anonymous.
    #[serde(skip_serializing_if = "Set::is_keep")]
    pub tax_code: Set<String>,
    /// Used only if the register does not know the enterprise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enterprise_name: Option<String>,
    /// The unit complained about. Allegations with the unit that the complaint had follow it.
    #[serde(skip_serializing_if = "Set::is_keep")]
    pub unit: Set<String>,
    /// Allegations with the category that the complaint had follow it.
    #[serde(skip_serializing_if = "Set::is_keep")]
    pub category: Set<String>,
    #[serde(skip_serializing_if = "Set::is_keep")]
    pub declaration_number: Set<String>,
    #[serde(skip_serializing_if = "Set::is_keep")]
    pub cost_vnd: Set<i64>,
    #[serde(skip_serializing_if = "Set::is_keep")]
    pub delay_hours: Set<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blames_system: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidential: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub change_allegations: Vec<AllegationChange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_allegations: Vec<AllegationKey>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove_officers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replace_officers: Vec<Replacement>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_officers: Vec<NewAllegation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_matters: Vec<NewMatter>,
}

/// Corrects a complaint that is still at `expected_version`.
///
/// # Errors
/// `NotFound`; `Conflict` if the complaint is at another version; `Rule` names the invalid field, or says that the
/// correction changes nothing.
pub fn correct(
    tx: &mut WriteTx<'_>,
    complaint: Id,
    expected_version: i32,
    correction: &Correction,
    reason: &str,
) -> Result<Case, StoreError> {
    dialect::lock_tree_shared(tx.conn)?;
    let before = super::casework::lock_at_version(tx, complaint, expected_version)?;
    let mut after = corrected(tx, &before, correction)?;
    if let Set::To(Some(code)) = &correction.tax_code {
        enterprise(tx, parsed_tax_code(code)?, correction.enterprise_name.clone())?;
    }
    complaints::update_because(tx, ComplaintEventKind::Corrected, tx.now, &before, &mut after, Some(reason))?;
    Ok(after)
}

/// The case after a correction. Writes nothing.
fn corrected(tx: &mut WriteTx<'_>, before: &Case, correction: &Correction) -> Result<Case, StoreError> {
    let aliases = Aliases::load(tx.conn)?;
    let mut after = before.clone();
    let complaint = &mut after.complaint;
    // Imported values may be others than a submission may give: only corrected ones are checked.
    if let Set::To(at) = &correction.occurred_at {
        check_occurred(*at, complaint.received_at)?;
        complaint.occurred_at = *at;
    }
    if let Set::To(cost) = &correction.cost_vnd {
        check_cost(*cost)?;
        complaint.cost_vnd = *cost;
    }
    if let Set::To(hours) = &correction.delay_hours {
        check_delay(*hours)?;
        complaint.delay_hours = *hours;
    }
    complaint.legal_form = correction.legal_form.unwrap_or(complaint.legal_form);
    complaint.blames_system = correction.blames_system.unwrap_or(complaint.blames_system);
    complaint.confidential = correction.confidential.unwrap_or(complaint.confidential);
    if let Set::To(number) = &correction.declaration_number {
        let parsed = number.as_deref().map(declaration::parse).transpose();
        complaint.declaration_number =
            parsed.map_err(|e| CorrectionRefusal::DeclarationNumber { why: e.to_string() })?;
    }
    if let Set::To(code) = &correction.tax_code {
        let code = code.as_deref().map(parsed_tax_code).transpose()?;
        complaint.enterprise_id = code.map(|code| aliases.enterprise(reference_id(Entity::Enterprise, &code)));
    } else if correction.enterprise_name.is_some() {
        return Err(CorrectionRefusal::EnterpriseNameAlone.into());
    }
    let unit = match &correction.unit {
        Set::Keep => Set::Keep,
        Set::To(code) => Set::To(existing_id::<Unit>(tx, "unit", code.as_deref())?),
    };
    let category = match &correction.category {
        Set::Keep => Set::Keep,
        Set::To(code) => Set::To(open_category(tx, "category", code.as_deref(), allegations::day(before))?),
    };
    allegations::apply(tx, &aliases, before, &mut after, correction, (&category, &unit))?;
    refuse_another_own(&after, &category, &unit)?;
    let tree = load_tree(tx.conn)?;
    after.set_ancestors(&tree);
    let decides = |case: &Case| (case.complaint.unit_id, case.complaint.category_id, case.complaint.occurred_at);
    if decides(before) != decides(&after) && complaints::follows_rules(tx.conn, &before.complaint)? {
        after.route(&Routing::load(tx.conn)?, &tree, local_date(tx.now));
    }
    if after == *before {
        return Err(CorrectionRefusal::ChangesNothing.into());
    }
    Ok(after)
}

/// A complaint that has allegations counts for the lowest of them, and cannot be given another category or unit.
fn refuse_another_own(after: &Case, category: &Set<Id>, unit: &Set<Id>) -> Result<(), StoreError> {
    let differs = |wanted: &Set<Id>, own: Option<Id>| matches!(wanted, Set::To(wanted) if *wanted != own);
    let field = if differs(category, after.complaint.category_id) {
        "category"
    } else if differs(unit, after.complaint.unit_id) {
        "unit"
    } else {
        return Ok(());
    };
    Err(CorrectionRefusal::SetByAllegation { field: field.to_owned() }.into())
}

fn parsed_tax_code(code: &str) -> Result<String, StoreError> {
    tax_code::parse(code).map_err(|e| CorrectionRefusal::TaxCode { why: e.to_string() }.into())
}

/// The id of an officer by the code, after all merges.
///
/// # Errors
/// `Rule` names `field` if the code is unknown: an unknown code is a typing error of the Board.
fn officer_by_code(tx: &mut WriteTx<'_>, aliases: &Aliases, field: &str, code: &str) -> Result<Id, StoreError> {
    let code: String = code.trim().nfc().collect();
    let id = reference_id(Entity::Officer, &code);
    if Officer::load(tx.conn, &[id])?.is_empty() {
        return Err(CodeRefusal::UnknownOfficer { field: field.to_owned(), code }.into());
    }
    Ok(aliases.officer(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_says_what_is_left_as_it_is_what_is_set_and_what_is_removed() {
        let correction = Correction {
            unit: Set::To(Some("02CV".into())),
            cost_vnd: Set::To(None),
            remove_officers: vec!["CC01".into()],
            ..Correction::default()
        };
        let json = serde_json::to_value(&correction).expect("JSON");
        assert_eq!(json, serde_json::json!({ "unit": "02CV", "costVnd": null, "removeOfficers": ["CC01"] }));
        assert_eq!(serde_json::from_value::<Correction>(json).expect("a correction"), correction);
    }
}
