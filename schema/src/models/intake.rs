//! Additions, attachments and receipts of complainants, and the links between duplicates.

use crate::sql_types::{Id, Timestamp};
use crate::tables;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(
    /// The receipt of a complaint. A person with its code acts as the complainant.
    receipts Receipt {
        complaint_id: Id,
        /// The key by which the row of a code is found.
        lookup: i64,
        salt: Vec<u8>,
        /// The salted hash of the code.
        hash: Vec<u8>,
        issued_at: Timestamp,
        /// When its holder reopened the complaint, which is possible once.
        reopened_at: Option<Timestamp>,
    }
);

model!(
    /// An addition of a complainant to a complaint.
    complaint_additions ComplaintAddition {
        complaint_id: Id,
        /// From 1, in the order of receipt.
        ordinal: i32,
        text: String,
        received_at: Timestamp,
    }
);

model!(
    /// A file that is stored elsewhere: see [`crate::domain::attachment`].
    attachments Attachment {
        complaint_id: Id,
        id: Id,
        /// The ordinal of the addition that it came with; None if it came with the complaint.
        addition: Option<i32>,
        /// Its place among those that came together, from 0.
        ordinal: i32,
        name: String,
        size: i64,
        media_type: String,
        sha256: String,
        url: String,
    }
);

model!(
    /// A complaint that a person linked to another one, the original, as saying the same. It counts no more.
    complaint_links ComplaintLink {
        complaint_id: Id,
        /// Never itself linked to another one.
        original_id: Id,
        linked_at: Timestamp,
        actor: String,
        reason: String,
    }
);
