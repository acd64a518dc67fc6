//! The table `categories`.

use super::columns::{Day, Flag, Text, Whole, declare_table};
use super::names::{Context, Emit};
use crate::JobError;
use schema::Conn;
use schema::enums::DeadlineUnit;

declare_table! {
    "categories": "Categories of complaints, on two levels."
    {
        code: Text = "Code of the category.",
        name_vi: Text = "Name in Vietnamese.",
        name_en: Option<Text> = "Name in English.",
        kind: Text = "PROFICIENCY, PROCEDURE, RIGID_HANDLING, TECHNICAL or CONDUCT.",
        serious: Flag = "Whether the category is serious.",
        deadline_days: Option<Whole> = "Days to answer; null without a deadline.",
        parent: Option<Text> = "Code of the category above; null on the first level.",
        category_group: Text = "Code of the category on the first level: the one above, or the category itself.",
        deadline_unit: Option<Text> = "How these days are counted: WORKING or CALENDAR; null without a deadline.",
        owner: Option<Text> = "Code of the headquarters unit that owns the category.",
        valid_to: Option<Day> = "Last day; null while it lasts.",
    }
}

/// The categories.
///
/// # Errors
/// When the rows do not fit the columns.
pub(super) fn make(of: &Context<'_>, _: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    let reference = &of.snapshot.reference;
    let mut rows = Rows::new(reference.categories.len());
    for one in &reference.categories {
        let parent = one.parent_id.and_then(|above| of.category(above));
        let deadline_unit = one.deadline_unit.unwrap_or(DeadlineUnit::Working).as_str();
        rows.push(Row {
            code: &one.code,
            name_vi: &one.name_vi,
            name_en: one.name_en.as_deref(),
            kind: one.kind.as_str(),
            serious: one.serious,
            deadline_days: one.deadline_days.map(i64::from),
            parent,
            category_group: parent.unwrap_or(&one.code),
            deadline_unit: one.deadline_days.map(|_| deadline_unit),
            owner: one.owner_unit_id.and_then(|id| of.unit(id)),
            valid_to: one.valid_to,
        });
    }
    emit(rows.finish()?)
}
