//! Sends a digest to a recipient, as mail or as files in a folder.

use super::document::DigestDocument;
use super::outbox::OutgoingDelivery;
use super::parts::{self, Part};
use crate::notify::unsubscribe;
use crate::runner::settings::{Encryption, Settings, SmtpSettings};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Message, SmtpTransport, Transport};
use schema::enums::DeliveryChannel;
use schema::models::{Digest, DigestSubscription};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Sends digests; keeps one SMTP transport for all of them.
pub struct Sender<'s> {
    settings: &'s Settings,
    smtp: Option<SmtpTransport>,
}

impl<'s> Sender<'s> {
    pub fn new(settings: &'s Settings) -> Self {
        Self { settings, smtp: None }
    }

    /// Sends a digest to a folder or by mail.
    ///
    /// # Errors
    /// Why the attempt failed: files that cannot be written, or the answer of the mail server.
    pub fn send(&mut self, (delivery, digest, recipient): &OutgoingDelivery) -> Result<(), String> {
        match recipient.channel {
            DeliveryChannel::Folder => write_files(Path::new(&recipient.address), digest),
            DeliveryChannel::Email => self.mail(digest, recipient, &delivery.message_id),
        }
    }

    fn mail(&mut self, digest: &Digest, recipient: &DigestSubscription, id: &str) -> Result<(), String> {
        let smtp = self.settings.smtp.as_ref().ok_or("the configuration has no [smtp]")?;
        let mut message = message(digest, &smtp.from, &recipient.address, id)?;
        unsubscribe::add_headers(&mut message, self.settings, unsubscribe::Of::Digests, recipient.id);
        if self.smtp.is_none() {
            self.smtp = Some(transport(smtp)?);
        }
        let Some(transport) = &self.smtp else { return Err("no transport".into()) };
        // Permanent refusals are retried, too: a wrong configuration (a wrong password) may be the cause.
        transport.send(&message).map(|_| ()).map_err(|e| format!("mail server: {e}"))
    }
}

/// Builds the mail of a digest.
///
/// # Errors
/// If an address or a part of the digest cannot be written in a mail.
pub fn message(digest: &Digest, from: &str, to: &str, id: &str) -> Result<Message, String> {
    let from: Mailbox = from.parse().map_err(|e| format!("smtp.from {from:?}: {e}"))?;
    let domain = from.email.domain().to_owned();
    let to: Mailbox = to.parse().map_err(|e| format!("the address {to:?}: {e}"))?;
    let created_at =
        SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(digest.created_at.micros()).unwrap_or(0));
    let mut message = Message::builder()
        .from(from)
        .to(to)
        .subject(&digest.subject)
        .date(created_at)
        .message_id(Some(format!("<{id}@{domain}>")))
        .multipart(body(digest)?)
        .map_err(|e| e.to_string())?;
    // Asks mail programs not to reply automatically (RFC 3834).
    message
        .headers_mut()
        .insert_raw(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    Ok(message)
}

/// The connection to the mail server of the settings.
///
/// # Errors
/// If the name of the server is invalid, or the password file cannot be read.
pub(crate) fn transport(settings: &SmtpSettings) -> Result<SmtpTransport, String> {
    let builder = match settings.encryption {
        Encryption::Tls => SmtpTransport::relay(&settings.host).map_err(|e| e.to_string())?,
        Encryption::Starttls => SmtpTransport::starttls_relay(&settings.host).map_err(|e| e.to_string())?,
        Encryption::None => SmtpTransport::builder_dangerous(&settings.host),
    };
    let builder = match settings.port {
        Some(port) => builder.port(port),
        None => builder,
    };
    let builder = match (&settings.username, &settings.password_file) {
        (Some(user), Some(file)) => {
            let password =
                std::fs::read_to_string(file).map_err(|e| format!("smtp.password_file {}: {e}", file.display()))?;
            builder.credentials(Credentials::new(user.clone(), password.trim_end().to_owned()))
        }
        // `Settings` ensures that both are set or neither.
        _ => builder,
    };
    Ok(builder.timeout(Some(Duration::from_secs(30))).build())
}

/// The mail's parts: the text, the HTML with its pictures, the tables and the document. A digest that another version
/// wrote has text and HTML alone.
fn body(digest: &Digest) -> Result<MultiPart, String> {
    let parts = of_digest(digest)?;
    if parts.is_empty() {
        return Ok(MultiPart::alternative_plain_html(digest.text.clone(), digest.html.clone()));
    }
    let mut html = MultiPart::related().singlepart(SinglePart::html(digest.html.clone()));
    for part in &parts {
        if let Some(cid) = &part.cid {
            let picture = Attachment::new_inline(cid.clone()).body(part.bytes.clone(), content_type(part)?);
            html = html.singlepart(picture);
        }
    }
    let texts = MultiPart::alternative().singlepart(SinglePart::plain(digest.text.clone())).multipart(html);
    let mut body = MultiPart::mixed().multipart(texts);
    let stem = stem(digest);
    for part in parts.iter().filter(|part| part.cid.is_none()) {
        let name = format!("{stem}.{}", part.ending);
        body = body.singlepart(Attachment::new(name).body(part.bytes.clone(), content_type(part)?));
    }
    Ok(body)
}

fn content_type(part: &Part) -> Result<ContentType, String> {
    ContentType::parse(part.content_type).map_err(|e| format!("{}: {e}", part.content_type))
}

/// The attachments; none if another version wrote the digest.
fn of_digest(digest: &Digest) -> Result<Vec<Part>, String> {
    match serde_json::from_value::<DigestDocument>(digest.document.0.clone()) {
        Ok(document) => parts::parts(&document, &digest.html, digest.locale).map_err(|e| e.to_string()),
        Err(error) => {
            tracing::warn!(digest = %digest.id, %error, "a digest of another version is sent without its tables");
            Ok(Vec::new())
        }
    }
}

/// The beginning of the names of a digest's files.
fn stem(digest: &Digest) -> String {
    let unit = digest.document.0["unit"]["code"].as_str().map(|code| {
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        format!("{}-", code.chars().map(safe).collect::<String>())
    });
    format!("phan-anh-{}{}-{}", unit.unwrap_or_default(), digest.as_of, digest.locale)
}

/// Writes a digest as files, each atomically: HTML with its pictures, text, JSON and tables.
///
/// # Errors
/// A message with the path that cannot be written.
pub fn write_files(folder: &Path, digest: &Digest) -> Result<(), String> {
    let parts = of_digest(digest)?;
    for (name, bytes) in parts::files(&stem(digest), &digest.html, &digest.text, &parts) {
        let path = folder.join(name);
        schema::files::write(&path, bytes).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
}
