//! A digest's attachments: charts, tables and the JSON document.

use super::document::DigestDocument;
use super::{pictures, sheets};
use crate::JobError;
use data_encoding::BASE64;
use schema::enums::Locale;

/// A part of a digest as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The end of its name: `xlsx`, `json`, or of a picture `trend.png`.
    pub ending: String,
    pub content_type: &'static str,
    /// Content id by which the HTML names a picture; None for an attachment.
    pub cid: Option<String>,
    pub bytes: Vec<u8>,
}

/// The parts of a digest: the pictures that its HTML shows, its tables and its document.
///
/// # Errors
/// `Template` when a picture or the tables cannot be made.
pub fn parts(document: &DigestDocument, html: &str, locale: Locale) -> Result<Vec<Part>, JobError> {
    let mut parts = Vec::new();
    for (picture, bytes) in pictures::files(document, locale)? {
        // A digest of an earlier version shows none.
        if html.contains(&format!("cid:{}", picture.cid)) {
            let ending = format!("{}.png", picture.name);
            parts.push(Part { ending, content_type: "image/png", cid: Some(picture.cid), bytes });
        }
    }
    let part = |ending: &str, content_type, bytes| Part { ending: ending.to_owned(), content_type, cid: None, bytes };
    let spreadsheet = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    parts.push(part("xlsx", spreadsheet, sheets::workbook(document, locale)?));
    let json = serde_json::to_vec_pretty(document)
        .map_err(|error| JobError::Template(format!("the document of the digest: {error}")))?;
    parts.push(part("json", "application/json", json));
    Ok(parts)
}

/// The files of a digest in a folder, each with its name. The HTML names its pictures as files of this folder.
pub fn files(stem: &str, html: &str, text: &str, parts: &[Part]) -> Vec<(String, Vec<u8>)> {
    let name = |part: &Part| match part.cid {
        Some(_) => format!("{stem}-{}", part.ending),
        None => format!("{stem}.{}", part.ending),
    };
    let html = named(html, parts, name);
    let mut files =
        vec![(format!("{stem}.html"), html.into_bytes()), (format!("{stem}.txt"), text.as_bytes().to_vec())];
    files.extend(parts.iter().map(|part| (name(part), part.bytes.clone())));
    files
}

/// The HTML of a digest with its pictures inside, for deliveries other than mail.
pub fn html_with_pictures(html: &str, parts: &[Part]) -> String {
    named(html, parts, |part| format!("data:{};base64,{}", part.content_type, BASE64.encode(&part.bytes)))
}

fn named(html: &str, parts: &[Part], name: impl Fn(&Part) -> String) -> String {
    parts.iter().fold(html.to_owned(), |html, part| match &part.cid {
        Some(cid) => html.replace(&format!("cid:{cid}"), &name(part)),
        None => html,
    })
}
