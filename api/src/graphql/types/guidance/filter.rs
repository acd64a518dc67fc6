//! The filter of guidance documents.

use crate::graphql::filter::{DateOps, DateTimeOps, GuidanceStateOps, IdOps, StringOps, filter};
use crate::graphql::types::category::selected_categories;
use crate::graphql::types::{CategoryFilter, UnitFilter};
use schema::tables::{guidance_documents, units};

filter! {
    /// Conditions on guidance documents, joined by AND.
    GuidanceDocumentFilter over guidance_documents {
        id: IdOps => id(guidance_documents::id),
        /// Conditions on the headquarters unit that drafts the document.
        unit: UnitFilter => relation(guidance_documents::unit_id => units, units::id),
        category: CategoryFilter => category(guidance_documents::category_id, selected_categories),
        state: GuidanceStateOps => word(guidance_documents::state),
        number: StringOps => text(guidance_documents::number),
        requested_at: DateTimeOps => time(guidance_documents::requested_at),
        issued_on: DateOps => value(guidance_documents::issued_on),
        /// Finds the text anywhere in the title or the text, ignoring case and diacritics.
        search: String => search(guidance_documents::title, guidance_documents::text),
    }
}
