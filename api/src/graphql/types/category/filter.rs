//! The filter of issue categories.

use crate::graphql::filter::{BooleanOps, CategoryKindOps, IdOps, IntOps, StringOps, filter};
use diesel::prelude::*;
use schema::tables::issue_categories;

filter! {
    /// Conditions on issue categories, joined by AND.
    CategoryFilter over issue_categories {
        id: IdOps => id(issue_categories::id),
        code: StringOps => text(issue_categories::code),
        name_vi: StringOps => text(issue_categories::name_vi),
        name_en: StringOps => text(issue_categories::name_en),
        kind: CategoryKindOps => word(issue_categories::kind),
        serious: BooleanOps => truth(issue_categories::serious),
        deadline_days: IntOps => value(issue_categories::deadline_days),
        /// Whether an import created the category from its code alone.
        unknown: BooleanOps => truth(issue_categories::unknown),
        /// The id of the category above.
        parent_id: IdOps => id(issue_categories::parent_id),
    }
}
