//! The lake: what a sync writes and what it leaves, who can read it meanwhile, and what DuckDB finds in it.

mod asked;
mod clickhouse;
mod dashboard;
mod interrupted;
mod recurrence;
mod statistics;

use crate::program;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::fixtures::{self, Files};
use tests::{Database, Json, Role, TestApp, project, python, wait_until};

/// The files of a test: the key, and the lake.
struct Lake {
    files: Files,
    key: String,
    folder: PathBuf,
}

impl Lake {
    fn new() -> Self {
        let files = Files::new();
        let key = files.key_file();
        let folder = files.path().join("lake");
        Self { files, key, folder }
    }

    fn arguments<'a>(&'a self, command: &'a str, more: &[&'a str]) -> Vec<&'a str> {
        let folder = self.folder.to_str().unwrap();
        [&["lake", command, folder, "--key-file", &self.key][..], more].concat()
    }

    #[track_caller]
    fn sync(&self, database: &Database, more: &[&str]) -> Value {
        program().json(database, &self.arguments("sync", more))
    }

    /// The message with which a sync is refused.
    #[track_caller]
    fn refused(&self, database: &Database, more: &[&str]) -> String {
        let before = self.contents();
        let message = program().run(database, self.arguments("sync", more)).refused();
        assert_eq!(self.contents(), before, "a refused sync changes nothing");
        message
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.folder.join("manifest.json")).unwrap()).unwrap()
    }

    /// All files that readers see, with their bytes.
    fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let (path, name) = (entry.path(), entry.file_name());
                if path.is_dir() && name != ".drafts" {
                    folders.push(path);
                } else if path.is_file() && name != ".lock" {
                    found.insert(path.clone(), std::fs::read(path).unwrap());
                }
            }
        }
        found
    }

    fn python(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(python(&["duckdb"], &[], &["duckdb"]));
        command.arg(project().join("tests/clients/lake.py")).arg(&self.folder).args(arguments);
        command
    }

    #[track_caller]
    fn duckdb(&self, arguments: &[&str]) -> String {
        let output = self.python(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn ask(&self, query: &str) -> Value {
        serde_json::from_str(&self.duckdb(&["ask", query])).unwrap()
    }
}

/// Gives the complaint PA-1, of January 2024, a cost.
#[track_caller]
fn give_cost(database: &Database, cost: &str) {
    let changed = fixtures::COMPLAINTS.replace("1.250.000", cost);
    assert_ne!(changed, fixtures::COMPLAINTS);
    fixtures::import(database, "complaints", changed, fixtures::COMPLAINTS_MAP);
}

/// The files of the manifest by their name in the folders of tables.
fn files(manifest: &Value) -> BTreeMap<String, Value> {
    let tables = manifest["tables"].as_object().unwrap().values();
    tables
        .flat_map(|table| table["files"].list())
        .map(|file| (file["latest"].text().to_owned(), file.clone()))
        .collect()
}

#[test]
fn a_sync_writes_what_changed_and_nothing_else() {
    for database in Database::both() {
        fixtures::fill(&database);
        let lake = Lake::new();
        let first = lake.sync(&database, &[]);
        let manifest = lake.manifest();
        let all = files(&manifest);
        assert_eq!(first["written"].list().len(), all.len(), "{first}");
        assert!(all.contains_key("complaints/2024-01.parquet") && all.contains_key("units/all.parquet"), "{all:?}");
        assert!(!all.keys().any(|name| name.starts_with("sources/")), "they are for the Board");
        for (latest, file) in &all {
            let of = |name: &str| std::fs::read(lake.folder.join(name)).unwrap();
            assert!(of(latest) == of(file["path"].text()), "{file}");
            assert_eq!(of(latest).len() as u64, file["bytes"].as_u64().unwrap(), "{file}");
        }
        let before = lake.contents();
        let second = lake.sync(&database, &[]);
        assert_eq!((&second["written"], &second["wentBack"]), (&json!([]), &json!(false)), "{second}");
        let parquet = |contents: BTreeMap<PathBuf, Vec<u8>>| -> BTreeMap<PathBuf, Vec<u8>> {
            contents.into_iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "parquet")).collect()
        };
        assert!(parquet(lake.contents()) == parquet(before));

        give_cost(&database, "1.350.000");
        let third = lake.sync(&database, &[]);
        assert_eq!(third["written"], json!(["complaints/2024-01.parquet"]), "{third}");
        let (old, new) = (all, files(&lake.manifest()));
        let changed: Vec<&String> = new.keys().filter(|name| new[*name]["path"] != old[*name]["path"]).collect();
        assert_eq!(changed, ["complaints/2024-01.parquet"]);
        // Readers of the previous state can still read it.
        let gone = old["complaints/2024-01.parquet"]["path"].text();
        assert!(lake.folder.join(gone).exists());
        lake.sync(&database, &["--keep-hours", "0"]);
        assert!(!lake.folder.join(gone).exists());
        let verified = program().json(&database, &lake.arguments("verify", &[]));
        assert_eq!((&verified["verified"], &verified["behind"]), (&json!(true), &json!([])), "{verified}");

        // A change that no sync has read yet is told, and is no fault of the lake.
        give_cost(&database, "1.450.000");
        let behind = program().json(&database, &lake.arguments("verify", &[]));
        assert_eq!(behind["verified"], true, "{behind}");
        assert_eq!(behind["behind"], json!(["complaints/2024-01.parquet"]));
        let path = lake.folder.join(new["complaints/2024-01.parquet"]["path"].text());
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[8] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let damaged = program().run(&database, lake.arguments("verify", &["--format", "json"]));
        assert_eq!(damaged.status, 1, "{damaged:?}");
        let problems = damaged.json()["problems"].to_string();
        assert!(problems.contains("its bytes are not those of the manifest"), "{problems}");
        let repaired = lake.sync(&database, &["--anew"]);
        assert_eq!(repaired["written"].list().len(), new.len(), "{repaired}");
        assert_eq!(program().json(&database, &lake.arguments("verify", &[]))["verified"], true);
        // An engine that reads folders would count the rows of a file twice.
        let table = lake.folder.join("complaints");
        std::fs::copy(table.join("2024-01.parquet"), table.join("copy.parquet")).unwrap();
        let twice = program().run(&database, lake.arguments("verify", &["--format", "json"]));
        assert!(twice.status == 1 && twice.out.contains("complaints/copy.parquet"), "{twice:?}");
        lake.sync(&database, &[]);
        assert_eq!(program().json(&database, &lake.arguments("verify", &[]))["verified"], true);
    }
}

#[test]
fn duckdb_finds_in_it_what_the_statistics_say_and_no_name() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let lake = Lake::new();
        lake.sync(&app.database, &[]);
        let statistics = app.as_role(Role::Board).data(
            "{ complaintStatistics(groupBy: [DEPARTMENT]) {
                 rows { department { code } complaints distinctEnterprises costVnd } } }",
        );
        let row = |row: &Value| {
            let cost: i64 = row["costVnd"].text().parse().unwrap();
            (row["department"]["code"].to_string(), row["complaints"].clone(), row["distinctEnterprises"].clone(), cost)
        };
        let expected: BTreeSet<String> =
            statistics["complaintStatistics"]["rows"].list().iter().map(|one| format!("{:?}", row(one))).collect();
        let counted = lake.ask(
            "SELECT department AS code, count(*) AS complaints, count(DISTINCT enterprise) AS \"distinctEnterprises\",
                    coalesce(sum(cost_vnd), 0)::BIGINT::VARCHAR AS \"costVnd\" FROM complaints GROUP BY department",
        );
        let nested = counted.list().iter().map(|one| {
            let mut one = one.clone();
            one["department"] = json!({ "code": one["code"] });
            one
        });
        let found: BTreeSet<String> = nested.map(|one| format!("{:?}", row(&one))).collect();
        assert_eq!(found, expected);
        let joined =
            "SELECT count(*) AS n FROM allegations JOIN complaints USING (complaint) JOIN officers USING (officer)";
        let allegations = lake.ask("SELECT count(*) AS n FROM allegations");
        assert!(allegations[0]["n"].integer() > 0);
        assert_eq!(lake.ask(joined), allegations);

        let cells = lake.duckdb(&["dump"]);
        let secrets = ["Nguyễn Văn An", "Trần Thị Bình", "Lê Văn Cường", "CC01", "CC02", "0100233488", "0314409058"];
        let texts = ["001099012345", "Công ty A", "PA-1", "Cán bộ đòi tiền", "Chậm trả lời", "Ẩn danh", "Xin giữ kín"];
        for secret in secrets.into_iter().chain(texts) {
            assert!(!cells.contains(secret), "{secret} stands in the lake");
            // Statistics of Parquet are not compressed.
            for (path, bytes) in lake.contents() {
                let stands = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!stands, "{secret} stands in {}", path.display());
            }
        }
        assert!(cells.contains("k1-"), "pseudonyms stand in the place of names");
    }
}

#[test]
fn a_lake_of_another_role_key_or_register_is_refused_and_made_anew_when_told() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let lake = Lake::new();
    std::fs::create_dir(&lake.folder).unwrap();
    std::fs::write(lake.folder.join("notes.txt"), "of somebody").unwrap();
    assert!(lake.refused(&database, &[]).contains("the folder holds other files, such as \"notes.txt\""));
    std::fs::remove_file(lake.folder.join("notes.txt")).unwrap();
    let no_key = program().run(&database, ["lake", "sync", lake.folder.to_str().unwrap()]);
    assert!(no_key.status == 1 && no_key.err.contains("--key-file"), "{no_key:?}");
    lake.sync(&database, &[]);
    let of_board = lake.refused(&database, &["--for", "BOARD"]);
    assert!(of_board.contains("DATA_TEAM") && of_board.contains("--anew"), "{of_board}");

    let other = Database::sqlite();
    fixtures::fill_anew(&other);
    let of_other = lake.refused(&other, &[]);
    assert!(of_other.contains("another register") && of_other.contains("--anew"), "{of_other}");

    let pseudonyms = lake.ask("SELECT complaint FROM complaints ORDER BY 1");
    let again = Lake { files: Files::new(), key: lake.files.path().join("key2").display().to_string(), ..lake };
    program().run(&database, ["key", "create", &again.key]).ok();
    let of_key = again.refused(&database, &[]);
    assert!(of_key.contains("another key file") && of_key.contains("--anew"), "{of_key}");
    let made = again.sync(&database, &["--anew", "--for", "BOARD"]);
    assert!(made["written"].to_string().contains("sources/"), "{made}");
    assert_ne!(again.ask("SELECT complaint FROM complaints ORDER BY 1"), pseudonyms);
    // Nothing of the lake before is left: its pseudonyms are of another key.
    let versions = again.contents().into_keys().filter(|path| path.to_string_lossy().contains(".versions")).count();
    assert_eq!(versions, files(&again.manifest()).len());
    program().run(&database, ["key", "rotate", &again.key]).ok();
    let rotated = again.refused(&database, &["--for", "BOARD"]);
    assert!(rotated.contains("key version 1") && rotated.contains("--anew"), "{rotated}");
}

#[test]
fn a_restored_register_is_noticed() {
    for database in Database::both() {
        fixtures::fill(&database);
        let lake = Lake::new();
        let earlier = database.copy();
        give_cost(&database, "1.350.000");
        lake.sync(&database, &[]);
        // The same number of writes as in the register that the lake has read, and others.
        give_cost(&earlier, "1.450.000");
        let verified = program().json(&earlier, &lake.arguments("verify", &[]));
        assert_eq!(verified["wentBack"], true, "{verified}");
        let synced = lake.sync(&earlier, &[]);
        assert_eq!(synced["wentBack"], true, "{synced}");
        let cost = lake.ask("SELECT max(cost_vnd)::BIGINT AS cost FROM complaints");
        assert_eq!(cost[0]["cost"], 1_450_000);
        assert_eq!(lake.sync(&earlier, &[])["wentBack"], false);
    }
}

#[test]
fn the_job_keeps_a_lake_up_to_date_where_the_configuration_names_one() {
    for database in Database::both() {
        fixtures::fill(&database);
        let lake = Lake::new();
        let of = |name: &str, config: &str| lake.files.put(name, config).display().to_string();
        let settings = format!(
            "[scheduler]\npoll_seconds = 1\n[jobs.lake]\nschedule = \"* * * * * *\"\n[lake]\ndir = {:?}\n",
            lake.folder.display().to_string()
        );
        let config = of("lake.toml", &settings);
        let is_enabled = |config: &[&str]| {
            let listed = program().json(&database, &[&["jobs", "list"][..], config].concat());
            listed.list().iter().find(|job| job["name"] == "lake").unwrap()["enabled"] == true
        };
        assert!(!is_enabled(&[]) && is_enabled(&["--config", &config]));
        let refused = program().run(&database, ["jobs", "run", "lake"]);
        assert!(refused.status == 1 && refused.err.contains("[lake]"), "{refused:?}");
        let wrong = of("wrong.toml", "[lake]\nrole = \"INTAKE\"\n");
        let refused = program().run(&database, ["jobs", "list", "--config", &wrong]);
        assert!(refused.status == 1 && refused.err.contains("lake.role"), "{refused:?}");

        let server = program().serve(&database, &["--config", &config, "--key-file", &lake.key]);
        wait_until(30, "a lake", || lake.folder.join("lake.sql").exists());
        assert_eq!(server.end_by("TERM"), Some(0));
        assert_eq!(program().json(&database, &lake.arguments("verify", &[]))["verified"], true);
    }
}

/// The names of the entries of a folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn there_is_a_folder_for_each_table_and_statements_for_each_engine() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let lake = Lake::new();
    lake.sync(&database, &["--for", "BOARD"]);
    let visible: BTreeSet<String> = names(&lake.folder).into_iter().filter(|name| !name.starts_with('.')).collect();
    let engines = ["duckdb", "datafusion", "spark", "clickhouse", "trino"];
    let statements = engines.iter().map(|engine| format!("lake.{engine}.sql"));
    let tables = ::jobs::tables::TABLES.iter().map(|table| table.name.to_owned());
    let beside = ["lake.sql", "manifest.json"].map(str::to_owned);
    let expected: BTreeSet<String> = statements.chain(tables).chain(beside).collect();
    assert_eq!(visible, expected);
    for engine in engines {
        let text = std::fs::read_to_string(lake.folder.join(format!("lake.{engine}.sql"))).unwrap();
        for table in ::jobs::tables::TABLES {
            assert!(
                text.contains(&format!(" {}", table.name)) || text.contains(&format!(".{} ", table.name)),
                "{engine}"
            );
        }
    }
}
