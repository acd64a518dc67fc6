//! The table `[sql]` of the configuration: SQL over the PostgreSQL protocol, and engines that start with the server.

use crate::sql::SqlAsker;
use jobs::runner::settings::Settings;
use schema::domain::toml_text;
use schema::enums::Role;
use serde::Deserialize;
use std::net::SocketAddr;
use std::time::Duration;

/// Settings of the PostgreSQL protocol: its address, the number of its clients, and whose engines it starts.
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
    /// Roles whose engine process starts with the server.
    pub preload: Vec<Role>,
}

impl Default for SqlSettings {
    fn default() -> Self {
        Self { listen: None, connections: 500, connections_per_token: 20, idle_seconds: 3_600, preload: Vec::new() }
    }
}

impl SqlSettings {
    /// Reads the `[sql]` table of a configuration.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn of(settings: &Settings) -> anyhow::Result<Self> {
        let table = settings.sql.clone().unwrap_or_default();
        let read: Self = toml_text::of_table(table).map_err(|e| anyhow::anyhow!("the configuration, [sql]: {e}"))?;
        for (name, value) in [
            ("connections", read.connections),
            ("connections_per_token", read.connections_per_token),
            ("idle_seconds", read.idle_seconds),
        ] {
            anyhow::ensure!(value > 0, "the configuration, sql.{name}: must be 1 or more");
        }
        for (index, role) in read.preload.iter().enumerate() {
            anyhow::ensure!(
                SqlAsker::may_be(*role),
                "the configuration, sql.preload: the role {role} may not ask SQL: name BOARD, DATA_TEAM or both"
            );
            anyhow::ensure!(
                !read.preload.iter().take(index).any(|before| before == role),
                "the configuration, sql.preload: it names {role} twice"
            );
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

    #[test]
    fn engines_start_with_the_server_for_roles_that_may_ask() {
        assert!(settings("").expect("settings").preload.is_empty());
        let both = settings("[sql]\npreload = [\"DATA_TEAM\", \"BOARD\"]\n").expect("settings");
        assert_eq!(both.preload, [Role::DataTeam, Role::Board]);
        for (roles, word) in [
            ("[\"TEAM\"]", "TEAM"),
            ("[\"INTAKE\"]", "INTAKE may not ask SQL"),
            ("[\"BOARD\", \"BOARD\"]", "BOARD twice"),
            ("\"BOARD\"", "BOARD"),
        ] {
            let message = settings(&format!("[sql]\npreload = {roles}\n")).expect_err(roles).to_string();
            assert!(message.contains("preload") && message.contains(word), "{message}");
        }
    }
}
