//! The table `[sql]` of the configuration: SQL over the PostgreSQL protocol.

use jobs::runner::settings::Settings;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;

/// Where and for how many clients the node speaks the PostgreSQL protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SqlSettings {
    /// The address; None for no such server.
    pub listen: Option<SocketAddr>,
    /// Concurrent connections of the node.
    pub connections: u32,
    /// Concurrent connections of a token. Tools open several; the questions of a token still run one at a time.
    pub connections_per_token: u32,
    /// Seconds after which a connection without questions is closed.
    pub idle_seconds: u32,
}

impl Default for SqlSettings {
    fn default() -> Self {
        Self { listen: None, connections: 500, connections_per_token: 20, idle_seconds: 3_600 }
    }
}

impl SqlSettings {
    /// Reads the `[sql]` table of a configuration.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn of(settings: &Settings) -> anyhow::Result<Self> {
        let table = settings.sql.clone().unwrap_or_default();
        let read: Self = table.try_into().map_err(|e| anyhow::anyhow!("the configuration, [sql]: {e}"))?;
        for (name, value) in [
            ("connections", read.connections),
            ("connections_per_token", read.connections_per_token),
            ("idle_seconds", read.idle_seconds),
        ] {
            anyhow::ensure!(value > 0, "the configuration, sql.{name}: must be 1 or more");
        }
        Ok(read)
    }

    pub fn idle(&self) -> Duration {
        Duration::from_secs(self.idle_seconds.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> anyhow::Result<SqlSettings> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("phananh.toml");
        std::fs::write(&path, text)?;
        SqlSettings::of(&Settings::load(&path, jobs::scheduled::REGISTRY)?)
    }

    #[test]
    fn the_protocol_is_off_unless_configured() {
        assert_eq!(settings("").expect("settings").listen, None);
        let listen = settings("[sql]\nlisten = \"127.0.0.1:5433\"\n").expect("settings").listen;
        assert_eq!(listen, Some(([127, 0, 0, 1], 5433).into()));
        for text in ["[sql]\nlisten = \"5433\"\n", "[sql]\nidle_seconds = 0\n", "[sql]\nport = 1\n"] {
            let message = settings(text).expect_err(text).to_string();
            assert!(message.contains("sql"), "{message}");
        }
    }
}
