//! The filter of enterprises.

use crate::graphql::filter::{IdOps, StringOps, filter};
use diesel::prelude::*;
use schema::tables::enterprises;

filter! {
    /// Conditions on enterprises, joined by AND.
    EnterpriseFilter over enterprises {
        id: IdOps => id(enterprises::id),
        tax_code: StringOps => text(enterprises::tax_code),
        name: StringOps => text(enterprises::name),
        group_code: StringOps => text(enterprises::group_code),
        /// Finds the text anywhere in the name, ignoring case and diacritics.
        search: String => search(enterprises::name),
    }
}
