//! A process that is killed at a bad moment, and the same command again; several that begin at once.

use crate::program;
use diesel::prelude::*;
use schema::enums::DeliveryState;
use schema::keys::Keys;
use schema::tables::deliveries;
use schema::{Db, Timestamp};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tests::Database;
use tests::fixtures::{self, Files};

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Starts a command and kills it after so many microseconds.
fn killed_after(micros: u64, database: &Database, args: &[&str]) {
    let mut command = program().command(database);
    let mut child = command.args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_micros(micros));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_key_file_is_rotated_after_a_rotation_that_was_killed() {
    let database = Database::sqlite();
    let files = Files::new();
    let path = files.path().join("phananh.key");
    let key = path.to_str().unwrap();
    for n in 0..40 {
        killed_after(n * 300, &database, &["key", "create", key]);
        if path.exists() {
            break;
        }
    }
    let created = program().run(&database, ["key", "create", key]);
    assert!(created.status == 0 || created.err.contains("it is there already"), "{created:?}");
    let mut version = Keys::load(&path).unwrap().version();
    for n in 0..60 {
        killed_after(n * 200, &database, &["key", "rotate", key]);
        let now = Keys::load(&path).unwrap().version();
        assert!(now == version || now == version + 1, "{version}, then {now}");
        version = now;
    }
    // A kill before the renaming leaves such a file, today and in earlier versions.
    std::fs::write(files.path().join(".phananh.key.xyz.part"), "current = ").unwrap();
    std::fs::write(files.path().join("phananh.new"), "current = ").unwrap();
    let rotated = program().json(&database, &["key", "rotate", key]);
    assert_eq!(rotated["version"], version + 1);
    assert_eq!(names(files.path()), ["phananh.key", "phananh.new"]);
    // Two at once make two keys.
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| program().run(&database, ["key", "rotate", key]).ok());
        }
    });
    assert_eq!(Keys::load(&path).unwrap().version(), version + 7);
}

#[test]
fn a_file_that_is_there_is_not_emptied_by_what_is_refused_or_killed() {
    let files = Files::new();
    for database in Database::both() {
        let truth = files.put("truth.json", "of another world");
        let truth = truth.to_str().unwrap();
        let generate = |seed: &'static str| ["generate", "--complaints", "300", "--seed", seed, "--truth", truth];
        let read = || std::fs::read_to_string(truth).unwrap();
        killed_after(30_000, &database, &generate("1"));
        assert!(read() == "of another world" || read().starts_with('{'));
        // The program may have been killed after the world was stored.
        program().run(&database, generate("1"));
        std::fs::remove_file(truth).unwrap();
        program().run(&database, generate("1")).ok();
        let whole = read();
        assert!(whole.contains("planted"), "{whole}");
        let refused = program().run(&database, generate("2"));
        assert!(refused.status == 1 && refused.err.contains("demonstration data already"), "{refused:?}");
        assert_eq!(read(), whole);
        // What is true of a world can be written again, as it was.
        std::fs::remove_file(truth).unwrap();
        program().run(&database, generate("1")).ok();
        assert_eq!(read(), whole);
        let wrong = program().run(&database, generate("2"));
        assert_eq!(wrong.status, 1);
    }
    let database = Database::sqlite();
    fixtures::fill(&database);
    let rejects = files.put("rejects.csv", "row,column,reason\n");
    let mut import = files.import("officers", "khac,ho_ten\nx,y\n", fixtures::OFFICERS_MAP);
    import.extend(["--rejects".to_owned(), rejects.display().to_string()]);
    let refused = program().run(&database, &import);
    assert_eq!(refused.status, 1, "{refused:?}");
    assert_eq!(std::fs::read_to_string(&rejects).unwrap(), "row,column,reason\n");
    let mut import = files.import("officers", "so_hieu,ho_ten\n,y\n", fixtures::OFFICERS_MAP);
    import.extend(["--rejects".to_owned(), rejects.display().to_string()]);
    assert_eq!(program().run(&database, &import).status, 3);
    assert!(std::fs::read_to_string(&rejects).unwrap().lines().count() == 2);
    // No export and no preview leaves half of a file behind, or beside.
    let out = files.path().join("out.csv");
    std::fs::write(&out, "before").unwrap();
    for n in 0..20 {
        killed_after(n * 2_000, &database, &["export", out.to_str().unwrap()]);
    }
    program().run(&database, ["export", out.to_str().unwrap()]).ok();
    assert_eq!(std::fs::read_to_string(&out).unwrap().lines().count(), 7);
    assert!(names(files.path()).iter().all(|name| !name.ends_with(".part")), "{:?}", names(files.path()));
}

#[test]
fn a_delivery_that_was_killed_in_its_last_try_is_given_up_and_can_be_retried() {
    for database in Database::both() {
        let folder = Files::new();
        fixtures::generate(&database, 300, 7);
        for job in ["recurrence", "timeliness", "trends", "escalate-overdue"] {
            program().run(&database, ["jobs", "run", job, "--as-of", "2025-12-31"]).ok();
        }
        let place = folder.path().to_str().unwrap();
        program().run(&database, ["digest", "subscribe", "--folder", place, "--locale", "vi"]).ok();
        program().run(&database, ["jobs", "run", "digest", "--as-of", "2025-12-31"]).ok();
        let db: Db = database.open();
        // A node that is killed while it delivers leaves this state.
        db.write("test", |tx| {
            let later = Timestamp::from_micros(tx.now.micros() + 3_600_000_000).unwrap();
            diesel::update(deliveries::table)
                .set((deliveries::attempts.eq(8), deliveries::next_attempt_at.eq(later)))
                .execute(tx.conn)?;
            Ok(())
        })
        .unwrap();
        let delivered = program().json(&database, &["jobs", "run", "deliver-digests"]);
        assert_eq!(delivered["summary"]["sent"], 0, "{delivered}");
        let stands =
            db.read(|conn| Ok(deliveries::table.select((deliveries::state, deliveries::error)).load(conn)?)).unwrap();
        let [(state, Some(error))]: &[(DeliveryState, Option<String>)] = &stands[..] else { panic!("{stands:?}") };
        assert_eq!(*state, DeliveryState::Failed);
        assert!(error.contains("went away in the last attempt"), "{error}");
        assert_eq!(program().json(&database, &["digest", "retry"])["posted"], 1);
        let delivered = program().json(&database, &["jobs", "run", "deliver-digests"]);
        assert_eq!(delivered["summary"]["sent"], 1, "{delivered}");
        let kinds: BTreeSet<String> =
            names(folder.path()).iter().filter_map(|name| Some(name.rsplit_once('.')?.1.to_owned())).collect();
        assert!(["html", "json", "txt"].iter().all(|kind| kinds.contains(*kind)), "{kinds:?}");
    }
}

#[test]
fn commands_that_begin_at_once_on_a_new_database_all_succeed() {
    for round in 0..4 {
        for database in Database::both() {
            let all: Vec<_> = std::thread::scope(|scope| {
                let started: Vec<_> = (0..8)
                    .map(|n| {
                        let database = &database;
                        scope.spawn(move || match n % 4 {
                            0 => program().run(database, ["migrate"]),
                            1 => program().run(
                                database,
                                ["digest", "subscribe", "--locale", "vi", "--folder", &format!("/tmp/d{n}")],
                            ),
                            2 => program()
                                .run(database, ["token", "create", "--name", &format!("t{n}"), "--role", "BOARD"]),
                            _ => program().run(
                                database,
                                ["digest", "subscribe", "--locale", "en", "--email", &format!("a{n}@b.vn")],
                            ),
                        })
                    })
                    .collect();
                started.into_iter().map(|one| one.join().unwrap()).collect()
            });
            for one in &all {
                assert_eq!(one.status, 0, "{} in round {round}: {one:?}", database.name);
            }
            let applied = program().json(&database, &["migrate"]);
            assert_eq!(applied["applied"], serde_json::json!([]));
            let rows = database.rows();
            assert_eq!((rows["api_tokens"], rows["digest_subscriptions"]), (2, 4), "{}", database.name);
        }
    }
}
