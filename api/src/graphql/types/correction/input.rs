//! The input of a correction.

use crate::graphql::enums::{Attribution, LegalForm};
use crate::graphql::error::refuse;
use crate::graphql::scalars::{Decimal, Moment};
use async_graphql::{ID, InputObject, MaybeUndefined, Result};
use schema::refusal::InputRefusal;
use schema::register::{AllegationChange, AllegationKey, Correction, NewAllegation, NewMatter, Replacement, Set};

/// The most entries of each list of a correction.
const MOST: usize = 100;

/// A correction of a complaint. A field that you leave out keeps its value; null removes the value, except where the
/// field says otherwise. The text of a complaint is what the enterprise wrote: it cannot be corrected.
#[derive(Debug, InputObject)]
pub struct CorrectComplaintInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// 1 to 100,000 characters.
    pub reason: String,
    /// From 1970, not after `receivedAt`. The units above the unit complained about are those of this day.
    pub occurred_at: MaybeUndefined<Moment>,
    /// Null keeps the value.
    pub legal_form: Option<LegalForm>,
    /// The tax code of the enterprise; null makes the complaint anonymous.
    pub tax_code: MaybeUndefined<String>,
    /// Used only with `taxCode`, if the register does not know the enterprise.
    pub enterprise_name: Option<String>,
    /// The code of the unit complained about. Allegations with the unit that the complaint had follow it.
    pub unit: MaybeUndefined<String>,
    /// The code of the category. Allegations with the category that the complaint had, or with none, follow it.
    pub category: MaybeUndefined<String>,
    /// The number of the customs declaration, 12 digits.
    pub declaration_number: MaybeUndefined<String>,
    /// The cost to the enterprise in whole VND, not negative.
    pub cost_vnd: MaybeUndefined<Decimal>,
    /// The delay in hours, not negative.
    pub delay_hours: MaybeUndefined<f64>,
    /// Whether the officer blamed the IT system. Null keeps the value.
    pub blames_system: Option<bool>,
    /// Whether the enterprise complained in confidence. Null keeps the value.
    pub confidential: Option<bool>,
    /// Changes of single allegations, at most 100; they come first.
    pub change_allegations: Option<Vec<ChangeAllegationInput>>,
    /// Allegations to remove, at most 100.
    pub remove_allegations: Option<Vec<AllegationKeyInput>>,
    /// The codes of officers whom the complaint does not name after all, at most 100.
    pub remove_officers: Option<Vec<String>>,
    /// Officers to replace by other officers, at most 100.
    pub replace_officers: Option<Vec<ReplaceOfficerInput>>,
    /// Officers to name, or to name with a further allegation, at most 100. A complaint names at most 50 officers.
    pub add_officers: Option<Vec<AddOfficerInput>>,
    /// Further allegations that name no officer, at most 100.
    pub add_matters: Option<Vec<AddMatterInput>>,
}

/// An allegation, as `Complaint.officers` and `Complaint.matters` show it.
#[derive(Debug, InputObject)]
pub struct AllegationKeyInput {
    /// The code of the officer; leave it out for a matter.
    pub officer: Option<String>,
    pub ordinal: i32,
}

/// A change of one allegation. A field that you leave out keeps its value; null removes the value.
#[derive(Debug, InputObject)]
pub struct ChangeAllegationInput {
    /// The code of the officer; leave it out for a matter.
    pub officer: Option<String>,
    pub ordinal: i32,
    /// The code of the category.
    pub category: MaybeUndefined<String>,
    /// The code of the unit.
    pub unit: MaybeUndefined<String>,
    /// Null keeps the value. Not for a matter.
    pub attribution: Option<Attribution>,
}

/// An officer who takes the place of another one in all allegations of the complaint. Findings become PENDING, because
/// they were about the replaced officer.
#[derive(Debug, InputObject)]
pub struct ReplaceOfficerInput {
    /// The code of an officer whom the complaint names.
    pub from: String,
    /// The code of an officer whom the register knows.
    pub to: String,
    /// The attribution; by default unchanged.
    pub attribution: Option<Attribution>,
}

/// An officer whom the complaint is about.
#[derive(Debug, InputObject)]
pub struct AddOfficerInput {
    /// The code of an officer whom the register knows.
    pub officer: String,
    /// The code of the category. Default: that of the complaint.
    pub category: Option<String>,
    /// The code of the unit. Default: that of the complaint.
    pub unit: Option<String>,
    /// Above tier WATCH only CONFIRMED attributions count.
    #[graphql(default_with = "Attribution::Asserted")]
    pub attribution: Attribution,
}

/// An allegation that names no officer.
#[derive(Debug, InputObject)]
pub struct AddMatterInput {
    /// The code of the category.
    pub category: String,
    /// The code of the unit. Default: that of the complaint.
    pub unit: Option<String>,
}

fn set<T, S>(value: MaybeUndefined<T>, stored: impl FnOnce(T) -> S) -> Set<S> {
    match value {
        MaybeUndefined::Undefined => Set::Keep,
        MaybeUndefined::Null => Set::To(None),
        MaybeUndefined::Value(value) => Set::To(Some(stored(value))),
    }
}

/// A code; a blank one is none.
fn code(value: MaybeUndefined<String>) -> Set<String> {
    match set(value, |code| code.trim().to_owned()) {
        Set::To(Some(code)) if code.is_empty() => Set::To(None),
        other => other,
    }
}

fn list<T, S>(name: &str, given: Option<Vec<T>>, stored: impl Fn(T) -> S) -> Result<Vec<S>> {
    let given = given.unwrap_or_default();
    if given.len() > MOST {
        return Err(refuse(InputRefusal::TooManyEntries { field: name.to_owned(), count: given.len(), most: MOST }));
    }
    Ok(given.into_iter().map(stored).collect())
}

impl CorrectComplaintInput {
    /// The correction, without the complaint and the reason.
    ///
    /// # Errors
    /// BAD_USER_INPUT if a list is too long.
    pub fn correction(self) -> Result<Correction> {
        let change = |one: ChangeAllegationInput| AllegationChange {
            allegation: AllegationKey { officer: one.officer, ordinal: one.ordinal },
            category: code(one.category),
            unit: code(one.unit),
            attribution: one.attribution.map(Into::into),
        };
        let key = |one: AllegationKeyInput| AllegationKey { officer: one.officer, ordinal: one.ordinal };
        let replacement = |one: ReplaceOfficerInput| Replacement {
            from: one.from,
            to: one.to,
            attribution: one.attribution.map(Into::into),
        };
        let officer = |one: AddOfficerInput| NewAllegation {
            officer: one.officer,
            category: one.category,
            unit: one.unit,
            attribution: one.attribution.into(),
        };
        let matter = |one: AddMatterInput| NewMatter { category: one.category, unit: one.unit };
        Ok(Correction {
            occurred_at: set(self.occurred_at, |moment| moment.0),
            legal_form: self.legal_form.map(Into::into),
            tax_code: code(self.tax_code),
            enterprise_name: self.enterprise_name,
            unit: code(self.unit),
            category: code(self.category),
            declaration_number: code(self.declaration_number),
            cost_vnd: set(self.cost_vnd, |cost| cost.0),
            delay_hours: set(self.delay_hours, |hours| hours),
            blames_system: self.blames_system,
            confidential: self.confidential,
            change_allegations: list("changeAllegations", self.change_allegations, change)?,
            remove_allegations: list("removeAllegations", self.remove_allegations, key)?,
            remove_officers: list("removeOfficers", self.remove_officers, |code| code)?,
            replace_officers: list("replaceOfficers", self.replace_officers, replacement)?,
            add_officers: list("addOfficers", self.add_officers, officer)?,
            add_matters: list("addMatters", self.add_matters, matter)?,
        })
    }
}
