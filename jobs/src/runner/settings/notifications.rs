//! Settings of alerts, webhooks, and links in mails.

use ipnet::IpNet;
use serde::Deserialize;

/// The address under which readers of mails find the server.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinkSettings {
    /// The address of the server, such as `https://phananh.example`; without one mails have no links.
    pub base_url: Option<String>,
}

impl LinkSettings {
    /// Checks the address of the server.
    ///
    /// # Errors
    /// A message about an address that mails cannot link to.
    pub(super) fn check(&self) -> Result<(), String> {
        match &self.base_url {
            Some(url) if !url.starts_with("https://") && !url.starts_with("http://") => {
                Err(format!("links.base_url {url:?}: write it like https://phananh.example"))
            }
            // Headers of mails have it as it is.
            Some(url) if url.contains(['<', '>', '"', ' ', '?', '#']) || !url.bytes().all(|b| b.is_ascii_graphic()) => {
                Err(format!("links.base_url {url:?} must be a plain address in ASCII"))
            }
            _ => Ok(()),
        }
    }
}

/// Settings of sending webhooks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookSettings {
    /// Networks that may be sent to although they are not public; there also http is permitted.
    pub allow_networks: Vec<String>,
    /// A receiver may take this many seconds to answer.
    pub timeout_seconds: u64,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self { allow_networks: Vec::new(), timeout_seconds: 15 }
    }
}

impl WebhookSettings {
    /// The networks that may be sent to.
    ///
    /// # Errors
    /// A message with the network that cannot be parsed.
    pub fn networks(&self) -> Result<Vec<IpNet>, String> {
        let parse = |network: &String| {
            network.parse().map_err(|_| {
                format!("webhooks.allow_networks: {network:?} is no network: write it like 10.0.0.0/8 or fd00::/8")
            })
        };
        self.allow_networks.iter().map(parse).collect()
    }

    /// Checks the time to answer and the networks.
    ///
    /// # Errors
    /// A message about the setting that is invalid.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=120).contains(&self.timeout_seconds) {
            return Err("webhooks: timeout_seconds must be from 1 to 120".into());
        }
        self.networks().map(|_| ())
    }
}

/// The limits that raise alerts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertSettings {
    /// The most false alarms of bursts that a month may be expected to have.
    pub false_alarms_per_month: f64,
    /// A run of a job may begin this many minutes late before an alert is raised.
    pub missed_after_minutes: u32,
}

impl Default for AlertSettings {
    fn default() -> Self {
        Self { false_alarms_per_month: 0.5, missed_after_minutes: 60 }
    }
}

impl AlertSettings {
    /// Checks that the limits are in their ranges.
    ///
    /// # Errors
    /// A message about the limit that is not.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(0.001..=100.0).contains(&self.false_alarms_per_month) {
            return Err("alerts: false_alarms_per_month must be from 0.001 to 100".into());
        }
        if !(1..=10_080).contains(&self.missed_after_minutes) {
            return Err("alerts: missed_after_minutes must be from 1 to 10080".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_the_server_can_stand_in_a_header() {
        let check = |url: &str| LinkSettings { base_url: Some(url.to_owned()) }.check();
        assert!(check("https://phananh.example").is_ok() && check("http://127.0.0.1:8080/a").is_ok());
        for url in [
            "phananh.example",
            "https://x.example\r\nBcc: evil@example.org",
            "https://x.example/\t",
            "https://x.example/?a",
        ] {
            assert!(check(url).is_err(), "{url:?}");
        }
    }
}
