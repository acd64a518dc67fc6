//! Syncs that are killed, and syncs beside readers and other syncs.

use super::{Lake, files, give_cost};
use crate::program;
use serde_json::json;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;
use tests::{Database, Json, fixtures};

/// The files of the manifest are there and whole; what a lake has to be at any moment.
#[track_caller]
fn assert_readable(lake: &Lake) {
    if !lake.folder.join("manifest.json").exists() {
        return;
    }
    for file in files(&lake.manifest()).values() {
        let path = lake.folder.join(file["path"].text());
        let bytes = path.metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display())).len();
        assert_eq!(Some(bytes), file["bytes"].as_u64(), "{}", path.display());
    }
}

#[test]
fn a_sync_that_is_killed_leaves_a_lake_that_is_read_and_goes_on() {
    for database in Database::both() {
        fixtures::fill(&database);
        let lake = Lake::new();
        for n in 0..24u64 {
            give_cost(&database, if n % 2 == 0 { "1.350.000" } else { "1.450.000" });
            let mut command = program().command(&database);
            let mut child =
                command.args(lake.arguments("sync", &[])).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(n * 8));
            child.kill().unwrap();
            child.wait().unwrap();
            assert_readable(&lake);
        }
        lake.sync(&database, &["--keep-hours", "0"]);
        let verified = program().json(&database, &lake.arguments("verify", &[]));
        assert_eq!((&verified["verified"], &verified["behind"]), (&json!(true), &json!([])), "{verified}");
        let parts: BTreeSet<String> =
            files(&lake.manifest()).values().map(|file| file["path"].text().to_owned()).collect();
        let versions: BTreeSet<String> = lake
            .contents()
            .into_keys()
            .filter_map(|path| Some(path.strip_prefix(&lake.folder).ok()?.to_str()?.to_owned()))
            .filter(|path| path.starts_with(".versions/"))
            .collect();
        assert_eq!(versions, parts, "what killed syncs left is gone");
        assert_eq!(lake.ask("SELECT max(cost_vnd)::BIGINT AS cost FROM complaints")[0]["cost"], 1_450_000);
    }
}

#[test]
fn readers_read_one_state_while_syncs_run_and_two_syncs_do_not_collide() {
    for database in Database::both() {
        fixtures::fill(&database);
        let lake = Lake::new();
        lake.sync(&database, &[]);
        let stop = lake.files.path().join("stop");
        let mut reader = lake.python(&["watch", stop.to_str().unwrap()]);
        let reader = reader.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        for n in 0..8 {
            give_cost(&database, if n % 2 == 0 { "1.350.000" } else { "1.450.000" });
            let (database, lake) = (&database, &lake);
            let synced = std::thread::scope(|scope| {
                let [one, other] =
                    [(); 2].map(|()| scope.spawn(move || program().run(database, lake.arguments("sync", &[]))));
                [one.join().unwrap(), other.join().unwrap()]
            });
            assert!(synced.iter().any(|one| one.status == 0), "{synced:?}");
            for refused in synced.iter().filter(|one| one.status != 0) {
                assert!(refused.err.contains("another sync or verification uses it"), "{refused:?}");
            }
        }
        std::fs::write(&stop, "").unwrap();
        let output = reader.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let rounds: u32 = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        assert!(rounds > 2, "the reader read {rounds} times");
    }
}

#[test]
fn a_month_that_loses_all_its_rows_goes_with_the_next_sync() {
    for database in Database::both() {
        fixtures::fill(&database);
        let earlier = database.copy();
        let more = fixtures::COMPLAINTS.replace("PA-5;10/03/2024", "PA-7;10/05/2024");
        assert_ne!(more, fixtures::COMPLAINTS);
        fixtures::import(&database, "complaints", more, fixtures::COMPLAINTS_MAP);
        let lake = Lake::new();
        lake.sync(&database, &[]);
        let of_may = "complaints/2024-05.parquet";
        let before = files(&lake.manifest());
        let version = lake.folder.join(before[of_may]["path"].text());
        assert_eq!(lake.ask("SELECT count(*) AS n FROM complaints WHERE month = DATE '2024-05-01'")[0]["n"], 1);

        // A backup is restored from before the only complaint of May.
        lake.sync(&earlier, &[]);
        let after = files(&lake.manifest());
        assert!(!after.contains_key(of_may) && !lake.folder.join(of_may).exists(), "{after:?}");
        assert!(version.exists(), "for those who read the state before");
        assert_eq!(lake.ask("SELECT count(*) AS n FROM complaints WHERE month = DATE '2024-05-01'")[0]["n"], 0);
        let of_folder = lake.ask("SELECT count(*) AS n FROM read_parquet('complaints/*.parquet')");
        assert_eq!(of_folder, lake.ask("SELECT count(*) AS n FROM complaints"));
        let verified = program().json(&earlier, &lake.arguments("verify", &[]));
        assert_eq!((&verified["verified"], &verified["behind"]), (&json!(true), &json!([])), "{verified}");
    }
}
