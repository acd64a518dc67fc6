//! The settings of PostgreSQL that tools ask for in SQL.

use api::sql::POSTGRES_VERSION;

/// The settings that tools ask for in SQL.
pub fn settings() -> [(&'static str, String); 9] {
    let (major, minor) = POSTGRES_VERSION.split_once('.').unwrap_or((POSTGRES_VERSION, "0"));
    [
        ("server_version", POSTGRES_VERSION.to_owned()),
        ("server_version_num", format!("{major}{minor:0>4}")),
        ("search_path", "public".to_owned()),
        ("server_encoding", "UTF8".to_owned()),
        ("client_encoding", "UTF8".to_owned()),
        ("timezone", "UTC".to_owned()),
        ("max_index_keys", "32".to_owned()),
        ("standard_conforming_strings", "on".to_owned()),
        ("default_table_access_method", "heap".to_owned()),
    ]
}
