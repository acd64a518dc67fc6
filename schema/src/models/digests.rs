//! Digests, who receives them, and deliveries.

use crate::enums::{DeliveryChannel, DeliveryState, DigestCondition, Locale, Role};
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
        /// The reader of the digests; None: the address receives the Board's whole digest of each day.
        principal_id: Option<Id>,
        /// The role that the reader had when it subscribed.
        role: Option<Role>,
        /// The unit that the digests are about; None: all units.
        unit_id: Option<Id>,
        /// Words of `DigestSection` with spaces between them; None: all of them.
        sections: Option<String>,
        /// A cron expression.
        schedule: Option<String>,
        timezone: Option<String>,
        condition: Option<DigestCondition>,
        /// With the condition OVERDUE: a digest has more overdue complaints than this.
        min_overdue: Option<i32>,
        /// The last day without digests.
        quiet_until: Option<NaiveDate>,
        /// The last scheduled time for which a digest was made, or was not due by its condition.
        considered_at: Option<Timestamp>,
    }
);

model!(
    /// A digest made for one reader, with its delivery.
    reader_digests ReaderDigest {
        id: Id,
        subscription_id: Id,
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
        state: DeliveryState,
        attempts: i32,
        next_attempt_at: Timestamp,
        sent_at: Option<Timestamp>,
        error: Option<String>,
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

model!(
    /// The delivery of the Board's digest, or of one for a reader, as the view of all of them has it.
    digest_deliveries DigestDelivery {
        digest_id: Id,
        subscription_id: Id,
        /// Whether the digest was made for one reader; else it is that of the Board.
        for_reader: bool,
        channel: DeliveryChannel,
        address: String,
        /// The reader, its name, and its role when it subscribed; None if the subscription has other rights now.
        principal_id: Option<Id>,
        reader: Option<String>,
        role: Option<Role>,
        as_of: NaiveDate,
        locale: Locale,
        created_at: Timestamp,
        state: DeliveryState,
        attempts: i32,
        sent_at: Option<Timestamp>,
        error: Option<String>,
    }
);
