//! The rows of the access table for alerts, for the endpoints and messages of notifications, and for deliveries of
//! digests.

use super::Audited::{No, Part, Root, Word};
use super::TableRow;
use crate::access::roles::Reader::Admin;
use crate::access::roles::{BOARD_AND_ADMIN, BOARD_HEADS_AND_ADMIN};

pub(super) const NOTIFICATIONS: &[TableRow] = &[
    ("Query", "alerts", BOARD_HEADS_AND_ADMIN, Root),
    ("Subscription", "alertChanged", BOARD_HEADS_AND_ADMIN, Root),
    (
        "Alert",
        "* details id subject",
        BOARD_HEADS_AND_ADMIN,
        No("a flag or a complaint by its id, which have fields of their own"),
    ),
    ("AlertConnection AlertEdge", "*", BOARD_HEADS_AND_ADMIN, Part),
    (
        "AlertFilter",
        "* id subject",
        BOARD_HEADS_AND_ADMIN,
        No("a flag or a complaint by its id, which have fields of their own"),
    ),
    ("AlertOrder AlertKindOps", "*", BOARD_HEADS_AND_ADMIN, Part),
    ("AlertOrderField AlertKind", "*", BOARD_HEADS_AND_ADMIN, Word),
    ("Query", "alertSubscriptions", BOARD_HEADS_AND_ADMIN, Root),
    ("AlertSubscription", "* address id", BOARD_HEADS_AND_ADMIN, No("the reader itself")),
    ("Mutation", "subscribeToAlerts endAlertSubscription", BOARD_HEADS_AND_ADMIN, Root),
    ("SubscribeToAlertsInput", "* address", BOARD_HEADS_AND_ADMIN, No("a wish of the reader")),
    ("EndAlertSubscriptionInput", "subscriptionId", BOARD_HEADS_AND_ADMIN, No("a wish of the reader")),
    ("AlertSubscriptionPayload", "*", BOARD_HEADS_AND_ADMIN, No("written objects have fields of their own")),
    ("Query", "digestDeliveries", BOARD_AND_ADMIN, Root),
    (
        "DigestDelivery",
        "* address digestId error reader readerId subscriptionId",
        BOARD_AND_ADMIN,
        No("recipients, not subjects"),
    ),
    ("DigestDeliveryConnection DigestDeliveryEdge", "*", BOARD_AND_ADMIN, Part),
    (
        "DigestDeliveryFilter",
        "* address digestId reader readerId subscriptionId",
        BOARD_AND_ADMIN,
        No("recipients, not subjects"),
    ),
    ("DigestDeliveryOrder DeliveryStateOps", "*", BOARD_AND_ADMIN, Part),
    ("DigestDeliveryOrderField", "*", BOARD_AND_ADMIN, Word),
    ("Query", "notificationEndpoints notifications", &[Admin], Root),
    (
        "NotificationEndpoint",
        "* address createdBy disabledReason events id name readerId",
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
    ("CreateNotificationEndpointInput", "* address events name reader", &[Admin], No("recipients, not subjects")),
    ("NotificationEndpointInput", "id", &[Admin], No("recipients, not subjects")),
    (
        "NotificationEndpointPayload TestNotificationPayload",
        "*",
        &[Admin],
        No("written objects have fields of their own"),
    ),
    ("NotificationSecretPayload", "* secret", &[Admin], No("written objects have fields of their own")),
];
