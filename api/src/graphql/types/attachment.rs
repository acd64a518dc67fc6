//! Attachments by reference, and additions of complainants.

use crate::graphql::scalars::Moment;
use async_graphql::{InputObject, SimpleObject};
use schema::domain::attachment::Reference;
use schema::models;

/// A file on another server. The server never fetches it.
#[derive(Debug, InputObject)]
pub struct AttachmentInput {
    /// The name of the file, 1 to 255 characters.
    pub name: String,
    /// In bytes, not negative.
    pub size: i32,
    /// Type and subtype without parameters, such as application/pdf.
    pub media_type: String,
    /// The SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// The URL of the file: https:// or s3://, without user, query and fragment. At most 2,000 characters.
    pub url: String,
}

impl From<AttachmentInput> for Reference {
    fn from(input: AttachmentInput) -> Self {
        let AttachmentInput { name, size, media_type, sha256, url } = input;
        Self { name, size: size.into(), media_type, sha256, url }
    }
}

/// A file on another server, as the complainant described it. The server never fetches it.
#[derive(SimpleObject)]
pub struct Attachment {
    /// The number of the addition that it came with; null if it came with the complaint.
    addition: Option<i32>,
    name: String,
    /// In bytes.
    size: i32,
    media_type: String,
    /// 64 hexadecimal digits.
    sha256: String,
    /// The URL of the file.
    url: String,
}

impl From<models::Attachment> for Attachment {
    fn from(row: models::Attachment) -> Self {
        let models::Attachment { addition, name, size, media_type, sha256, url, .. } = row;
        Self { addition, name, size: i32::try_from(size).unwrap_or(i32::MAX), media_type, sha256, url }
    }
}

/// An addition of a complainant to a complaint.
#[derive(SimpleObject)]
pub struct ComplaintAddition {
    /// From 1, in the order of receipt.
    number: i32,
    received_at: Moment,
    text: String,
}

impl From<models::ComplaintAddition> for ComplaintAddition {
    fn from(row: models::ComplaintAddition) -> Self {
        Self { number: row.ordinal, received_at: row.received_at.into(), text: row.text }
    }
}
