//! The filter of audit log entries.

use crate::graphql::filter::{AuditActionOps, DateTimeOps, RoleOps, StringOps, filter};
use diesel::prelude::*;
use schema::tables::audit_log;

filter! {
    /// Conditions on audit log entries, joined by AND.
    AuditFilter over audit_log {
        at: DateTimeOps => time(audit_log::at),
        actor: StringOps => text(audit_log::actor),
        role: RoleOps => word(audit_log::role),
        action: AuditActionOps => word(audit_log::action),
    }
}
