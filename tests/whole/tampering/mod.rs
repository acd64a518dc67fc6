//! Changes made behind the program's back: each is named with table, row and column, and what the program itself writes
//! is never taken for one.

mod changes;
mod gaps;
mod outside;
mod register;
mod running;
mod seals;
mod stored;

use changes::{Change, changes};
use register::{KEY, Prepared};
use std::collections::BTreeSet;
use tests::verification::{found, verify};
use tests::{Database, Json, in_parallel};

#[test]
fn every_change_of_complaints_is_named_with_table_and_column() {
    assert_each_is_named(changes::complaints::CHANGES);
}

#[test]
fn every_change_of_reference_data_is_named_with_table_and_column() {
    assert_each_is_named(changes::reference::CHANGES);
}

#[test]
fn every_change_of_results_is_named_with_table_and_column() {
    assert_each_is_named(changes::results::CHANGES);
}

#[test]
fn every_change_of_rights_and_chains_is_named_with_table_and_column() {
    assert_each_is_named(changes::access::CHANGES);
}

/// On SQLite each change is made in a copy of its own. On PostgreSQL, where a copy takes long, changes of different tables
/// share one.
#[track_caller]
fn assert_each_is_named(changes: &'static [Change]) {
    let mut missed = Vec::new();
    for prepared in Prepared::both() {
        let (status, report) = verify(&prepared.database, &prepared.key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{report}");
        let groups: Vec<Vec<&Change>> = match prepared.database.name {
            "sqlite" => changes.iter().map(|change| vec![change]).collect(),
            _ => of_different_tables(changes),
        };
        missed.extend(in_parallel(2, &groups, |group| missed_in(&prepared, group)).concat());
    }
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), 2 * changes.len(), missed.join("\n"));
}

/// What is not named of changes that are made together. Where something is amiss, each half of them is made anew: some
/// are in each other's way.
fn missed_in(prepared: &Prepared, changes: &[&Change]) -> Vec<String> {
    match made(prepared, changes) {
        Ok(()) => Vec::new(),
        Err(told) if changes.len() == 1 => vec![told],
        Err(_) => {
            let (some, others) = changes.split_at(changes.len() / 2);
            [missed_in(prepared, some), missed_in(prepared, others)].concat()
        }
    }
}

/// Makes changes in a copy of the register. A verification has to name all of them and nothing else.
fn made(prepared: &Prepared, changes: &[&Change]) -> Result<(), String> {
    let copy = prepared.database.copy();
    let random = if copy.name == "sqlite" { "randomblob(16)" } else { "gen_random_uuid()" };
    let later = if copy.name == "sqlite" { "+ 60000000" } else { "+ interval '1 minute'" };
    for Change { sql, .. } in changes {
        let changed = copy.try_tamper(&sql.replace("{random}", random).replace("{later}", later));
        changed.map_err(|error| format!("{}: {sql}: {error}", copy.name))?;
    }
    let (status, report) = verify(&copy, &prepared.key, &[]);
    let found = found(&report);
    let mut expected: Vec<&str> = changes.iter().flat_map(|change| change.expected).copied().collect();
    expected.sort_unstable();
    if status == 1 && report["verified"] == false && found == expected {
        return Ok(());
    }
    let statements: Vec<&str> = changes.iter().map(|change| change.sql).collect();
    Err(format!("{}: {}: {found:?} instead of {expected:?}", copy.name, statements.join("; ")))
}

/// Groups of changes, each of a table that no other of its group changes. One of several tables at once, or of a chain, is
/// alone.
fn of_different_tables(changes: &'static [Change]) -> Vec<Vec<&'static Change>> {
    let mut groups: Vec<(BTreeSet<&str>, Vec<&Change>)> = Vec::new();
    let mut alone = Vec::new();
    for change in changes {
        let tables: BTreeSet<&str> =
            change.expected.iter().filter_map(|named| named.split(['.', ' ']).next()).collect();
        let of_chain = |table: &&str| table.starts_with(char::is_uppercase);
        if change.sql.contains(';') || tables.len() > 1 || tables.iter().any(of_chain) {
            alone.push(vec![change]);
            continue;
        }
        match groups.iter_mut().find(|(others, _)| others.is_disjoint(&tables)) {
            Some((others, group)) => {
                others.extend(tables);
                group.push(change);
            }
            None => groups.push((tables, vec![change])),
        }
    }
    groups.into_iter().map(|(_, group)| group).chain(alone).collect()
}

#[test]
fn a_problem_names_the_row_as_people_do() {
    let prepared = Prepared::sqlite();
    for (sql, rows) in [
        ("UPDATE officers SET rank = 'x' WHERE code = 'CC01'", &["CC01"][..]),
        ("UPDATE principals SET role = 'ADMIN' WHERE name = 'member'", &["member"]),
        ("UPDATE api_tokens SET revoked_at = NULL WHERE revoked_at IS NOT NULL", &["gone"]),
        ("UPDATE flags SET tier = 'SUSPENSION_REVIEW' WHERE state = 'DISMISSED'", &["CC01"]),
        ("UPDATE postings SET valid_to = NULL WHERE valid_to IS NOT NULL", &["CC01", "02CV-D1"]),
        ("UPDATE complaints SET cost_vnd = 1 WHERE text = 'Cán bộ đòi tiền'", &["PA-20240105-"]),
        ("UPDATE complaint_officers SET finding = 'UNFOUNDED' WHERE finding = 'SUSTAINED'", &["PA-20240105-", "CC01"]),
        ("UPDATE issue_categories SET deadline_days = 99 WHERE code = 'TD1'", &["TD1"]),
        ("UPDATE job_runs SET result_hash = 'x' WHERE job = 'recurrence'", &["recurrence"]),
    ] {
        let copy = prepared.database.copy();
        copy.tamper(sql);
        let (_, report) = verify(&copy, &prepared.key, &[]);
        let row = report["problems"][0]["row"].text();
        assert!(rows.iter().all(|part| row.contains(part)), "{sql}: {row}");
        let text = crate::program().run(&copy, ["audit", "verify", "--key-file", &prepared.key]);
        assert!(text.status == 1 && text.out.contains(row) && text.out.contains("NOT VERIFIED"), "{text:?}");
    }
}

#[test]
fn each_table_is_covered_or_says_why_not() {
    use schema::seal::{Cover, cover_of, covered_tables};
    for prepared in Prepared::both() {
        let tables = register::tables(&prepared.database);
        assert!(tables.len() > 35, "{tables:?}");
        let without: Vec<&String> = tables.iter().filter(|table| cover_of(table).is_none()).collect();
        assert!(without.is_empty(), "nothing covers {without:?}: see schema::seal::coverage");
        let gone: Vec<&str> = covered_tables().into_iter().filter(|name| !tables.iter().any(|t| t == name)).collect();
        assert!(gone.is_empty(), "there are no such tables: {gone:?}");
        // What is said to be covered is compared: rows of every such table were counted.
        let (_, report) = verify(&prepared.database, &prepared.key, &[]);
        let compared = |table: &str| {
            let rows = report["tables"].list();
            rows.iter().any(|row| row["table"] == table && row["rows"].as_u64() > Some(0))
        };
        let covered = |table: &&&str| matches!(cover_of(table), Some(Cover::Events | Cover::States));
        let all = covered_tables();
        // Only generated registers have the mark of demonstration data.
        let untested: Vec<&&str> =
            all.iter().filter(covered).filter(|table| **table != "register_info" && !compared(table)).collect();
        assert!(untested.is_empty(), "no row of these was compared: {untested:?}");
        // And each of them is changed by the tests above.
        let changes = changes();
        let changed = |table: &str| changes.iter().any(|change| change.expected.iter().any(|e| e.starts_with(table)));
        let unchanged: Vec<&&str> = all.iter().filter(covered).filter(|table| !changed(table)).collect();
        assert!(unchanged.is_empty(), "no test changes {unchanged:?}");
    }
}

#[test]
fn what_the_program_writes_is_verified() {
    for database in Database::both() {
        let files = tests::fixtures::Files::new();
        let key = register::key_file(&files);
        let run =
            |args: &[&str]| crate::program().run(&database, args.iter().copied().chain(["--key-file", &key])).ok();
        run(&["generate", "--complaints", "400", "--seed", "3"]);
        for job in ["recurrence", "timeliness", "trends", "escalate-overdue", "blame-check", "digest"] {
            run(&["jobs", "run", job, "--as-of", "2025-12-31"]);
        }
        run(&["token", "create", "--name", KEY, "--role", "BOARD"]);
        run(&["audit", "seal"]);
        let (status, report) = verify(&database, &key, &[]);
        assert_eq!((status, found(&report)), (0, vec![]), "{}: {report}", database.name);
        assert_eq!((&report["verified"], &report["all"]), (&true.into(), &true.into()));
        assert!(report["seals"].as_i64() >= Some(4) && report["sealed"].as_i64() > Some(800), "{report}");
    }
}
