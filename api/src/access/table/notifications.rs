//! The rows of the access table for alerts, and the endpoints and messages of notifications.

use super::Audited::{No, Part, Root, Word};
use super::TableRow;
use crate::access::roles::BOARD_AND_ADMIN;
use crate::access::roles::Reader::Admin;

pub(super) const NOTIFICATIONS: &[TableRow] = &[
    ("Query", "alerts", BOARD_AND_ADMIN, Root),
    ("Subscription", "alertChanged", BOARD_AND_ADMIN, Root),
    ("Alert", "* details id subject", BOARD_AND_ADMIN, No("a flag by its id, which has fields of its own")),
    ("AlertConnection AlertEdge", "*", BOARD_AND_ADMIN, Part),
    ("AlertFilter", "* id subject", BOARD_AND_ADMIN, No("a flag by its id, which has fields of its own")),
    ("AlertOrder AlertKindOps", "*", BOARD_AND_ADMIN, Part),
    ("AlertOrderField AlertKind", "*", BOARD_AND_ADMIN, Word),
    ("Query", "notificationEndpoints notifications", &[Admin], Root),
    (
        "NotificationEndpoint",
        "* address createdBy disabledReason events id name",
        &[Admin],
        No("recipients, not subjects"),
    ),
    ("Notification", "* body endpointId error event id", &[Admin], No("ids and kinds, no personal data")),
    ("NotificationConnection NotificationEdge", "*", &[Admin], Part),
    ("NotificationFilter", "* endpointId event id", &[Admin], No("ids and kinds, no personal data")),
    ("NotificationOrder", "*", &[Admin], Part),
    ("NotificationOrderField NotificationChannel", "*", &[Admin], Word),
    ("Mutation", "createNotificationEndpoint rotateWebhookSecret testNotificationEndpoint", &[Admin], Root),
    ("Mutation", "disableNotificationEndpoint enableNotificationEndpoint", &[Admin], Root),
    ("CreateNotificationEndpointInput", "* address events name", &[Admin], No("recipients, not subjects")),
    ("NotificationEndpointInput", "id", &[Admin], No("recipients, not subjects")),
    (
        "NotificationEndpointPayload TestNotificationPayload",
        "*",
        &[Admin],
        No("written objects have fields of their own"),
    ),
    ("NotificationSecretPayload", "* secret", &[Admin], No("written objects have fields of their own")),
];
