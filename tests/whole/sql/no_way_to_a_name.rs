//! Analysts of any role find no name in any column, and no pseudonym that stands for the same one elsewhere.

use super::{fill_with_all_tables, rows, served};
use diesel::prelude::*;
use jobs::tables::{ColumnType, TABLES, Table};
use schema::Id;
use schema::tables::{complaint_sources, complaints, enterprises, officers, principals, unit_responses};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use tests::fixtures::Files;
use tests::{Client, Database, Json, Role, TestApp, project, python};

/// The length from which an identity is looked for within texts, and not only as a whole text.
const LONG: usize = 8;

/// Everything in the register that tells who somebody is, or which row of the register a row is.
struct Identities {
    /// Also those that another register has: a BOARD reads them in `sources`.
    all: BTreeSet<String>,
    of_sources: BTreeSet<String>,
}

impl Identities {
    fn of(database: &Database) -> Self {
        database
            .open()
            .read(|conn| {
                let mut all = BTreeSet::new();
                let people: Vec<(Id, String, Option<String>)> =
                    officers::table.select((officers::id, officers::code, officers::name)).load(conn)?;
                let firms: Vec<(Id, String, Option<String>)> = enterprises::table
                    .select((enterprises::id, enterprises::tax_code, enterprises::name))
                    .load(conn)?;
                for (id, code, name) in people.into_iter().chain(firms) {
                    all.extend([id.to_string(), code].into_iter().chain(name));
                }
                let cases: Vec<(Id, Option<String>, Option<String>)> = complaints::table
                    .select((complaints::id, complaints::declaration_number, complaints::text))
                    .load(conn)?;
                for (id, declaration, text) in cases {
                    all.extend([Some(id.to_string()), declaration, text].into_iter().flatten());
                }
                all.extend(unit_responses::table.select(unit_responses::text).load::<String>(conn)?);
                all.extend(principals::table.select(principals::name).load::<String>(conn)?);
                let sources: Vec<(String, String)> = complaint_sources::table
                    .select((complaint_sources::source, complaint_sources::reference))
                    .load(conn)?;
                let of_sources: BTreeSet<String> = sources.into_iter().flat_map(|(a, b)| [a, b]).collect();
                all.extend(of_sources.iter().cloned());
                all.retain(|identity| !identity.trim().is_empty());
                Ok(Self { all, of_sources })
            })
            .unwrap()
    }
}

fn tables(board: bool) -> impl Iterator<Item = &'static Table> {
    TABLES.iter().copied().filter(move |table| board || !table.board_only)
}

/// The texts in a cell.
fn texts(cell: &Value, to: &mut BTreeSet<String>) {
    match cell {
        Value::String(text) => {
            to.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, to)),
        _ => {}
    }
}

/// What a client can read in a column.
struct Read {
    table: &'static str,
    column: &'static str,
    cells: BTreeSet<String>,
    /// The cells of a column of texts, without pseudonyms, one a line.
    joined: String,
}

/// The texts of each column of each table that a client can read.
fn columns(client: &Client<'_>, board: bool) -> Vec<Read> {
    let mut found = Vec::new();
    for table in tables(board) {
        for column in table.columns {
            let sql = format!("SELECT DISTINCT \"{}\" FROM {}", column.name, table.name);
            let mut cells = BTreeSet::new();
            rows(client, &sql).iter().for_each(|row| texts(row, &mut cells));
            let is_text = matches!(column.of, ColumnType::Text | ColumnType::Texts);
            let shown = cells.iter().filter(|cell| is_text && !is_pseudonym(cell));
            let joined = shown.map(String::as_str).collect::<Vec<_>>().join("\n");
            found.push(Read { table: table.name, column: column.name, cells, joined });
        }
    }
    found
}

fn is_pseudonym(cell: &str) -> bool {
    cell.starts_with("k1-")
}

#[track_caller]
fn assert_no_identity(role: Role, columns: &[Read], identities: &Identities) {
    for Read { table, column, cells, joined } in columns {
        // A BOARD may read what other registers say, and what units wrote about the outcome.
        if role == Role::Board && *column == "outcome" {
            continue;
        }
        for identity in &identities.all {
            if *table == "sources" && identities.of_sources.contains(identity) {
                continue;
            }
            let is_told =
                cells.contains(identity) || identity.chars().count() >= LONG && joined.contains(identity.as_str());
            assert!(!is_told, "{role}: {table}.{column} tells {identity:?}");
        }
    }
}

/// The pseudonyms among texts.
fn pseudonyms(cells: impl Iterator<Item = String>) -> BTreeSet<String> {
    cells.filter(|cell| is_pseudonym(cell)).collect()
}

#[test]
fn no_column_tells_an_identity_and_no_pseudonym_links_two_readers() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = served(app.filled(fill_with_all_tables), &files, "");
        let identities = Identities::of(&app.database);
        assert!(identities.all.len() > 1_000, "{}", identities.all.len());
        let mut of_readers = Vec::new();
        for role in [Role::DataTeam, Role::Board] {
            let columns = columns(&app.as_role(role), role == Role::Board);
            assert_no_identity(role, &columns, &identities);
            of_readers.push(pseudonyms(columns.into_iter().flat_map(|read| read.cells)));
        }
        // The order of rows tells no order of codes.
        let listed = rows(&app.as_role(Role::DataTeam), "SELECT officer FROM job_results WHERE officer IS NOT NULL");
        let mut officers: Vec<&str> = listed.iter().map(|row| row[0].text()).collect();
        officers.dedup();
        assert!(officers.len() > 2 && officers.is_sorted(), "{officers:?}");
        let lake = files.path().join("lake").display().to_string();
        let key = files.key();
        app.run(&["lake", "sync", &lake, "--key-file", &key]);
        let mut command = Command::new(python(&["duckdb"], &[], &["duckdb"]));
        let dumped = command.arg(project().join("tests/clients/lake.py")).args([&lake, "dump"]).output().unwrap();
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        let cells = String::from_utf8(dumped.stdout).unwrap();
        of_readers.push(pseudonyms(cells.lines().map(str::to_owned)));
        for (nth, one) in of_readers.iter().enumerate() {
            assert!(one.len() > 1_000, "{} pseudonyms of reader {nth}", one.len());
            for other in &of_readers[nth + 1..] {
                let shared: Vec<&String> = one.intersection(other).take(3).collect();
                assert!(shared.is_empty(), "two readers share {shared:?}");
            }
        }
    }
}

#[test]
fn a_member_who_is_an_officer_finds_nothing_about_the_own_person() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = served(app.world_with_flags("2024-03-31"), &files, "");
        let (board, member) = (app.as_role(Role::Board), app.as_member("M1", "CC01"));
        // CC01 is in three of six complaints.
        for (sql, of_board, of_member) in [
            ("SELECT COUNT(*) FROM complaints", 6, 3),
            ("SELECT COUNT(DISTINCT complaint) FROM allegations", 5, 2),
            ("SELECT COUNT(*) FROM sources", 6, 3),
            ("SELECT COUNT(*) FROM responses r JOIN complaints c USING (complaint)", 3, 1),
        ] {
            let count = |client: &Client<'_>| rows(client, sql)[0][0].integer();
            assert_eq!((count(&board), count(&member)), (of_board, of_member), "{sql}");
        }
        // Tables join to no row that another table leaves out.
        for table in ["allegations", "responses", "flag_evidence", "sources"] {
            let sql = format!("SELECT COUNT(*) FROM {table} WHERE complaint NOT IN (SELECT complaint FROM complaints)");
            assert_eq!(rows(&member, &sql)[0][0].integer(), 0, "{table}");
        }
        // As over GraphQL, this member reads less than the rest of the Board.
        for table in ["flags", "enterprises"] {
            let [of_board, of_member] = [&board, &member].map(|client| {
                let by_graphql = client.data(&format!("{{ {table} {{ totalCount }} }}"))[table]["totalCount"].integer();
                let by_sql = rows(client, &format!("SELECT COUNT(*) FROM {table}"))[0][0].integer();
                assert_eq!(by_sql, by_graphql, "{table}");
                by_sql
            });
            assert!(of_board > of_member, "{table}: {of_board} and {of_member}");
        }
        for table in ["flag_numbers", "job_results"] {
            let count = |client: &Client<'_>| rows(client, &format!("SELECT COUNT(*) FROM {table}"))[0][0].integer();
            assert!(count(&board) > 0 && count(&member) == 0, "{table} counts complaints that name the member");
        }
    }
}
