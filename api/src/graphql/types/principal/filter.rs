//! The filter of principals.

use crate::graphql::filter::{DateTimeOps, RoleOps, StringOps, filter};
use schema::tables::principals;

filter! {
    /// Conditions on principals, joined by AND.
    PrincipalFilter over principals {
        name: StringOps => text(principals::name),
        role: RoleOps => word(principals::role),
        disabled_at: DateTimeOps => time(principals::disabled_at),
    }
}
