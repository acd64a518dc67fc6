//! Limits of a request, by role, and the `[api]` table of the configuration. All limits are on by default; the
//! GraphQL field `serviceInfo` shows them.

use super::JwtSettings;
use super::intake::IntakeSettings;
use super::web::WebSettings;
use async_graphql::SimpleObject;
use jobs::runner::settings::Settings;
use schema::domain::toml_text;
use schema::enums::Role;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// The limits of one role. A request that exceeds a limit is refused before any part of it runs; a limit never
/// changes a number in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
#[serde(deny_unknown_fields, default)]
#[graphql(name = "ServiceLimits")]
pub struct Limits {
    /// Bytes of a request body.
    pub body_bytes: u32,
    /// Operations in a batch request (a JSON list).
    pub batch: u32,
    /// Lexical tokens of a document, including white space and comments.
    pub tokens: u32,
    /// Nesting depth of fields.
    pub depth: u32,
    /// Fields selected by all operations of a document; a fragment counts at each use.
    pub fields: u32,
    /// Field aliases.
    pub aliases: u32,
    /// Root fields of an operation.
    pub root_fields: u32,
    /// Directives of a document.
    pub directives: u32,
    /// Values in arguments and variables.
    pub argument_values: u32,
    /// Characters of a text argument.
    pub text_characters: u32,
    /// Characters of a text in a filter: a compared value, a pattern or search words.
    pub condition_characters: u32,
    /// Characters of all patterns and search words of an operation together: the database compares each with every
    /// text.
    pub pattern_characters: u32,
    /// Estimated rows of an answer: the requested page sizes, multiplied along the nesting. A statistic counts as 50
    /// rows, an introspection as one row for each 25 values.
    pub cost: u32,
    /// Bytes of an answer; the answers of a batch share them. While the answer is built, each value counts 16 bytes
    /// more.
    pub answer_bytes: u32,
    /// Rows of a page.
    pub page_size: u32,
    /// Groups of a statistic.
    pub groups: u32,
    /// Rows of an SQL answer.
    pub sql_rows: u32,
    /// Memory of an SQL query, in megabytes, beyond that of the tables.
    pub sql_memory_mb: u32,
    /// Complaints that a group needs to be shown to a DASHBOARD. Its counts are rounded to multiples of this number.
    pub smallest_group: u32,
    /// The same for DASHBOARD tokens whose data leaves the organisation (created with `--outside`).
    pub smallest_group_outside: u32,
    /// Enterprises that a group needs to be shown to a DASHBOARD. Counts of enterprises are rounded to multiples of
    /// it.
    pub smallest_group_enterprises: u32,
    /// Minutes for which a DASHBOARD reads one edition (a fixed snapshot) of the register, counted from midnight in
    /// Vietnam.
    pub edition_minutes: u32,
    /// Milliseconds until an operation is cancelled.
    pub deadline_ms: u32,
    /// Operations per minute and token, and the largest burst.
    pub requests_per_minute: u32,
    /// Concurrent subscriptions of a token on one node.
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
            argument_values: 5_000,
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
    /// The limits of a client without a token. The documents for holders of receipts are few and small.
    fn without_token() -> Self {
        Self {
            body_bytes: 64 * 1024,
            batch: 1,
            tokens: 500,
            depth: 5,
            fields: 60,
            aliases: 10,
            root_fields: 1,
            directives: 5,
            argument_values: 200,
            text_characters: 10_000,
            cost: 10,
            deadline_ms: 5_000,
            ..Self::default()
        }
    }

    pub fn deadline(&self) -> Duration {
        Duration::from_millis(u64::from(self.deadline_ms))
    }
}

/// The table `[api]` of the configuration.
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
    object_cache_mb: u32,
    answer_cache_mb: u32,
    statistics_cache_mb: u32,
    sql_engines: u32,
    limits: toml::Table,
    roles: BTreeMap<String, toml::Table>,
    tls: Option<TlsSettings>,
    jwt: Option<JwtSettings>,
    intake: IntakeSettings,
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
            object_cache_mb: 128,
            answer_cache_mb: 32,
            statistics_cache_mb: 32,
            sql_engines: 2,
            limits: toml::Table::new(),
            roles: BTreeMap::new(),
            tls: None,
            jwt: None,
            intake: IntakeSettings::default(),
        }
    }
}

/// The TLS certificate of the server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// The certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

/// The validated settings of the server.
#[derive(Debug, Clone)]
pub struct ApiSettings {
    /// Origins that may send cross-origin requests (CORS), `https://HOST`.
    pub cors_origins: Vec<String>,
    /// Roles that may run only operations on the allow-list of their token's name.
    pub trusted_operations: Vec<Role>,
    pub tls: Option<TlsSettings>,
    pub jwt: Option<JwtSettings>,
    /// Milliseconds from which the log reports an operation as slow.
    pub slow_ms: Option<u32>,
    /// Concurrent connections of a node; a full node closes one to admit the next.
    pub connections: u32,
    /// Incomplete requests of one address; beyond that, the server closes the oldest.
    pub incomplete_requests_per_address: u32,
    /// Seconds from the first byte of a request to its last.
    pub request_seconds: u32,
    /// A separate address that serves the metrics without a token.
    pub metrics_listen: Option<SocketAddr>,
    /// Memory for the JSON of objects in lists, in megabytes; 0 disables the cache.
    pub object_cache_mb: u32,
    /// Memory for whole answers, in megabytes; 0 disables the cache.
    pub answer_cache_mb: u32,
    /// Memory for what is computed from the snapshot, in megabytes; 0 disables the cache.
    pub statistics_cache_mb: u32,
    /// SQL queries that run at once, one for each token, and the engine processes that each role keeps.
    pub sql_engines: u32,
    /// Receipts of complaints, and probable duplicates.
    pub intake: IntakeSettings,
    /// The web page.
    pub web: WebSettings,
    without_token: Arc<Limits>,
    limits: Arc<Limits>,
    roles: BTreeMap<Role, Arc<Limits>>,
}

impl ApiSettings {
    /// Reads the `[api]` table of a configuration.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn of(settings: &Settings) -> anyhow::Result<Self> {
        let table = settings.api.clone().unwrap_or_default();
        let read: ApiTable =
            toml_text::of_table(table).map_err(|e| anyhow::anyhow!("the configuration, [api]: {e}"))?;
        for (name, value) in [
            ("connections", read.connections),
            ("incomplete_requests_per_address", read.incomplete_requests_per_address),
            ("request_seconds", read.request_seconds),
            ("sql_engines", read.sql_engines),
        ] {
            anyhow::ensure!(value > 0, "the configuration, api.{name}: must be 1 or more");
        }
        read.intake.check()?;
        let web = WebSettings::of(settings.web.clone().unwrap_or_default())?;
        anyhow::ensure!(
            web.oidc.is_none() || read.jwt.is_some(),
            "the configuration, [web.oidc]: it needs [api.jwt], which names the issuer and what its claims mean"
        );
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
                "the configuration, api.cors_origins: {origin:?} is not an origin such as \"https://dashboard.example\""
            );
        }
        Ok(Self {
            cors_origins: read.cors_origins,
            trusted_operations: read.trusted_operations,
            tls: read.tls,
            jwt: read.jwt,
            slow_ms: read.slow_ms,
            metrics_listen: read.metrics_listen,
            object_cache_mb: read.object_cache_mb,
            answer_cache_mb: read.answer_cache_mb,
            statistics_cache_mb: read.statistics_cache_mb,
            sql_engines: read.sql_engines,
            connections: read.connections,
            incomplete_requests_per_address: read.incomplete_requests_per_address,
            request_seconds: read.request_seconds,
            intake: read.intake,
            web,
            without_token: Arc::new(Limits::without_token()),
            limits: Arc::new(limits),
            roles,
        })
    }

    /// The limits of a client without a token.
    pub fn limits_without_token(&self) -> &Arc<Limits> {
        &self.without_token
    }

    /// The limits of a role; None for an introspection without a token.
    pub fn limits(&self, role: Option<Role>) -> &Arc<Limits> {
        role.and_then(|role| self.roles.get(&role)).unwrap_or(&self.limits)
    }

    /// The largest `body_bytes` of all roles.
    pub fn largest_body(&self) -> u32 {
        self.roles.values().map(|limits| limits.body_bytes).fold(self.limits.body_bytes, u32::max)
    }

    /// Operations that take this long are slow.
    pub fn slow(&self) -> Duration {
        Duration::from_millis(u64::from(self.slow_ms.unwrap_or(1_000)))
    }

    /// The longest deadline of all roles.
    pub fn longest_deadline(&self) -> Duration {
        self.roles.values().map(|limits| limits.deadline()).fold(self.limits.deadline(), Duration::max)
    }
}

fn limits(table: toml::Table, place: &str) -> anyhow::Result<Limits> {
    let limits: Limits =
        toml_text::of_table(table).map_err(|e| anyhow::anyhow!("the configuration, [{place}]: {e}"))?;
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
        "the configuration, {place}: smallest_group and smallest_group_enterprises must be 2 or more"
    );
    for (name, value) in least {
        anyhow::ensure!(value > 0, "the configuration, {place}.{name}: must be 1 or more");
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
            ("[api.intake]\nreopen_days = 4000\n", "api.intake.reopen_days"),
            ("[api.intake]\nreopen = 4\n", "[api]"),
            ("[api]\nmetrics_listen = \"9100\"\n", "[api]"),
            ("[api]\ntrusted_operations = [\"DASH\"]\n", "DASH"),
        ] {
            let message = settings(text).expect_err(text).to_string();
            assert!(message.contains(place), "{message}");
        }
    }
}
