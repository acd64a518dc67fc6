//! A server that starts from the file of its snapshot answers as one that reads the register; and a file that does not
//! fit is not used, and the log says why.

use crate::program;
use crate::recounted::{DIMENSIONS, MEASURES, Writer};
use crate::storage::Disk;
use schema::db::dialect::current_position;
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tests::fixtures::{self, Files};
use tests::{Database, Json, Server};

const USED: &str = "the snapshot was read from its file";
const NOT_USED: &str = "the snapshot file is not used";
const NOT_WRITTEN: &str = "the snapshot file cannot be written";

/// A configuration with a section `[snapshot]`.
fn config(files: &Files, name: &str, lines: &str) -> String {
    files.put(name, format!("[snapshot]\n{lines}\n")).display().to_string()
}

fn serve(database: &Database, config: &str) -> Server {
    program().serve_with(database, &["--no-jobs", "--config", config], &[("RUST_LOG", "info")])
}

/// Every measure of every group, after everything that was written.
pub fn statistics(database: &Database, server: &Server, board: &str) -> Vec<Value> {
    let position = database.open().read(current_position).unwrap();
    let of = |dimension: &str| {
        let name = dimension.to_lowercase();
        let is_object = ["department", "branch", "team", "unit", "officer", "category"].contains(&name.as_str());
        let group =
            if is_object { format!("{name} {{ code {} }}", if name == "officer" { "name" } else { "" }) } else { name };
        let query = format!(
            "query($p: Int) {{ complaintStatistics(groupBy: [{dimension}], minPosition: $p, first: 10000) {{
                position totals {{ {MEASURES} }} rows {{ {group} {MEASURES} }} }} }}"
        );
        let data = server.data_with(board, &query, &json!({ "p": position }));
        let mut answer = data["complaintStatistics"].clone();
        // Which of two equal groups comes first is not part of the answer.
        let mut rows: Vec<String> = answer["rows"].list().iter().map(Value::to_string).collect();
        rows.sort_unstable();
        answer["rows"] = json!(rows);
        answer
    };
    DIMENSIONS.split(' ').map(of).collect()
}

fn codes(server: &Server, board: &str, list: &str, field: &str) -> Vec<String> {
    let data = server.data(board, &format!("{{ {list}(first: 100) {{ nodes {{ {field} }} }} }}"));
    data[list]["nodes"].list().iter().map(|node| node[field].text().to_owned()).collect()
}

/// The one file of a folder.
#[track_caller]
fn only_file(folder: &Path) -> PathBuf {
    let found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

#[test]
fn after_writes_of_every_kind_a_start_from_the_file_is_like_one_from_the_register() {
    for database in Database::both() {
        fixtures::fill(&database);
        let files = Files::new();
        let folder = files.path().join("kept");
        std::fs::create_dir(&folder).unwrap();
        let kept = config(&files, "kept.toml", &format!("from_complaints = 0\nfolder = \"{}\"", folder.display()));
        let without = config(&files, "without.toml", "keep = false");
        let (board, intake) = (program().token(&database, "BOARD", None), program().token(&database, "INTAKE", None));
        assert_eq!(serve(&database, &kept).end_by("TERM"), Some(0));
        let mode = only_file(&folder).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let compare = |used: &str| {
            let (server, other) = (serve(&database, &kept), serve(&database, &without));
            assert_eq!(statistics(&database, &server, &board), statistics(&database, &other, &board));
            let log = server.log_after("TERM");
            assert!(log.contains(used), "{}: {log}", database.name);
            assert!(!other.log_after("TERM").contains(USED));
        };
        compare(USED);
        // While no server keeps the file, others write.
        let other = serve(&database, &without);
        let [branches, officers] =
            [("units", "code"), ("officers", "code")].map(|(list, field)| codes(&other, &board, list, field));
        let branches: Vec<String> = branches.into_iter().filter(|code| code.len() == 4).collect();
        let enterprises = codes(&other, &board, "enterprises", "taxCode");
        let categories = codes(&other, &board, "issueCategories", "code");
        for seed in [1, 2] {
            let writer = Writer {
                server: &other,
                board: &board,
                intake: &intake,
                branches: &branches,
                officers: &officers,
                enterprises: &enterprises,
                categories: &categories,
            };
            writer.write(seed);
        }
        assert_eq!(other.end_by("TERM"), Some(0));
        let import = |kind: &str, csv: &str, mapping: &str| {
            fixtures::import(&database, kind, csv, mapping);
        };
        import("officers", "so_hieu,ho_ten\nCC01,Nguyễn Văn Anh\nCC09,Phạm Thị Mới\n", fixtures::OFFICERS_MAP);
        let header = fixtures::COMPLAINTS.lines().next().unwrap();
        let rows = "PA-1;05/01/2024;0100233488;Công ty A mới;02DS;CC02;TD1;S;21/02/2024;7;1;Sửa lại;\n\
                    PA-9;05/01/2024;0102234896;Công ty Mới;03TG;CC09;TD2;Đ;20/02/2024;9;2;Mới;\n";
        import("complaints", &format!("{header}\n{rows}"), fixtures::COMPLAINTS_MAP);
        import("responses", fixtures::RESPONSES, fixtures::RESPONSES_MAP);
        compare(USED);
        // After a change of units the places of the file are no longer those of the register.
        let units = fixtures::UNITS.replace("03TG,", "03AA,Chi cục mới,BRANCH,03,SEAPORT,,\n03TG,");
        import("units", &units, fixtures::UNITS_MAP);
        compare("units or categories changed since it was written");
        compare(USED);
    }
}

#[test]
fn a_file_that_does_not_fit_is_not_used_and_the_log_says_why() {
    let files = Files::new();
    let kept = config(&files, "kept.toml", "from_complaints = 0");
    let [database, other] = [Database::sqlite(), Database::sqlite()];
    for database in [&database, &other] {
        fixtures::fill_anew(database);
    }
    let board = program().token(&database, "BOARD", None);
    let beside = |database: &Database| database.folder().unwrap().join("test.db-snapshot");
    let older = files.path().join("older.db");
    program().run(&database, ["backup", older.to_str().unwrap()]).ok();
    for database in [&database, &other] {
        assert_eq!(serve(database, &kept).end_by("TERM"), Some(0));
    }
    let (file, whole) = (beside(&database), std::fs::read(beside(&database)).unwrap());
    let expected = {
        let server = serve(&database, &kept);
        let found = statistics(&database, &server, &board);
        assert!(server.log_after("TERM").contains(USED));
        found
    };
    let changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        bytes
    };
    let start = |why: &str| {
        let server = serve(&database, &kept);
        assert_eq!(statistics(&database, &server, &board), expected, "{why}");
        let log = server.log_after("TERM");
        assert!(log.contains(NOT_USED) && log.contains(why), "{why}: {log}");
        log
    };
    let cases = [
        (changed(whole.len() / 2), "it is damaged"),
        (changed(10), "it is damaged"),
        (whole[..whole.len() / 2].to_vec(), "it is cut off"),
        (Vec::new(), "it is cut off"),
        (changed(whole.len() - 12), "another version of the program wrote it"),
        (std::fs::read(beside(&other)).unwrap(), "the register was restored or is another one"),
    ];
    for (bytes, why) in cases {
        std::fs::write(&file, bytes).unwrap();
        start(why);
        // The end of the server put a right one in its place.
        let server = serve(&database, &kept);
        assert!(server.log_after("TERM").contains(USED), "{why}");
    }
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    start("other users can read or replace it");
    // A place where nothing can be written.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    assert!(start("it is not a regular file").contains(NOT_WRITTEN));
    std::fs::remove_dir(&file).unwrap();
    // The register as it was before the last writes.
    let responses = "so_pa,don_vi,luc,noi_dung,hai_long\nPA-2,02CV,2024-02-01 09:00:00,Đã nhắc nhở,\n";
    fixtures::import(&database, "responses", responses, fixtures::RESPONSES_MAP);
    assert_eq!(serve(&database, &kept).end_by("TERM"), Some(0));
    let folder = database.folder().unwrap();
    for name in ["test.db", "test.db-wal", "test.db-shm"] {
        let _there = std::fs::remove_file(folder.join(name));
    }
    program().run(&database, ["restore", older.to_str().unwrap()]).ok();
    let server = serve(&database, &kept);
    let log = server.log_after("TERM");
    assert!(log.contains("it is newer than the register"), "{log}");
}

#[test]
fn a_full_disk_only_costs_the_next_start() {
    let files = Files::new();
    let folder = files.path().join("disk");
    std::fs::create_dir(&folder).unwrap();
    let Some(_disk) = Disk::of(&folder) else { return };
    let database = Database::sqlite();
    fixtures::fill(&database);
    let kept = config(&files, "kept.toml", &format!("from_complaints = 0\nfolder = \"{}\"", folder.display()));
    let server = serve(&database, &kept);
    let log = server.log_after("TERM");
    assert!(log.contains(NOT_WRITTEN) && log.contains("too little room"), "{log}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn a_missing_folder_only_costs_the_next_start_and_one_that_is_open_to_all_is_refused() {
    let files = Files::new();
    let folder = files.path().join("kept");
    let database = Database::sqlite();
    fixtures::fill(&database);
    let kept = config(&files, "kept.toml", &format!("from_complaints = 0\nfolder = \"{}\"", folder.display()));
    let log = serve(&database, &kept).log_after("TERM");
    assert!(log.contains("snapshot.folder is not a folder") && log.contains(NOT_WRITTEN), "{log}");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let refused = program().run(&database, ["serve", "--listen", "127.0.0.1:0", "--config", kept.as_str()]);
    assert!(refused.status != 0 && refused.err.contains("every user can write to"), "{refused:?}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
