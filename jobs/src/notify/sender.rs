//! Sends notifications; keeps one client and one SMTP transport for all of them.

use super::outbox::Outgoing;
use super::webhook::{self, Failure};
use super::{endpoints, mail, unsubscribe};
use crate::digest::transport;
use crate::runner::settings::Settings;
use lettre::{SmtpTransport, Transport};
use schema::enums::NotificationChannel;
use ureq::Agent;

pub struct Sender<'s> {
    settings: &'s Settings,
    client: Option<Agent>,
    smtp: Option<SmtpTransport>,
}

impl<'s> Sender<'s> {
    pub fn new(settings: &'s Settings) -> Self {
        Self { settings, client: None, smtp: None }
    }

    /// Sends a message; returns the HTTP status of a webhook.
    ///
    /// # Errors
    /// Why the attempt failed.
    pub fn send(&mut self, outgoing: &Outgoing) -> Result<Option<i32>, Failure> {
        match outgoing.1.channel {
            NotificationChannel::Webhook => self.post(outgoing).map(Some),
            NotificationChannel::Email => self.mail(outgoing).map(|()| None).map_err(Failure::new),
        }
    }

    fn post(&mut self, (message, endpoint): &Outgoing) -> Result<i32, Failure> {
        if self.client.is_none() {
            self.client = Some(webhook::client(self.settings).map_err(Failure::new)?);
        }
        let Some(client) = &self.client else { return Err(Failure::new("no client")) };
        webhook::send(client, self.settings, endpoint, message)
    }

    fn mail(&mut self, (message, endpoint): &Outgoing) -> Result<(), String> {
        // The domains may have changed since the address was added.
        endpoints::check_domain(endpoint.channel, &endpoint.address, &self.settings.digests.domains)?;
        let smtp = self.settings.smtp.as_ref().ok_or("the configuration has no [smtp]")?;
        let mut mail = mail::mail(message, endpoint, &smtp.from, self.settings.links.base_url.as_deref())?;
        unsubscribe::add_headers(&mut mail, self.settings, unsubscribe::Of::Endpoint, endpoint.id);
        if self.smtp.is_none() {
            self.smtp = Some(transport(smtp)?);
        }
        let Some(transport) = &self.smtp else { return Err("no transport".into()) };
        transport.send(&mail).map(|_| ()).map_err(|error| format!("mail server: {error}"))
    }
}
