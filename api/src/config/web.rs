//! The table `[web]` of the configuration: the web page and its sessions.

use anyhow::Context;
use jobs::charts::map::Places;
use schema::domain::toml_text;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;

/// The web page.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebSettings {
    /// Minutes without a request after which a session ends.
    pub idle_minutes: u32,
    /// Hours after which a session ends in any case.
    pub absolute_hours: u32,
    /// Whether readers who are signed in have GraphiQL. In development mode it is there for all.
    pub graphiql: bool,
    /// The address at which readers reach the page, `https://HOST`, where it cannot be seen from requests.
    pub address: Option<String>,
    /// Signing in with OpenID Connect; the issuer and the claims are those of `[api.jwt]`.
    pub oidc: Option<OidcSettings>,
    /// A file that says which shapes of the map units are drawn as; without one the units of the demonstration are.
    pub places_file: Option<PathBuf>,
    /// Its content.
    #[serde(skip)]
    pub places: Option<Arc<Places>>,
}

/// Signing in with OpenID Connect.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    pub client_id: String,
    /// A file with the secret of the client; a public client has none.
    pub client_secret_file: Option<PathBuf>,
    #[serde(default = "scopes")]
    pub scopes: String,
}

fn scopes() -> String {
    "openid".into()
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            idle_minutes: 30,
            absolute_hours: 12,
            graphiql: true,
            address: None,
            oidc: None,
            places_file: None,
            places: None,
        }
    }
}

/// Most hours of a session: two weeks.
const MOST_HOURS: u32 = 14 * 24;

impl WebSettings {
    /// Reads and checks the table.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn of(table: toml::Table) -> anyhow::Result<Self> {
        let mut read: Self =
            toml_text::of_table(table).map_err(|e| anyhow::anyhow!("the configuration, [web]: {e}"))?;
        for (name, value, most) in
            [("idle_minutes", read.idle_minutes, MOST_HOURS * 60), ("absolute_hours", read.absolute_hours, MOST_HOURS)]
        {
            anyhow::ensure!(
                (1..=most).contains(&value),
                "the configuration, web.{name}: {value} is not from 1 to {most}"
            );
        }
        if let Some(address) = &read.address {
            let is_origin = address.starts_with("https://") || address.starts_with("http://");
            anyhow::ensure!(
                is_origin && address.matches('/').count() == 2,
                "the configuration, web.address: {address:?} is not an address such as \"https://board.example\""
            );
        }
        anyhow::ensure!(
            read.oidc.is_none() || read.address.is_some(),
            "the configuration, [web.oidc]: it needs web.address, to which the issuer leads readers back"
        );
        let places = read.places_file.as_ref().map(|file| {
            let path = file.display().to_string();
            let text = std::fs::read_to_string(file).with_context(|| path.clone());
            let places = text.and_then(|text| Ok(Places::read(&path, &text)?));
            places.context("the configuration, web.places_file")
        });
        read.places = places.transpose()?.map(Arc::new);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let of = |text: &str| WebSettings::of(toml::from_str(text).unwrap());
        assert_eq!(of("").unwrap().idle_minutes, 30);
        assert!(of("").unwrap().graphiql && !of("graphiql = false").unwrap().graphiql);
        for (text, name) in [
            ("idle_minutes = 0", "web.idle_minutes"),
            ("absolute_hours = 337", "web.absolute_hours"),
            ("address = \"board.example\"", "web.address"),
            ("[oidc]\nclient_id = \"page\"", "web.address"),
            ("places_file = \"/nowhere/places.toml\"", "web.places_file"),
        ] {
            let message = of(text).expect_err(name).to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
