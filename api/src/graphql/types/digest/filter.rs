//! The filter of digests.

use crate::graphql::filter::{DateOps, DateTimeOps, IdOps, LocaleOps, filter};
use diesel::prelude::*;
use schema::tables::digests;

filter! {
    /// Conditions on digests, joined by AND.
    DigestFilter over digests {
        id: IdOps => id(digests::id),
        as_of: DateOps => value(digests::as_of),
        locale: LocaleOps => word(digests::locale),
        created_at: DateTimeOps => time(digests::created_at),
    }
}
