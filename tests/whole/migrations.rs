//! The migrations of both databases make the same tables, and reverting them drops the tables again.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use schema::{Conn, Db};
use std::collections::{BTreeMap, BTreeSet};
use tests::Database;

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    required: bool,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
}

/// What a table is: its columns with type and nullability, its keys, its foreign keys.
#[derive(Debug, PartialEq, Eq)]
struct Table {
    columns: BTreeMap<String, (String, bool)>,
    primary_key: Vec<String>,
    unique: BTreeSet<String>,
    foreign: BTreeSet<String>,
}

#[test]
fn both_databases_have_the_same_tables_columns_nullability_and_keys() {
    let [sqlite, postgres] = Database::both();
    let (sqlite, postgres) = (tables(&sqlite.open()), tables(&postgres.open()));
    assert!(sqlite.len() > 15, "{:?}", sqlite.keys());
    assert_eq!(sqlite.keys().collect::<Vec<_>>(), postgres.keys().collect::<Vec<_>>());
    for (name, table) in &sqlite {
        assert_eq!(table, &postgres[name], "table {name}");
    }
}

#[test]
fn migrations_go_up_and_down_and_up_again() {
    for database in Database::both() {
        let db = database.open();
        let before = tables(&db);
        db.read(Conn::revert_all_migrations).unwrap();
        assert!(tables(&db).is_empty(), "{}", database.name);
        assert!(!db.migrate().unwrap().applied.is_empty());
        assert_eq!(tables(&db), before, "{}", database.name);
        assert!(db.migrate().unwrap().applied.is_empty(), "a second time there is nothing to do");
    }
}

fn tables(db: &Db) -> BTreeMap<String, Table> {
    db.read(|conn| {
        Ok(match conn {
            Conn::Sqlite(c) => sqlite_tables(c),
            Conn::Pg(c) => postgres_tables(c),
        })
    })
    .unwrap()
}

/// The names of types that mean the same: see `schema::sql_types`.
fn canonical(kind: &str) -> &'static str {
    match kind.to_lowercase().as_str() {
        "uuid" | "blob" | "bytea" => "bytes",
        "timestamp with time zone" | "integer" | "bigint" => "number",
        "jsonb" | "text" => "text",
        "boolean" => "boolean",
        "date" => "date",
        "double precision" | "double" => "double",
        other => panic!("a type that no rule knows: {other}"),
    }
}

/// The tables of SQLite, without its index of searches: PostgreSQL keeps its own in other ways.
fn sqlite_tables(c: &mut SqliteConnection) -> BTreeMap<String, Table> {
    let names: Vec<Name> = diesel::sql_query(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' \
         AND name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' AND name NOT LIKE 'search\\_%' ESCAPE '\\'",
    )
    .load(c)
    .unwrap();
    let mut tables = BTreeMap::new();
    for Name { name } in names {
        let columns: Vec<Column> = diesel::sql_query(format!(
            "SELECT name, type AS kind, \"notnull\" AS required, CASE WHEN pk > 0 THEN printf('%03d', pk) END AS key \
             FROM pragma_table_info('{name}')"
        ))
        .load(c)
        .unwrap();
        let unique: Vec<Name> = diesel::sql_query(format!(
            "SELECT (SELECT group_concat(name, ',') FROM pragma_index_info(l.name)) AS name \
             FROM pragma_index_list('{name}') AS l WHERE l.origin = 'u'"
        ))
        .load(c)
        .unwrap();
        let foreign: Vec<Name> = diesel::sql_query(format!(
            "SELECT group_concat(\"from\", ',') || ' -> ' || \"table\" AS name FROM pragma_foreign_key_list('{name}') \
             GROUP BY id, \"table\""
        ))
        .load(c)
        .unwrap();
        tables.insert(name, table(columns, unique, foreign));
    }
    tables
}

fn postgres_tables(c: &mut PgConnection) -> BTreeMap<String, Table> {
    let names: Vec<Name> = diesel::sql_query(
        "SELECT table_name::text AS name FROM information_schema.tables WHERE table_schema = 'public' \
         AND table_type = 'BASE TABLE' AND table_name NOT LIKE '\\_\\_diesel%'",
    )
    .load(c)
    .unwrap();
    let mut tables = BTreeMap::new();
    for Name { name } in names {
        let columns: Vec<Column> = diesel::sql_query(format!(
            "SELECT a.attname::text AS name, \
             CASE WHEN t.typname = 'timestamptz' THEN 'timestamp with time zone' \
              ELSE format_type(a.atttypid, NULL) END AS kind, \
             a.attnotnull AS required, \
             (SELECT to_char(array_position(i.indkey::int[], a.attnum::int), 'FM000') FROM pg_index i \
              WHERE i.indrelid = a.attrelid AND i.indisprimary) AS key \
             FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = '{name}'::regclass AND a.attnum > 0 AND NOT a.attisdropped"
        ))
        .load(c)
        .unwrap();
        let keys = |kind: &str, target: &str| {
            format!(
                "SELECT (SELECT string_agg(a.attname, ',' ORDER BY array_position(k.conkey, a.attnum)) \
                 FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)) {target} AS name \
                 FROM pg_constraint k WHERE k.conrelid = '{name}'::regclass AND k.contype = '{kind}'"
            )
        };
        let unique: Vec<Name> = diesel::sql_query(keys("u", "")).load(c).unwrap();
        let foreign: Vec<Name> =
            diesel::sql_query(keys("f", "|| ' -> ' || k.confrelid::regclass::text")).load(c).unwrap();
        tables.insert(name, table(columns, unique, foreign));
    }
    tables
}

fn table(columns: Vec<Column>, unique: Vec<Name>, foreign: Vec<Name>) -> Table {
    let mut primary_key: Vec<_> =
        columns.iter().filter_map(|column| Some((column.key.clone()?, column.name.clone()))).collect();
    primary_key.sort();
    Table {
        primary_key: primary_key.into_iter().map(|(_, name)| name).collect(),
        columns: columns.into_iter().map(|c| (c.name, (canonical(&c.kind).to_owned(), c.required))).collect(),
        unique: unique.into_iter().map(|name| name.name).collect(),
        foreign: foreign.into_iter().map(|name| name.name).collect(),
    }
}
