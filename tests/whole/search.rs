//! Searches find the same with an index and without one, and the index holds no text that is gone.

use crate::program;
use diesel::connection::{InstrumentationEvent, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use schema::Conn;
use schema::db::search_text::search_form;
use schema::queries::{
    ComplaintSort, Direction, ListOrder, Pred, Purpose, Window, name_contains, text_contains, with_search_index,
};
use schema::tables::{complaints, enterprises};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tests::foreign_files::{HEADER, plain};
use tests::{Client, Database, Json, Role, TestApp, fixtures};

const TEXTS: [&str; 12] = [
    "Chậm TRẢ lời, Đội Thủ tục",
    "cham tra loi",
    "Cha\u{323}\u{302}m tra\u{309} lo\u{300}i",
    "Đội thuế \"đặc biệt\" và \"\"đội\"\" khác",
    "giảm 50%_ngay, không 50 ngay",
    "a\\b\\c d'e -- f",
    "x OR NEAR(y) AND z*",
    "日本語のテキスト",
    "ĐƯỜNG DÂY NÓNG ở Đà Nẵng",
    "ab",
    "tiền tiền tiền tiền tiền tiền",
    "một đoạn rất dài về thủ tục hải quan, tờ khai, cảng, kho bãi, giấy phép và mã số hàng hóa",
];

/// Patterns of trigrams, patterns that are too short for one, and signs that mean something to LIKE or to FTS5.
const PATTERNS: [&str; 33] = [
    "chậm",
    "CHAM TRA",
    "chậm trả lời",
    "đội",
    "ĐỘI",
    "doi",
    "duong day",
    "Đường",
    "đà nẵng",
    "\"đặc",
    "\"\"đ",
    "\"\"\"",
    "50%_n",
    "50%",
    "0%",
    "%",
    "_",
    "%__",
    "a\\b",
    "\\b\\",
    "\\",
    "d'e -- f",
    "x OR NEAR(y)",
    "AND z*",
    "日本語",
    "日本",
    "ab",
    "a",
    "tien tien tien",
    "tien  tien",
    "thủ tục hải quan, tờ khai, cảng, kho bãi, giấy phép và mã số hàng hóa",
    "thu tuc hai quan, to khai, cang, kho bai, giay phep va ma so hang hoc",
    "không có chữ này",
];

fn import(database: &Database, texts: &[&str]) {
    let mut csv = format!("{HEADER}\n");
    for (n, text) in texts.iter().enumerate() {
        csv.push_str(&format!("PA-{n},05/03/2024,,02CV,CC-{n},SN,\"{}\"\n", text.replace('"', "\"\"")));
    }
    fixtures::import(database, "complaints", csv, &plain());
}

#[derive(QueryableByName)]
struct Form {
    #[diesel(sql_type = Text)]
    text: String,
    #[diesel(sql_type = Text)]
    form: String,
}

#[test]
fn both_databases_make_the_search_form_that_the_program_makes() {
    let texts = [
        "Container 40 feet, ABC xyz {|}~",
        "Đ đ Ð ð Ɖ ɖ: Đường, Ðường",
        "Ế ề ữ Ự Ỵ ỗ Ẵ ị Ỉ ẽ ỏ",
        "E\u{323}\u{302} U\u{31b}\u{309} a\u{306}\u{303} i\u{300}",
        "ñ ç ǖ Ǟ İ o\u{304}\u{308}\u{36f}",
        "日本語 “ngoặc” – ß Ω µ ½ 😀",
    ];
    for database in &Database::both() {
        import(database, &texts);
        let query = "SELECT text, phananh_plain(text) AS form FROM complaints";
        let found: Vec<Form> =
            database.open().read(|conn| Ok(schema::each!(conn, c => diesel::sql_query(query).load(c)?))).unwrap();
        assert_eq!(found.len(), texts.len());
        for Form { text, form } in found {
            assert_eq!(form, search_form(&text), "{text:?} on {}", database.name);
        }
    }
}

/// The texts of complaints that a filter selects, which the count must agree with.
fn texts(client: &Client<'_>, filter: &serde_json::Value) -> BTreeSet<String> {
    let query = "query($f: ComplaintFilter) { complaints(filter: $f, first: 50) { totalCount nodes { text } } }";
    let found = client.data_with(query, &json!({ "f": filter }))["complaints"].clone();
    let nodes = found["nodes"].list();
    assert_eq!(found["totalCount"], nodes.len(), "{filter}: {found}");
    nodes.iter().map(|node| node["text"].text().to_owned()).collect()
}

#[test]
fn a_search_finds_the_texts_that_contain_it_and_no_others() {
    for app in TestApp::both().arguments(&["--no-jobs"]) {
        import(&app.database, &TEXTS);
        let board = app.as_role(Role::Board);
        let all = texts(&board, &json!({}));
        assert_eq!(all.len(), TEXTS.len(), "{all:?}");
        for pattern in PATTERNS {
            let expected: BTreeSet<String> =
                all.iter().filter(|text| search_form(text).contains(&search_form(pattern))).cloned().collect();
            let others: BTreeSet<String> = all.difference(&expected).cloned().collect();
            let name = app.database.name;
            assert_eq!(texts(&board, &json!({ "search": pattern })), expected, "{pattern:?} on {name}");
            assert_eq!(texts(&board, &json!({ "not": { "search": pattern } })), others, "not {pattern:?} on {name}");
            let either = json!({ "or": [{ "search": pattern }, { "search": "日本語" }] });
            let more = texts(&board, &either);
            assert!(
                expected.is_subset(&more) && more.iter().any(|text| text.contains("日本")),
                "{pattern:?}: {more:?}"
            );
        }
    }
}

#[test]
fn a_changed_text_is_found_by_its_new_words_and_no_more_by_the_old() {
    for app in TestApp::both().arguments(&["--no-jobs"]) {
        import(&app.database, &["Quát mắng người nộp", "Chờ từ sáng đến chiều"]);
        let board = app.as_role(Role::Board);
        let number = |search: &str| texts(&board, &json!({ "search": search })).len();
        assert_eq!([number("quat mang"), number("hach dich")], [1, 0]);
        import(&app.database, &["Hách dịch", "Chờ từ sáng đến chiều"]);
        assert_eq!([number("quat mang"), number("hach dich"), number("cho tu sang")], [0, 1, 1]);
        if app.database.name == "sqlite" {
            let left = ["uat", "ach", "sang"].map(|part| terms(&app.database, part));
            assert_eq!(left[0], BTreeSet::new());
            assert!(left[1].contains("ach"), "{left:?}");
        }
        // Another program writes, which has no function for search forms.
        app.database.tamper("UPDATE complaints SET text = 'Đòi phong bì' WHERE text = 'Hách dịch'");
        assert_eq!([number("hach dich"), number("phong bi"), number("cho tu sang")], [0, 1, 1]);
        import(&app.database, &["Đòi phong bì", "Chờ lâu"]);
        assert_eq!([number("cho tu sang"), number("phong bi"), number("cho lau")], [0, 1, 1]);
    }
}

#[derive(QueryableByName)]
struct Term {
    #[diesel(sql_type = Text)]
    term: String,
}

/// The trigrams in the index of SQLite that contain a part.
fn terms(database: &Database, part: &str) -> BTreeSet<String> {
    let all: Vec<Term> = database
        .open()
        .read(|conn| {
            let Conn::Sqlite(c) = conn else { panic!("SQLite") };
            c.batch_execute(
                "CREATE VIRTUAL TABLE temp.trigrams USING fts5vocab(main, search_complaints_trigrams, 'row')",
            )?;
            Ok(diesel::sql_query("SELECT term FROM trigrams").load(c)?)
        })
        .unwrap();
    all.into_iter().map(|one| one.term).filter(|term| term.contains(part)).collect()
}

#[test]
fn an_erased_text_is_in_no_byte_of_the_file() {
    let database = Database::sqlite();
    fixtures::fill_anew(&database);
    let bytes = || {
        let files = std::fs::read_dir(database.folder().unwrap()).unwrap().flatten();
        files.flat_map(|file| std::fs::read(file.path()).unwrap()).collect::<Vec<u8>>()
    };
    let held = |text: &str| bytes().windows(text.len()).any(|window| window == text.as_bytes());
    assert!(held("Không khai được") && held("khong khai duoc"));
    assert!(!terms(&database, "kha").is_empty());
    database.tamper(
        "PRAGMA secure_delete = ON; UPDATE complaints SET text = NULL WHERE text = 'Không khai được';
         DELETE FROM complaint_event_values WHERE value = 'Không khai được'",
    );
    program().run(&database, ["jobs", "run", "retention"]).ok();
    assert_eq!(terms(&database, "kha"), BTreeSet::new());
    assert!(!held("Không khai được") && !held("khong khai duoc"));
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The plan of the page of complaints that a search selects on SQLite.
fn plan(database: &Database, search: &str) -> Vec<String> {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let statements = Arc::clone(&seen);
    database
        .open()
        .read(|conn| {
            conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                if let InstrumentationEvent::StartQuery { query, .. } = event {
                    statements.lock().unwrap().push(query.to_string());
                }
            });
            let condition = with_search_index(conn, Purpose::Page, || {
                Ok(Some(Box::new(text_contains(search)) as Pred<complaints::table>))
            })?;
            let window = Window { limit: 25, ..Window::default() };
            ComplaintSort::list(conn, condition, &[(ComplaintSort::ReceivedAt, Direction::Desc)], &window)?;
            let page = seen.lock().unwrap().last().cloned().unwrap();
            let page = page.split(" -- binds").next().unwrap_or_default().to_owned();
            let Conn::Sqlite(c) = conn else { panic!("SQLite") };
            let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {page}")).load(c)?;
            Ok(steps.into_iter().map(|step| step.detail).collect())
        })
        .unwrap()
}

#[test]
fn sqlite_searches_by_the_index_where_a_search_has_trigrams() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let by_index = plan(&database, "đòi tiền");
    assert!(by_index.iter().any(|step| step.contains("search_complaints_trigrams VIRTUAL TABLE")), "{by_index:?}");
    assert!(
        by_index.iter().any(|step| step.contains("SEARCH complaints USING INDEX sqlite_autoindex")),
        "{by_index:?}"
    );
    for without in ["ti", "đò", "doi\0tien"] {
        let all = plan(&database, without);
        assert!(all.iter().all(|step| !step.contains("search_complaints")), "{without:?}: {all:?}");
    }
}

#[test]
fn the_migration_indexes_the_texts_that_are_there() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let down = include_str!("../../migrations/sqlite/2026-11-30-000030_search_index/down.sql");
    database.tamper(&format!("{down}; DELETE FROM __diesel_schema_migrations WHERE version = '20261130000030'"));
    let db = database.open();
    db.read(|conn| {
        for (what, number) in [
            ("search_complaints WHERE id IS NOT NULL AND plain IS NOT NULL", 6),
            ("search_complaints WHERE plain IS NULL", 0),
            ("enterprises e WHERE name IS NOT NULL AND NOT EXISTS (SELECT 1 FROM search_enterprises s WHERE s.id = e.id)", 0),
        ] {
            let counted: Number =
                schema::each!(&mut *conn, c => diesel::sql_query(format!("SELECT count(*) AS number FROM {what}")).get_result(c)?);
            assert_eq!(counted.number, number, "{what}");
        }
        let condition = with_search_index(conn, Purpose::Count, || {
            Ok(Some(Box::new(name_contains("CONG TY")) as Pred<enterprises::table>))
        })?;
        assert_eq!(schema::queries::EnterpriseSort::count(conn, condition)?, 2);
        Ok(())
    })
    .unwrap();
}
