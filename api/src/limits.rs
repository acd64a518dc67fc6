//! What a request may ask of the server: all limits are on by default, and `serviceInfo` says them.

use crate::jwt::JwtSettings;
use async_graphql::SimpleObject;
use jobs::runner::settings::Settings;
use schema::enums::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// The limits of one role. A request that goes beyond one is refused before anything of it runs; none of
/// them ever changes a number in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
#[serde(deny_unknown_fields, default)]
#[graphql(name = "ServiceLimits")]
pub struct Limits {
    /// Bytes of the body of a request.
    pub body_bytes: u32,
    /// Operations in one request that is a list.
    pub batch: u32,
    /// Words and signs of a document (tokens of the GraphQL language).
    pub tokens: u32,
    /// How deep fields may be nested.
    pub depth: u32,
    /// Fields that all operations of a document select, those of fragments counted at each of their uses.
    pub fields: u32,
    /// Fields that are renamed.
    pub aliases: u32,
    /// Fields of the operation itself.
    pub root_fields: u32,
    /// Directives in the document.
    pub directives: u32,
    /// Values in arguments and variables.
    pub argument_values: u32,
    /// Characters of a text argument.
    pub text_characters: u32,
    /// Characters of a text in a filter: a value that is compared, a pattern, words that are searched.
    pub condition_characters: u32,
    /// Characters of all patterns and searched words of an operation together: a database compares each with every text.
    pub pattern_characters: u32,
    /// Rows that an answer may come to: the page sizes asked for, multiplied along the nesting; a statistic
    /// counts as 50, an introspection as one for 25 values.
    pub cost: u32,
    /// Bytes of an answer, of all answers where a request is a list of operations. While it is made each value counts 16 more.
    pub answer_bytes: u32,
    /// Rows of one page.
    pub page_size: u32,
    /// Groups of one statistic.
    pub groups: u32,
    /// Rows of an answer to SQL.
    pub sql_rows: u32,
    /// Megabytes that a question in SQL may take.
    pub sql_memory_mb: u32,
    /// Complaints from which a group is shown to who sees only groups (DASHBOARD). Counts are rounded to multiples of it.
    pub smallest_group: u32,
    /// The same for what leaves the house (tokens made with `--outside`).
    pub smallest_group_outside: u32,
    /// Enterprises from which it is. Counts of enterprises are rounded to multiples of it.
    pub smallest_group_enterprises: u32,
    /// Minutes for which who sees only groups is shown one state of the register, counted from midnight in Vietnam.
    pub edition_minutes: u32,
    /// Milliseconds after which an operation is broken off.
    pub deadline_ms: u32,
    /// Operations in a minute, for each token; unused ones add up to no more than so many.
    pub requests_per_minute: u32,
    /// Subscriptions that a token may hold at once on one node.
    pub subscriptions: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 256 * 1024,
            batch: 10,
            tokens: 5_000,
            depth: 15,
            fields: 2_000,
            aliases: 50,
            root_fields: 20,
            directives: 50,
            argument_values: 2_000,
            text_characters: 50_000,
            condition_characters: 1_000,
            pattern_characters: 1_000,
            cost: 10_000,
            answer_bytes: 16 * 1024 * 1024,
            page_size: 200,
            groups: 10_000,
            sql_rows: 10_000,
            sql_memory_mb: 4_096,
            smallest_group: 5,
            smallest_group_outside: 10,
            smallest_group_enterprises: 3,
            edition_minutes: 24 * 60,
            deadline_ms: 10_000,
            requests_per_minute: 6_000,
            subscriptions: 20,
        }
    }
}

impl Limits {
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.deadline_ms))
    }
}

/// What the configuration says of the server: the table `[api]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ApiTable {
    cors_origins: Vec<String>,
    trusted_operations: Vec<Role>,
    slow_ms: Option<u32>,
    connections: u32,
    incomplete_requests_per_address: u32,
    request_seconds: u32,
    metrics_listen: Option<SocketAddr>,
    limits: toml::Table,
    roles: BTreeMap<String, toml::Table>,
    tls: Option<TlsSettings>,
    jwt: Option<JwtSettings>,
}

impl Default for ApiTable {
    fn default() -> Self {
        Self {
            cors_origins: Vec::new(),
            trusted_operations: Vec::new(),
            slow_ms: None,
            connections: 10_000,
            incomplete_requests_per_address: 100,
            request_seconds: 20,
            metrics_listen: None,
            limits: toml::Table::new(),
            roles: BTreeMap::new(),
            tls: None,
            jwt: None,
        }
    }
}

/// The certificate of the server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate and those that vouch for it, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// The settings of the server, checked.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// Web sites whose pages may ask: their origins, `https://HOST`.
    pub cors_origins: Vec<String>,
    /// Roles that run only operations from the allow-list of their name.
    pub trusted_operations: Vec<Role>,
    pub tls: Option<TlsSettings>,
    pub jwt: Option<JwtSettings>,
    /// Milliseconds from which an operation is written to the log.
    pub slow_ms: Option<u32>,
    /// Connections that a node serves at once; a full node closes another one for a newcomer.
    pub connections: u32,
    /// Requests of one address that have begun to arrive and are not there; beyond that the oldest is closed.
    pub incomplete_requests_per_address: u32,
    /// Seconds that a request may take to arrive.
    pub request_seconds: u32,
    /// An address of its own for the metrics, where they are told without a token.
    pub metrics_listen: Option<SocketAddr>,
    limits: Arc<Limits>,
    roles: BTreeMap<Role, Arc<Limits>>,
}

impl ApiSettings {
    /// Takes the server's part of a configuration.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn of(settings: &Settings) -> anyhow::Result<Self> {
        let table = settings.api.clone().unwrap_or_default();
        let read: ApiTable = table.try_into().map_err(|e| anyhow::anyhow!("the configuration, [api]: {e}"))?;
        for (name, value) in [
            ("connections", read.connections),
            ("incomplete_requests_per_address", read.incomplete_requests_per_address),
            ("request_seconds", read.request_seconds),
        ] {
            anyhow::ensure!(value > 0, "the configuration, api.{name}: with 0 nothing could be asked");
        }
        let limits = limits(read.limits.clone(), "api.limits")?;
        let mut roles = BTreeMap::new();
        for (name, own) in read.roles {
            let role =
                Role::from_str(&name).map_err(|e| anyhow::anyhow!("the configuration, [api.roles.{name}]: {e}"))?;
            let mut all = read.limits.clone();
            all.extend(own);
            roles.insert(role, Arc::new(self::limits(all, &format!("api.roles.{name}"))?));
        }
        for origin in &read.cors_origins {
            let bare = origin.starts_with("https://") || origin.starts_with("http://");
            anyhow::ensure!(
                bare && origin.matches('/').count() == 2,
                "the configuration, api.cors_origins: {origin:?} is no origin, such as \"https://dashboard.example\""
            );
        }
        Ok(Self {
            cors_origins: read.cors_origins,
            trusted_operations: read.trusted_operations,
            tls: read.tls,
            jwt: read.jwt,
            slow_ms: read.slow_ms,
            metrics_listen: read.metrics_listen,
            connections: read.connections,
            incomplete_requests_per_address: read.incomplete_requests_per_address,
            request_seconds: read.request_seconds,
            limits: Arc::new(limits),
            roles,
        })
    }

    /// The limits of a role; of whoever has none, for None.
    pub fn limits(&self, role: Option<Role>) -> &Arc<Limits> {
        role.and_then(|role| self.roles.get(&role)).unwrap_or(&self.limits)
    }

    /// The most that any of the roles may send.
    pub fn largest_body(&self) -> u32 {
        self.roles.values().map(|limits| limits.body_bytes).fold(self.limits.body_bytes, u32::max)
    }

    /// From when an operation is slow.
    pub fn slow(&self) -> Duration {
        Duration::from_millis(u64::from(self.slow_ms.unwrap_or(1_000)))
    }

    /// The longest that any of the roles may wait.
    pub fn longest_deadline(&self) -> Duration {
        self.roles.values().map(|limits| limits.deadline()).fold(self.limits.deadline(), Duration::max)
    }
}

fn limits(table: toml::Table, place: &str) -> anyhow::Result<Limits> {
    let limits: Limits = table.try_into().map_err(|e| anyhow::anyhow!("the configuration, [{place}]: {e}"))?;
    let least = [
        ("batch", limits.batch),
        ("tokens", limits.tokens),
        ("depth", limits.depth),
        ("root_fields", limits.root_fields),
        ("page_size", limits.page_size),
        ("answer_bytes", limits.answer_bytes),
        ("deadline_ms", limits.deadline_ms),
        ("edition_minutes", limits.edition_minutes),
        ("requests_per_minute", limits.requests_per_minute),
    ];
    anyhow::ensure!(
        limits.smallest_group >= 2 && limits.smallest_group_enterprises >= 2,
        "the configuration, {place}: a group of one is somebody; smallest_group and smallest_group_enterprises are 2 or more"
    );
    for (name, value) in least {
        anyhow::ensure!(value > 0, "the configuration, {place}.{name}: with 0 nothing could be asked");
    }
    Ok(limits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> anyhow::Result<ApiSettings> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("phananh.toml");
        std::fs::write(&path, text)?;
        ApiSettings::of(&Settings::load(&path, jobs::scheduled::REGISTRY)?)
    }

    #[test]
    fn a_role_has_the_common_limits_but_for_its_own() {
        let text = "[api.limits]\ndepth = 7\npage_size = 50\n[api.roles.DASHBOARD]\npage_size = 10\n";
        let settings = settings(text).expect("settings");
        let dashboard = settings.limits(Some(Role::Dashboard));
        assert_eq!((dashboard.depth, dashboard.page_size, dashboard.batch), (7, 10, 10));
        assert_eq!(settings.limits(Some(Role::Board)).page_size, 50);
    }

    #[test]
    fn mistakes_say_where() {
        for (text, place) in [
            ("[api.limits]\ndeph = 7\n", "api.limits"),
            ("[api.limits]\ndepth = 0\n", "api.limits.depth"),
            ("[api.roles.BORD]\ndepth = 1\n", "api.roles.BORD"),
            ("[api]\ncors_origins = [\"example.com\"]\n", "example.com"),
            ("[api]\nmetrics_listen = \"9100\"\n", "[api]"),
            ("[api]\ntrusted_operations = [\"DASH\"]\n", "DASH"),
        ] {
            let message = settings(text).expect_err(text).to_string();
            assert!(message.contains(place), "{message}");
        }
    }
}
