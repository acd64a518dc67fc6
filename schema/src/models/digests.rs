//! Digests, who receives them, and deliveries.

use crate::enums::{DeliveryChannel, DeliveryState, Locale};
use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(
    digests Digest {
        id: Id,
        run_id: Id,
        previous_id: Option<Id>,
        as_of: NaiveDate,
        locale: Locale,
        subject: String,
        html: String,
        text: String,
        document: JsonValue,
        position: i64,
        created_at: Timestamp,
    }
);

model!(
    digest_subscriptions DigestSubscription {
        id: Id,
        channel: DeliveryChannel,
        address: String,
        locale: Locale,
        created_at: Timestamp,
        ended_at: Option<Timestamp>,
    }
);

model!(
    /// A digest on its way to one recipient.
    deliveries Delivery {
        digest_id: Id,
        subscription_id: Id,
        state: DeliveryState,
        attempts: i32,
        next_attempt_at: Timestamp,
        message_id: String,
        sent_at: Option<Timestamp>,
        error: Option<String>,
    }
);
