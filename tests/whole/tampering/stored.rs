//! Values in another form than the program stores them, unreadable values, and rows on which the program relies that
//! are gone: each is named, and the rest is verified all the same.

use super::register::{Prepared, tables};
use diesel::prelude::*;
use schema::Conn;
use std::collections::{BTreeMap, BTreeSet};
use tests::verification::{found, verify};
use tests::{Database, Json, in_parallel};

/// A change in addition to each of the others, which has to be found as well.
const BESIDE: &str = "UPDATE officers SET rank = 'x' WHERE code = 'CC01'";

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    values: i64,
}

/// The columns of each table, and how many values each of them has.
fn columns(database: &Database) -> BTreeMap<String, Vec<Column>> {
    let of_table = |table: String| {
        let columns = database
            .open()
            .read(|conn| {
                let Conn::Sqlite(c) = conn else { panic!("a SQLite database") };
                let names = format!("SELECT name, 0 AS \"values\" FROM pragma_table_info('{table}')");
                let names: Vec<Column> = diesel::sql_query(names).load(c)?;
                let count = |column: Column| {
                    let name = column.name;
                    let count = format!("SELECT '{name}' AS name, count(\"{name}\") AS \"values\" FROM {table}");
                    diesel::sql_query(count).get_result::<Column>(c)
                };
                Ok(names.into_iter().map(count).collect::<Result<Vec<_>, _>>()?)
            })
            .unwrap();
        (table, columns)
    };
    tables(database).into_iter().map(of_table).collect()
}

#[test]
fn a_value_that_sqlite_stores_in_another_form_is_named_whatever_the_table_and_column() {
    let prepared = Prepared::sqlite();
    let columns = columns(&prepared.database);
    let most = columns.values().map(Vec::len).max().unwrap();
    let forms = ["CAST({} AS BLOB)", "CAST({} AS TEXT)", "x'ff'"];
    let changes: Vec<(&str, usize)> = forms.iter().flat_map(|form| (0..most).map(move |at| (*form, at))).collect();
    let tried = in_parallel(2, &changes, |(form, at)| stored_in_another_form(&prepared, &columns, form, *at));
    let changed: usize = tried.iter().map(|(changed, _)| changed).sum();
    let missed: BTreeSet<String> = tried.into_iter().flat_map(|(_, missed)| missed).collect();
    assert!(missed.is_empty(), "{} of {changed}: {missed:#?}", missed.len());
    assert!(changed > 400, "only {changed} values were stored otherwise");
}

/// Stores a value of the column at a place of each table in another form. How many columns took it, and which of them a
/// verification does not name.
fn stored_in_another_form(
    prepared: &Prepared,
    columns: &BTreeMap<String, Vec<Column>>,
    form: &str,
    at: usize,
) -> (usize, Vec<String>) {
    let copy = prepared.database.copy();
    let mut expected = BTreeSet::new();
    for (table, columns) in columns {
        let Some(column) = columns.get(at).filter(|column| column.values > 0) else { continue };
        let name = &column.name;
        // When a migration ran tells nothing.
        if name == "run_on" {
            continue;
        }
        let value = form.replace("{}", &format!("\"{name}\""));
        // The number of a row itself takes no other form, and stays as it is.
        let _refused = copy.try_tamper(&format!(
            "PRAGMA ignore_check_constraints = ON; \
             UPDATE {table} SET \"{name}\" = {value} WHERE \"{name}\" = (SELECT \"{name}\" FROM {table} \
             WHERE \"{name}\" IS NOT NULL AND typeof({value}) <> typeof(\"{name}\") LIMIT 1)"
        ));
        expected.insert(format!("{table}.{name}"));
    }
    // A column takes some values back into its own form, as numbers from a text.
    let stands = stored_otherwise(&copy, &expected);
    if stands.is_empty() {
        return (0, Vec::new());
    }
    let (status, report) = verify(&copy, &prepared.key, &[]);
    assert_eq!((status, &report["verified"]), (1, &false.into()), "{form} {at}: {report}");
    let found: BTreeSet<String> = found(&report).into_iter().collect();
    let missed = stands.difference(&found).map(|column| format!("{form}: {column}"));
    (stands.len(), missed.collect())
}

/// The columns that hold values of several forms, or of none that the program writes.
fn stored_otherwise(database: &Database, columns: &BTreeSet<String>) -> BTreeSet<String> {
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    let forms = BTreeMap::from([("BLOB", "blob"), ("TEXT", "text"), ("DATE", "text"), ("DOUBLE", "real")]);
    let file = database.url.strip_prefix("sqlite:").unwrap();
    let mut conn = SqliteConnection::establish(file).unwrap();
    let mut is_otherwise = |column: &&String| {
        let (table, name) = column.split_once('.').unwrap();
        let declared =
            format!("SELECT type AS name, 0 AS \"values\" FROM pragma_table_info('{table}') WHERE name = '{name}'");
        let declared: Column = diesel::sql_query(declared).get_result(&mut conn).unwrap();
        let form = if declared.name.starts_with("VARCHAR") {
            "text"
        } else {
            forms.get(&*declared.name).unwrap_or(&"integer")
        };
        let count =
            format!("SELECT count(*) AS number FROM {table} WHERE typeof(\"{name}\") NOT IN ('null', '{form}')");
        diesel::sql_query(count).get_result::<Number>(&mut conn).unwrap().number > 0
    };
    columns.iter().filter(|column| is_otherwise(column)).cloned().collect()
}

#[test]
fn a_value_that_resembles_the_genuine_one_is_named_with_its_row() {
    let prepared = Prepared::sqlite();
    let unchecked = "PRAGMA ignore_check_constraints = ON";
    for (sql, column, row) in [
        ("UPDATE complaints SET confidential = 1.5 WHERE confidential", "complaints.confidential", "PA-"),
        ("UPDATE complaints SET confidential = 2 WHERE confidential", "complaints.confidential", "PA-"),
        (
            "UPDATE complaints SET blames_system = 0.25 WHERE cost_vnd = 1300000",
            "complaints.blames_system",
            "PA-20240105-",
        ),
        (
            "UPDATE complaints SET version = version + 4294967296 WHERE cost_vnd = 1300000",
            "complaints.version",
            "PA-20240105-",
        ),
        (
            "UPDATE complaints SET cost_vnd = CAST('1300000' AS BLOB) WHERE cost_vnd = 1300000",
            "complaints.cost_vnd",
            "PA-20240105-",
        ),
        (
            "UPDATE complaint_officers SET decided_on = '+' || decided_on WHERE decided_on IS NOT NULL",
            "complaint_officers.decided_on",
            "PA-",
        ),
        (
            "UPDATE complaint_officers SET decided_on = '2024-5-1' WHERE decided_on = '2024-05-01'",
            "complaint_officers.decided_on",
            "PA-",
        ),
        (
            "UPDATE complaint_officers SET officer_id = CAST(officer_id AS TEXT) WHERE finding = 'NOT_SUSTAINED'",
            "complaint_officers.officer_id",
            "PA-",
        ),
        ("UPDATE units SET code = CAST(code AS BLOB) WHERE code = '02CV'", "units.code", "02CV"),
        ("UPDATE principals SET name = CAST(name AS BLOB) WHERE name = 'member'", "principals.name", "member"),
        ("UPDATE jobs SET job = CAST(job AS BLOB) WHERE job = 'trends'", "jobs.job", "trends"),
    ] {
        let copy = prepared.database.copy();
        copy.tamper(&format!("{unchecked}; {sql}"));
        let (status, report) = verify(&copy, &prepared.key, &[]);
        assert_eq!((status, found(&report)), (1, vec![column.to_owned()]), "{sql}: {report}");
        let name = report["problems"][0]["row"].text();
        assert!(name.contains(row), "{sql}: {name}");
    }
}

#[test]
fn a_value_that_reads_as_none_is_named() {
    for prepared in Prepared::both() {
        let endless = if prepared.database.name == "sqlite" { "9e999" } else { "'Infinity'" };
        let none = if prepared.database.name == "sqlite" { "'null'" } else { "'NaN'" };
        for (sql, column) in [
            (
                format!("UPDATE complaints SET delay_hours = {endless} WHERE delay_hours IS NULL"),
                "complaints.delay_hours",
            ),
            (
                "UPDATE complaints SET source_codes = 'null' WHERE source_codes IS NULL".to_owned(),
                "complaints.source_codes",
            ),
            ("UPDATE job_runs SET inputs = 'null' WHERE inputs IS NULL".to_owned(), "job_runs.inputs"),
            ("UPDATE complaint_events SET before = 'null' WHERE before IS NULL".to_owned(), "complaint_events.before"),
            (format!("UPDATE complaints SET delay_hours = {none} WHERE delay_hours IS NULL"), "complaints.delay_hours"),
        ] {
            let copy = prepared.database.copy();
            copy.tamper(&sql);
            let (status, report) = verify(&copy, &prepared.key, &[]);
            assert_eq!((status, found(&report)), (1, vec![column.to_owned()]), "{}: {sql}", copy.name);
            assert!(report["problems"][0]["row"].as_str().is_some_and(|row| row.len() > 5), "{report}");
        }
    }
}

/// SQL that lifts the constraint of a column, so that a value that it forbids can be stored.
fn unchecked(database: &Database, table: &str, column: &str) -> String {
    match database.name {
        "sqlite" => "PRAGMA ignore_check_constraints = ON".to_owned(),
        _ => format!("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {table}_{column}_check"),
    }
}

#[test]
fn a_value_that_does_not_read_is_named_and_the_rest_is_verified() {
    for prepared in Prepared::both() {
        let is_sqlite = prepared.database.name == "sqlite";
        let json = if is_sqlite { "'{'" } else { "'{\"a\": 1e400}'" };
        let day = if is_sqlite { "'2024-13-45'" } else { "'infinity'" };
        let moment = if is_sqlite { "9223372036854775807" } else { "'infinity'" };
        let mut missed = Vec::new();
        let both = [
            ("complaints", "state", "'WEG'", "text = 'Không khai được'"),
            ("complaint_officers", "finding", "'WEG'", "finding = 'NOT_SUSTAINED'"),
            ("unit_responses", "action", "'WEG'", "text = 'Đã kiểm điểm'"),
            ("issue_categories", "kind", "'WEG'", "code = 'TD1'"),
            ("principals", "role", "'WEG'", "name = 'paper'"),
            ("flags", "tier", "'WEG'", "state = 'DISMISSED'"),
            ("audit_log", "action", "'WEG'", "number = 1"),
            ("audit_log", "role", "'WEG'", "number = 2"),
            ("reference_events", "kind", "'WEG'", "position = 1 AND ordinal = 0"),
            ("complaint_event_values", "side", "'WEG'", "value = 'Cán bộ đòi tiền'"),
            ("reference_event_values", "side", "'WEG'", "field = 'grounds'"),
            ("complaints", "decided_on", day, "text = 'Không khai được'"),
            ("measures", "ends_on", day, "ends_on IS NOT NULL"),
            ("postings", "valid_to", day, "valid_to IS NOT NULL"),
            ("complaints", "occurred_at", moment, "cost_vnd = 1300000"),
            ("api_tokens", "expires_at", moment, "expires_at IS NOT NULL"),
            ("audit_log", "objects", json, "number = 1"),
            ("complaint_events", "after", json, "complaint_id = (SELECT id FROM complaints WHERE cost_vnd = 1300000)"),
            ("reference_events", "after", json, "position = 1 AND ordinal = 0"),
            ("state_events", "column_hashes", json, "number = 1"),
            ("job_results", "document", json, "name = 'recurrence'"),
            ("digests", "document", json, "locale = 'vi'"),
            ("complaints", "source_codes", json, "text = 'Không khai được'"),
            ("register_info", "value", json, "key = 'x'"),
        ];
        let only_sqlite = [
            ("complaints", "text", "CAST(x'ff41' AS TEXT)", "text = 'Cán bộ đòi tiền'"),
            ("officers", "name", "CAST(x'ff41' AS TEXT)", "code = 'CC02'"),
            ("guidance_documents", "title", "CAST(x'ff41' AS TEXT)", "TRUE"),
            ("complaints", "unit_id", "x'00'", "text = 'Cán bộ đòi tiền'"),
            ("complaints", "id", "x'00'", "text = 'Cán bộ đòi tiền'"),
            ("seals", "chain", "'WEG'", "chain = 'AUDIT' AND number = 1"),
        ];
        for (table, column, value, row) in both.into_iter().chain(only_sqlite.into_iter().filter(|_| is_sqlite)) {
            let copy = prepared.database.copy();
            let filled = "INSERT INTO register_info (key, value) VALUES ('x', '{}')";
            let sql = format!(
                "{}; {filled}; {BESIDE}; UPDATE {table} SET {column} = {value} WHERE {row}",
                unchecked(&copy, table, column)
            );
            if let Err(error) = copy.try_tamper(&sql) {
                missed.push(format!("{}: {sql}: {error}", copy.name));
                continue;
            }
            let finished =
                crate::program().run(&copy, ["audit", "verify", "--key-file", &prepared.key, "--format", "json"]);
            let Ok(report) = serde_json::from_str(&finished.out) else {
                missed.push(format!("{}: {sql}: {finished:?}", copy.name));
                continue;
            };
            let found = found(&report);
            let is_named = match (table, column) {
                // A seal of an unknown chain.
                ("seals", _) => found.contains(&"seals +".to_owned()),
                _ => found.contains(&format!("{table}.{column}")),
            };
            if finished.status != 1 || !is_named || !found.contains(&"officers.rank".to_owned()) {
                missed.push(format!("{}: {sql}: {found:?}", copy.name));
            }
        }
        assert!(missed.is_empty(), "{}:\n{}", missed.len(), missed.join("\n"));
    }
}

#[test]
fn a_row_that_the_program_relies_on_and_a_table_are_missed() {
    for prepared in Prepared::both() {
        for (sql, expected) in [
            ("DELETE FROM register_position", "register_position -"),
            ("DELETE FROM audit_position", "audit_position -"),
            ("DELETE FROM state_position", "state_position -"),
            ("DELETE FROM __diesel_schema_migrations WHERE version = '20261126000012'", "__diesel_schema_migrations -"),
            ("DELETE FROM __diesel_schema_migrations", "__diesel_schema_migrations -"),
            (
                "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')",
                "__diesel_schema_migrations +",
            ),
            ("DROP TABLE __diesel_schema_migrations", "__diesel_schema_migrations.*"),
            ("ALTER TABLE proposal_units RENAME TO elsewhere", "proposals.*"),
            ("ALTER TABLE flag_reviews RENAME COLUMN actor TO who", "flag_reviews.*"),
        ] {
            let copy = prepared.database.copy();
            copy.tamper(&format!("{BESIDE}; {sql}"));
            let (status, report) = verify(&copy, &prepared.key, &[]);
            let found = found(&report);
            let both = [expected, "officers.rank"].iter().all(|one| found.iter().any(|found| found == one));
            assert!(status == 1 && report["verified"] == false && both, "{}: {sql}: {found:?}", copy.name);
            // What it reads is as it was: a verification puts nothing right.
            let (_, again) = verify(&copy, &prepared.key, &[]);
            assert_eq!(super::found(&again), found, "{sql}");
        }
    }
}
