//! The tables for analysts, on both databases: what the register holds, under pseudonyms, and no identity.

use arrow_array::{Array, StringArray};
use jobs::snapshot::SnapshotStore;
use jobs::tables::{Piece, TABLES, Table, TableCache, TableReader};
use schema::Db;
use schema::keys::Keys;
use schema::pseudonyms::Audience;
use std::collections::BTreeSet;
use tests::{Role, TestApp};

fn pieces(db: &Db, role: Role) -> Vec<Piece> {
    let board = role == Role::Board;
    let pseudonyms = Keys::ephemeral().pseudonyms(Audience::Role(role));
    let mut cache = TableCache::new(TableReader { pseudonyms, board, officer: None });
    let snapshot = SnapshotStore::load(db).expect("a snapshot").current();
    let tables: Vec<&'static Table> = TABLES.iter().copied().filter(|table| board || !table.board_only).collect();
    cache.pieces(db, &snapshot, &tables).expect("pieces")
}

fn rows(pieces: &[Piece], table: &str) -> usize {
    pieces.iter().filter(|piece| piece.table.name == table).map(|piece| piece.rows.num_rows()).sum()
}

/// The texts in the columns of all tables.
fn cells(pieces: &[Piece]) -> BTreeSet<String> {
    let columns = pieces.iter().flat_map(|piece| piece.rows.columns());
    let texts = columns.filter_map(|column| column.as_any().downcast_ref::<StringArray>());
    texts.flat_map(|texts| texts.iter().flatten().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[test]
fn the_tables_hold_the_register_and_no_identity() {
    for app in TestApp::both().world_with_flags("2024-04-01") {
        for job in ["timeliness", "trends", "blame-check", "escalate-overdue"] {
            app.run(&["jobs", "run", job, "--as-of", "2024-04-01"]);
        }
        let db = app.database.open();
        let team = pieces(&db, Role::DataTeam);
        for (table, expected) in [
            ("complaints", 6),
            ("allegations", 6),
            ("responses", 3),
            ("units", 7),
            ("categories", 4),
            ("officers", 3),
            ("postings", 4),
            ("enterprises", 4),
        ] {
            assert_eq!(rows(&team, table), expected, "{table}");
        }
        for table in ["flags", "flag_numbers", "flag_evidence", "job_results", "calendar"] {
            assert!(rows(&team, table) > 0, "{table}");
        }
        let shown = cells(&team);
        assert!(
            shown.contains("02CV-D1") && shown.contains("SUSTAINED") && shown.contains("all_complaints"),
            "{shown:?}"
        );
        let hidden = [
            "CC01",
            "CC02",
            "CC03",
            "Nguyễn Văn An",
            "Trần Thị Bình",
            "Lê Văn Cường",
            "0100233488",
            "0314409058",
            "001099012345",
            "Công ty A",
            "Chi nhánh B",
            "Hộ C",
            "PA-1",
            "PA-6",
            "Cán bộ đòi tiền",
            "Xin giữ kín",
            "Đã kiểm điểm",
            "Đã xin lỗi",
            "duong-day-nong",
        ];
        for text in hidden {
            let told = shown.iter().find(|cell| cell.contains(text));
            assert_eq!(told, None, "{text}");
        }
        let board = pieces(&db, Role::Board);
        assert_eq!(rows(&board, "sources"), 6);
        let shown = cells(&board);
        assert!(shown.contains("PA-1") && shown.contains("duong-day-nong") && !shown.contains("CC01"));
    }
}
