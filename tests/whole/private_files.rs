//! What is written holds complaints: only its owner reads it, and what a killed import staged goes.

use crate::program;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tests::Database;
use tests::fixtures::{self, Files};

/// A command of somebody whose files others can read, unless told otherwise.
fn open_handed(database: &Database, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 022; exec \"$0\" \"$@\""]).arg(&program().0).args(args);
    command.env("PHANANH_DATABASE_URL", &database.url).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

#[track_caller]
fn run(database: &Database, args: &[&str]) {
    let done = open_handed(database, args).output().unwrap();
    assert!([Some(0), Some(3)].contains(&done.status.code()), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Everything in a folder, however deep.
fn all(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        found.push(entry.path());
        if entry.path().is_dir() {
            found.extend(all(&entry.path()));
        }
    }
    found
}

#[track_caller]
fn assert_private(paths: &[PathBuf]) {
    for path in paths {
        let mode = path.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
    }
}

#[test]
fn files_are_readable_by_their_owner_only() {
    let files = Files::new();
    let out = files.path().join("out");
    std::fs::create_dir(&out).unwrap();
    let place = |name: &str| out.join(name).display().to_string();
    let database = Database::sqlite();
    run(&database, &["generate", "--complaints", "300", "--seed", "7", "--truth", &place("truth.json")]);
    for job in ["recurrence", "timeliness", "trends", "escalate-overdue"] {
        run(&database, &["jobs", "run", job, "--as-of", "2025-12-31"]);
    }
    let digests = place("digests");
    std::fs::create_dir(&digests).unwrap();
    run(&database, &["digest", "subscribe", "--folder", &digests, "--locale", "vi"]);
    run(&database, &["jobs", "run", "digest", "--as-of", "2025-12-31"]);
    run(&database, &["jobs", "run", "deliver-digests"]);
    run(&database, &["digest", "preview", "--locale", "vi", "--as-of", "2025-12-31", "--out", &place("preview")]);
    run(&database, &["export", &place("all.csv")]);
    run(&database, &["export", &place("months"), "--by-month"]);
    run(&database, &["key", "create", &place("key")]);
    run(&database, &["key", "rotate", &place("key")]);
    let csv = files.put("officers.csv", "so_hieu,ho_ten\n,y\n");
    let map = files.put("officers.toml", fixtures::OFFICERS_MAP);
    // A register of its own: real officers do not go into an invented one.
    let real = Database::sqlite();
    let rejects = place("rejects.csv");
    run(
        &real,
        &["import", "officers", csv.to_str().unwrap(), "--mapping", map.to_str().unwrap(), "--rejects", &rejects],
    );
    // The files beside the database are there as long as somebody uses it.
    let mut server =
        open_handed(&database, &["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let folder = database.folder().unwrap();
    let served = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        all(folder).len() == 3
    });
    let beside = all(folder);
    let private = std::panic::catch_unwind(|| assert_private(&beside));
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(served, "{beside:?}");
    private.unwrap();
    assert_private(&all(real.folder().unwrap()));
    std::fs::set_permissions(&digests, PermissionsExt::from_mode(0o700)).unwrap();
    let written = all(&out);
    assert!(written.len() > 15, "{written:?}");
    assert_private(&written);
}

/// An import that has staged a part of what it reads, and waits for more.
fn waiting_import(database: &Database, files: &Files, temporary: &Path) -> Child {
    let map = files.put("complaints.toml", fixtures::COMPLAINTS_MAP);
    let mut import = open_handed(database, &["import", "complaints", "-", "--mapping", map.to_str().unwrap()])
        .env("TMPDIR", temporary)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let header = fixtures::COMPLAINTS.lines().next().unwrap();
    let mut rows = format!("{header}\n");
    for n in 0..60_000 {
        writeln!(rows, "X-{n};05/01/2024;0100233488;Công ty A;02CV;CC01;TD2;;;;;Cán bộ đòi tiền;").unwrap();
    }
    import.stdin.as_mut().unwrap().write_all(rows.as_bytes()).unwrap();
    import
}

#[test]
fn what_a_killed_import_staged_is_removed_by_the_next_one_and_of_one_that_lives_it_stays() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let temporary = files.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let staged = || all(&temporary);
    let wait_for = |number: usize| {
        for _ in 0..200 {
            if staged().iter().filter(|path| path.is_file()).count() >= number {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{:?}", staged());
    };
    let mut killed = waiting_import(&database, &files, &temporary);
    wait_for(1);
    assert_private(&staged());
    let left = staged();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(staged(), left, "it had no time to clean up");
    let mut living = waiting_import(&database, &files, &temporary);
    for _ in 0..200 {
        if left.iter().all(|path| !path.exists()) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(left.iter().all(|path| !path.exists()), "{:?}", staged());
    wait_for(1);
    let held = staged();
    let small = files.import("officers", fixtures::OFFICERS, fixtures::OFFICERS_MAP);
    let done = program().command(&database).args(small).env("TMPDIR", &temporary).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    assert_eq!(staged(), held, "its owner lives");
    drop(living.stdin.take());
    assert!(living.wait().unwrap().success());
    assert_eq!(staged(), Vec::<PathBuf>::new());
}
