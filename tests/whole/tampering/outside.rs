//! What lies outside the database: seals that were seen, the folder of a witness, and a database that is not there.

use super::register::Prepared;
use crate::program;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tests::fixtures::Files;
use tests::verification::{found, verify};
use tests::{Database, Json};

/// The newest seals, as digests print them.
fn newest(report: &Value) -> Vec<String> {
    let name = |chain: &Value| {
        let newest = &chain["newest"];
        format!("{}:{}:{}", newest["chain"].text(), newest["number"], newest["hash"].text())
    };
    report["chains"].list().iter().map(name).collect()
}

#[test]
fn a_seal_that_names_none_is_refused() {
    let prepared = Prepared::sqlite();
    let Prepared { database, key } = &prepared;
    let (_, report) = verify(database, key, &[]);
    let seal = newest(&report).remove(0);
    let [chain, number, hash] = *seal.split(':').collect::<Vec<_>>() else { panic!("{seal}") };
    for wrong in [
        String::new(),
        chain.to_owned(),
        format!("{chain}:{number}"),
        format!("{chain}:{number}:"),
        format!("{chain}:0:{hash}"),
        format!("{chain}:-{number}:{hash}"),
        format!("{chain}:+{number}:{hash}"),
        format!("{chain}:x:{hash}"),
        format!("{chain}:99999999999999999999:{hash}"),
        format!("NOTHING:{number}:{hash}"),
        format!("{}:{number}:{hash}", chain.to_lowercase()),
        format!("{chain}:{number}:{}", &hash[2..]),
        format!("{chain}:{number}:{hash}00"),
        format!("{chain}:{number}:zz{}", &hash[2..]),
        format!("{seal}:more"),
    ] {
        let refused = program().run(database, ["audit", "verify", "--key-file", key, "--expect", &wrong]);
        assert!(refused.status == 2 && refused.out.is_empty(), "{wrong}: {refused:?}");
        assert!(refused.err.contains("CHAIN:NUMBER:HASH"), "{wrong}: {}", refused.err);
    }
    // Digits of a hash are the same in both cases, and another hash is another in both.
    let upper = format!("{chain}:{number}:{}", hash.to_uppercase());
    assert_eq!(verify(database, key, &["--expect", &upper]).0, 0);
    let first = if hash.starts_with('A') { "b" } else { "a" };
    for other in [format!("{first}{}", &hash[1..]), format!("{first}{}", &hash[1..]).to_uppercase()] {
        if other.eq_ignore_ascii_case(hash) {
            continue;
        }
        let (status, report) = verify(database, key, &["--expect", &format!("{chain}:{number}:{other}")]);
        assert_eq!((status, found(&report)), (1, vec!["COMPLAINTS cut-off".to_owned()]), "{other}");
    }
    let (status, report) = verify(database, key, &["--expect", &format!("{chain}:9000000:{hash}")]);
    assert_eq!((status, found(&report)), (1, vec!["COMPLAINTS cut-off".to_owned()]));
}

#[test]
fn a_witness_that_says_nothing_verifies_nothing() {
    let prepared = Prepared::sqlite();
    let Prepared { database, key } = &prepared;
    let files = Files::new();
    let witness = files.path().join("witness");
    fs::create_dir(&witness).unwrap();
    let folder = witness.display().to_string();
    let config = files.put("config.toml", format!("[audit]\nwitness = {witness:?}\n")).display().to_string();
    let outside = ["--witness", folder.as_str()];
    let of = |folder: &Path| {
        let folder = folder.display().to_string();
        let (status, report) = verify(database, key, &["--witness", &folder]);
        let messages: Vec<&str> = report["problems"].list().iter().map(|problem| problem["message"].text()).collect();
        assert!(messages.iter().all(|message| message.contains(&folder)), "{report}");
        (status, found(&report))
    };
    let all = ["AUDIT no-witness", "COMPLAINTS no-witness", "REFERENCE no-witness", "STATE no-witness"];
    assert_eq!(of(&witness), (1, all.map(str::to_owned).to_vec()), "an empty folder");
    let nowhere = [&all[..], &["all no-witness"]].concat();
    assert_eq!(of(&files.path().join("nowhere")), (1, nowhere.into_iter().map(str::to_owned).collect()), "no folder");
    // The daily job relies on the one of the configuration.
    let run = ["jobs", "run", "verify-audit", "--as-of", "2024-07-01", "--key-file", key, "--config", &config];
    let failed = program().run(database, run);
    assert!(failed.status == 1 && failed.err.contains(&folder), "{failed:?}");

    let seal = || program().run(database, ["audit", "seal", "--key-file", key, "--config", &config]).ok();
    seal();
    assert_eq!(of(&witness), (0, vec![]));
    let copy = |name: &str, change: &dyn Fn(&Path)| {
        let copy = files.path().join(name);
        fs::create_dir(&copy).unwrap();
        for file in fs::read_dir(&witness).unwrap().flatten() {
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
        change(&copy.join("audit.seals"));
        copy
    };
    let none = || (1, vec!["AUDIT no-witness".to_owned()]);
    let both = || (1, vec!["AUDIT no-witness".to_owned(), "all no-witness".to_owned()]);
    assert_eq!(of(&copy("gone", &|file| fs::remove_file(file).unwrap())), none());
    assert_eq!(of(&copy("empty", &|file| fs::write(file, "").unwrap())), none());
    assert_eq!(of(&copy("blank", &|file| fs::write(file, "\n \n").unwrap())), none());
    assert_eq!(of(&copy("garbage", &|file| fs::write(file, "nothing\n").unwrap())), both());
    assert_eq!(of(&copy("zero", &|file| fs::write(file, format!("AUDIT:0:{}\n", "a".repeat(64))).unwrap())), both());
    assert_eq!(of(&copy("bytes", &|file| fs::write(file, [0xff, 0xfe]).unwrap())), both());
    let folder_instead = |file: &Path| {
        fs::remove_file(file).unwrap();
        fs::create_dir(file).unwrap();
    };
    assert_eq!(of(&copy("folder", &folder_instead)), both());
    let of_another = |file: &Path| {
        fs::copy(file.with_file_name("state.seals"), file).unwrap();
    };
    assert_eq!(of(&copy("another", &of_another)), both());

    // A line that a crash left without its end is made whole by the next seal.
    let file = witness.join("state.seals");
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, &whole[..whole.len() - 30]).unwrap();
    let is_only_one = whole.lines().count() == 1;
    assert_eq!(verify(database, key, &outside).0, i32::from(is_only_one));
    seal();
    assert_eq!(verify(database, key, &outside).0, 0, "{}", fs::read_to_string(&file).unwrap());
}

#[test]
fn a_command_that_only_reads_makes_no_database() {
    let files = Files::new();
    let key = super::register::key_file(&files);
    let out = files.path().join("out").display().to_string();
    for args in [
        &["audit", "verify", "--key-file", &key][..],
        &["audit", "verify", "--format", "json"],
        &["audit", "seal", "--key-file", &key],
        &["flags", "list"],
        &["flags", "numbers"],
        &["jobs", "list"],
        &["jobs", "history"],
        &["rules", "try", "--min", "3", "--days", "365"],
        &["sql", "SELECT 1"],
        &["holidays", "list"],
        &["export", &format!("{out}.csv")],
        &["backtest", "--from", "2020", "--to", "2021"],
        &["digest", "preview", "--locale", "vi", "--out", &out],
        &["digest", "subscriptions"],
        &["digest", "deliveries"],
        &["token", "revoke", "--name", "x"],
        &["token", "trust", "--name", "x", &key],
    ] {
        let database = Database::sqlite();
        let folder = database.folder().unwrap();
        let refused = program().run(&database, args);
        let path = folder.join("test.db").display().to_string();
        assert!(refused.status == 1 && refused.out.is_empty(), "{args:?}: {refused:?}");
        assert!(refused.err.contains(&path) && refused.err.contains("phananh migrate"), "{args:?}: {}", refused.err);
        let made: Vec<_> = fs::read_dir(folder).unwrap().flatten().map(|file| file.file_name()).collect();
        assert!(made.is_empty(), "{args:?} made {made:?}");
    }
    // What makes one still does.
    let database = Database::sqlite();
    program().run(&database, ["migrate"]).ok();
    assert!(database.folder().unwrap().join("test.db").exists());
    let empty = program().run(&database, ["audit", "verify", "--key-file", &key]);
    assert!(empty.status == 1 && empty.out.contains("there is no seal"), "{empty:?}");
}
