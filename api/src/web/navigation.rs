//! The entries of the navigation.

use crate::access::allowed;
use schema::enums::Role;
use serde::Serialize;

/// The path of each view, the key of its word, and the root field that a role must be allowed to see the entry.
pub const ENTRIES: &[(&str, &str, Option<&str>)] = &[
    ("/", "nav-today", None),
    // One line for each view, in the order of the navigation.
    ("/flags", "nav-flags", Some("flags")),
    ("/alerts", "nav-alerts", Some("alerts")),
    ("/units", "nav-units", Some("units")),
    ("/complaints", "nav-complaints", Some("complaints")),
    ("/categories", "nav-categories", Some("categoryTrends")),
    ("/overdue", "nav-overdue", Some("complaints")),
    ("/blame", "nav-blame", Some("blameCheck")),
    ("/guidance", "nav-guidance", Some("guidanceDocuments")),
    ("/measures", "nav-measures", Some("measures")),
    ("/explore", "nav-explore", Some("complaintStatistics")),
    ("/digests", "nav-digests", Some("digests")),
    ("/digests/sent", "nav-digests-sent", Some("digestDeliveries")),
    ("/digests/subscriptions", "nav-subscriptions", Some("digestSubscriptions")),
    ("/jobs", "nav-jobs", Some("jobs")),
    ("/webhooks", "nav-webhooks", Some("notificationEndpoints")),
    ("/audit", "nav-audit", Some("auditLog")),
];

/// An entry as the layout shows it.
#[derive(Debug, Serialize)]
pub struct Entry {
    pub href: &'static str,
    pub key: &'static str,
    /// Whether the page belongs to it.
    pub current: bool,
}

/// The entries for a role, on the page at a path.
pub fn entries(role: Role, path: &str) -> Vec<Entry> {
    let may = |field: &Option<&str>| field.is_none_or(|field| allowed(role, "Query", field));
    // A page below two entries belongs to the deeper one.
    let here =
        ENTRIES.iter().map(|(href, ..)| *href).filter(|href| is_within(path, href)).max_by_key(|href| href.len());
    let shown = ENTRIES.iter().filter(|(.., field)| may(field));
    shown.map(|(href, key, _)| Entry { href, key, current: here == Some(*href) }).collect()
}

fn is_within(path: &str, href: &str) -> bool {
    path.strip_prefix(href).is_some_and(|rest| rest.is_empty() || href != "/" && rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_belongs_to_the_deepest_entry_above_it() {
        let current = |path: &str| -> Vec<&'static str> {
            entries(Role::Board, path).into_iter().filter(|entry| entry.current).map(|entry| entry.href).collect()
        };
        for (path, href) in [
            ("/", "/"),
            ("/digests", "/digests"),
            ("/digests/1/message", "/digests"),
            ("/digests/sent", "/digests/sent"),
            ("/digests/subscriptions/1", "/digests/subscriptions"),
        ] {
            assert_eq!(current(path), [href], "{path}");
        }
        assert!(current("/elsewhere").is_empty());
    }
}
