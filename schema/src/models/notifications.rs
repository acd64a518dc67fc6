//! Alerts, the endpoints that they are sent to, and the messages on their way.

use crate::enums::{AlertKind, DeliveryState, Locale, NotificationChannel};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(
    /// Where alerts are sent: a webhook or a mail address.
    notification_endpoints NotificationEndpoint {
        id: Id,
        channel: NotificationChannel,
        /// Its purpose, in the words of the user who added it.
        name: String,
        address: String,
        /// The language of mails.
        locale: Locale,
        /// The names of the events that it gets, as a list of JSON.
        events: JsonValue,
        /// The version of the key from which the secret is derived.
        key_version: i32,
        /// The number of the secret; a rotation adds one.
        secret_number: i32,
        /// The version of the key of the secret before.
        previous_key_version: Option<i32>,
        /// Until when messages are also signed with the secret before.
        previous_until: Option<Timestamp>,
        created_at: Timestamp,
        created_by: String,
        disabled_at: Option<Timestamp>,
        disabled_reason: Option<String>,
        /// The head of a unit to whom messages go; None: they are about what the Board is told.
        principal_id: Option<Id>,
        /// The unit of the head when the endpoint was added.
        unit_id: Option<Id>,
    }
);

model!(
    /// A message on its way to an endpoint.
    notifications Notification {
        id: Id,
        endpoint_id: Id,
        /// The name of the event, such as `alert.raised`.
        event: String,
        /// The JSON as it is signed and sent; the content of a mail.
        body: String,
        state: DeliveryState,
        attempts: i32,
        next_attempt_at: Timestamp,
        created_at: Timestamp,
        sent_at: Option<Timestamp>,
        /// The HTTP status of the last attempt.
        status: Option<i32>,
        error: Option<String>,
    }
);

model!(
    /// Something that people should know at once.
    alerts Alert {
        id: Id,
        kind: AlertKind,
        /// Its subject: the id of a flag, digest or complaint, the name of a job, or the code of a unit.
        subject: String,
        /// The local day on which it was raised.
        day: NaiveDate,
        details: JsonValue,
        raised_at: Timestamp,
        /// When it was over; None while it is current.
        cleared_at: Option<Timestamp>,
        /// The head of a unit for whom alone it is; None: for the Board.
        principal_id: Option<Id>,
        /// The unit of the head then.
        unit_id: Option<Id>,
    }
);
