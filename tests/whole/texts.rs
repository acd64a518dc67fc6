//! Texts from outside: no spreadsheet, terminal or log runs anything in them.

use crate::program;
use schema::db::dialect::ROWS_TO_COPY;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::foreign_files::plain;
use tests::{Database, Finished, Json, Role, TestApp};

/// The texts of one row each. Most of them begin with a sign that begins a formula in a spreadsheet.
const TEXTS: [&str; 10] =
    ["=1+1", "+84 28 3829 1234", "-2+3", "@SUM(A1:A9)", "\t=1+1", "＝1+1", " =1+1", "''=1+1", "-5", "a=b"];

/// Whether some spreadsheet would run a cell.
fn runs(cell: &str) -> bool {
    let number = cell.parse::<f64>().is_ok();
    let first = cell.trim_start_matches([' ', '\u{200b}']).chars().next();
    !number && first.is_some_and(|c| "=+-@\t\r\n＝＋－＠".contains(c))
}

fn cells(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[track_caller]
fn assert_inert(csv: &str) {
    for cell in cells(csv).iter().flatten() {
        assert!(!runs(cell), "{cell:?} in {csv}");
    }
}

#[test]
fn what_a_spreadsheet_would_run_is_text_in_files_and_comes_back_as_it_was() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let [rejects, key] = ["rejects.csv", "key"].map(|name| files.path().join(name).display().to_string());
        let app = app.arguments(&["--no-jobs", "--key-file", &key]).start();
        // Each row becomes a reject, because its date is wrong.
        let mut csv = String::from("=ref,ref,nhan,mst,dv,cb,loai,nd\n");
        for (n, text) in TEXTS.iter().enumerate() {
            csv.push_str(&format!(
                "@x,PA-{n},xx,,02CV,CC-{n},\"=HYPERLINK(\"\"http://x.example\"\",\"\"a{n}\"\")\",\"{text}\"\n"
            ));
        }
        let import = |csv: &str, more: &[&str]| -> Finished {
            let mut args = files.import("complaints", csv, &plain());
            args.extend(more.iter().map(ToString::to_string));
            program().run(&app.database, args)
        };
        assert_eq!(import(&csv, &["--rejects", &rejects]).status, 3);
        let rejected = std::fs::read_to_string(&rejects).unwrap();
        assert_inert(&rejected);
        let rows = cells(&rejected);
        assert_eq!((rows.len(), rows[0][3].as_str(), rows[1][10].as_str()), (11, "'=ref", "'=1+1"), "{rejected}");
        assert_eq!((rows[9][10].as_str(), rows[10][10].as_str(), rows[8][10].as_str()), ("-5", "a=b", "''=1+1"));
        // The repaired file imports the original texts, with the columns that explain the rejects and without them.
        let repaired = rejected.replace(",xx,", ",05/03/2024,");
        assert_eq!(import(&repaired, &[]).ok().json()["imported"], 10);
        let without: Vec<String> = cells(&repaired)
            .iter()
            .map(|row| {
                row[3..].iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect::<Vec<_>>().join(",")
            })
            .collect();
        assert_eq!(import(&without.join("\n"), &[]).ok().json()["unchanged"], 10);
        app.run(&["key", "create", &key]);
        let board = app.as_role(Role::Board);
        let found = board.data("{ complaints(first: 50) { nodes { text category { code } } } }");
        let nodes = found["complaints"]["nodes"].list();
        for (n, text) in TEXTS.iter().enumerate() {
            // The import removes blanks around a text. It also removes one apostrophe before a sign, as if an export
            // had put it there.
            let wanted = text.trim().replace("''=", "'=");
            let node = nodes
                .iter()
                .find(|node| node["text"] == wanted.as_str())
                .unwrap_or_else(|| panic!("{text:?}: {found}"));
            if *text != "=1+1" && *text != "\t=1+1" && *text != " =1+1" {
                assert_eq!(node["category"]["code"], format!("=HYPERLINK(\"http://x.example\",\"a{n}\")"));
            }
        }
        // Exports over HTTP and by the command line, and CSV that a command prints.
        let bearer = format!("Bearer {}", board.token);
        let exported = app.server().send("GET", "/export/complaints.csv", &[("authorization", &bearer)], "").text;
        assert!(exported.contains("\"'=HYPERLINK("), "{exported}");
        assert_inert(&exported);
        let by_command = app.run(&["export", "-", "--as", "csv", "--key-file", &key]);
        assert_inert(&by_command);
        let sql = "SELECT category, MIN(cost_vnd) - 5 AS \"=cost\" FROM complaints GROUP BY category";
        let printed = app.run(&["sql", sql, "--format", "csv"]);
        assert!(printed.contains("'=HYPERLINK") && printed.starts_with("category,'=cost"), "{printed}");
        assert_inert(&printed);
        // JSON is for programs, so nothing is put in front of a text.
        let by_json = program().json(&app.database, &["sql", "SELECT code FROM categories ORDER BY code"]);
        assert!(by_json["rows"].to_string().contains("\"=HYPERLINK"), "{by_json}");
    }
}

/// PostgreSQL gets so many rows by COPY, SQLite by INSERT.
#[test]
fn what_many_rows_hold_is_stored_alike_by_copy_and_by_insert() {
    let texts = [
        "a\tb\nc\r\nd",
        "C:\\new\\table \\N \\. \\x41 \\\\",
        "\\N",
        "\\.",
        "NULL",
        "\"quoted\", 'single', $1, %s; {a,b}",
        "Nói trống không, đòi tiền – 税関 🛃",
        "\u{1}\u{7f}\u{85}\u{2028}",
        "",
        " ",
        "a\0b",
    ];
    let hours = ["0", "0.1", "4.5", "1234.567", "0.30000000000000004", ""];
    let mut csv = String::from("ref,nhan,mst,dv,cb,loai,nd,chi_phi,gio,giu\n");
    // The last rows of a reference are two allegations against nobody.
    for n in 0..500 {
        let text = texts[n % texts.len()].replace('"', "\"\"");
        let (hours, cost) =
            (hours[n % hours.len()], if n % 7 == 0 { String::new() } else { (n * 9_999_999).to_string() });
        let officer = if n % 4 == 0 { String::new() } else { format!("CC-{n}") };
        csv += &format!("PA-{n},05/03/2024,,02CV,{officer},L{},\"{text}\",{cost},{hours},\"{text}\"\n", n % 3);
        if n % 4 == 0 {
            csv += &format!("PA-{n},05/03/2024,,03TG,,L3,\"{text}\",{cost},{hours},\"{text}\"\n");
        }
    }
    let mapping =
        plain().replace("[missing]", "keep = [\"giu\"]\n[missing]") + "cost_vnd = \"chi_phi\"\ndelay_hours = \"gio\"\n";
    let [sqlite, postgres] = Database::both().map(|database| {
        let files = Files::new();
        let mut args = files.import("complaints", &csv, &mapping);
        let rejects = files.path().join("rejects.csv").display().to_string();
        args.extend(["--rejects".to_owned(), rejects.clone()]);
        let done = program().run(&database, &args);
        assert_eq!(done.status, 3, "{done:?}");
        // Otherwise both databases would get them by INSERT.
        assert!(done.json()["imported"].integer() >= i64::try_from(ROWS_TO_COPY).unwrap(), "{done:?}");
        // A NUL in a text is refused, on either database, before it is written.
        let refused = std::fs::read_to_string(rejects).unwrap();
        assert!(refused.contains("contains a NUL character"), "{refused}");
        let again = program().run(&database, &args).json();
        assert_eq!((again["imported"].integer(), again["updated"].integer()), (0, 0), "{again}");
        rows_and_events(&database)
    });
    assert_eq!(sqlite.len(), postgres.len());
    for (one, other) in sqlite.iter().zip(&postgres) {
        assert_eq!(one, other);
    }
}

/// Complaints with all that belongs to them, one after the other, without what differs between runs.
fn rows_and_events(database: &Database) -> Vec<(String, Value)> {
    use diesel::prelude::*;
    use schema::events::{ComplaintEventValue, StoredComplaintEvent};
    use schema::models::ComplaintSource;
    use schema::tables::{complaint_event_values, complaint_events, complaint_sources, complaints};
    let read = database.open().read(|conn| {
        let ids: Vec<schema::Id> = complaints::table.order(complaints::id).select(complaints::id).load(conn)?;
        let cases = schema::register::complaints::load(conn, &ids)?;
        let sources: Vec<ComplaintSource> = complaint_sources::table
            .order(complaint_sources::reference)
            .select(ComplaintSource::as_select())
            .load(conn)?;
        let events: Vec<StoredComplaintEvent> = complaint_events::table
            .order((complaint_events::position, complaint_events::ordinal))
            .select(StoredComplaintEvent::as_select())
            .load(conn)?;
        let values: Vec<ComplaintEventValue> = complaint_event_values::table
            .order((complaint_event_values::position, complaint_event_values::ordinal, complaint_event_values::field))
            .select(ComplaintEventValue::as_select())
            .load(conn)?;
        let mut all = Vec::new();
        for id in &ids {
            let mut case = cases[id].clone();
            case.complaint.recorded_at = case.complaint.received_at;
            all.push((format!("{case:?}"), Value::Null));
        }
        all.extend(sources.iter().map(|source| (format!("{source:?}"), Value::Null)));
        for event in events {
            let mut after = event.after.unwrap().0;
            // The salt of a commitment is random.
            after.as_object_mut().unwrap().remove("text");
            let of = format!("{} {} {} {:?}", event.complaint_id, event.position, event.ordinal, event.kind);
            all.push((of, after));
        }
        for value in values {
            assert_eq!(value.salt.len(), 16);
            let of = format!("{} {} {} {}", value.complaint_id, value.position, value.ordinal, value.field);
            all.push((of, value.value.into()));
        }
        Ok(all)
    });
    read.unwrap()
}

/// Whether a terminal acts on a character, or the character hides what follows.
fn acts(c: char) -> bool {
    c != '\n'
        && (c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
}

#[test]
fn nothing_that_a_command_prints_acts_on_the_terminal() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let evil = "a\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\u{202e}b\u{2028}c";
    // The name of a category may be any text, and so may a refused cell of a file.
    let categories = format!("{}\nEV,,\"{evil}\nzweite\rZeile\",CONDUCT,không,15\n", fixtures::CATEGORIES.trim_end());
    fixtures::import(&database, "categories", categories, fixtures::CATEGORIES_MAP);
    let header = fixtures::COMPLAINTS.lines().next().unwrap();
    let wrong = format!("{header}\nPA-{evil};99/99/2024;{evil};Công ty A;{evil};CC01;{evil};;;x;;;\n");
    let rejected = program().run(&database, files.import("complaints", wrong, fixtures::COMPLAINTS_MAP));
    assert_eq!(rejected.status, 3);
    let query = "SELECT code, name_vi, kind FROM categories WHERE code = 'EV'";
    let table = program().run(&database, ["sql", query]).ok();
    let document = program().run(&database, ["sql", query, "--format", "json"]).ok();
    let refused = program().run(&database, ["sql", &format!("SELECT \"{evil}\" FROM complaints")]);
    let unknown = program().run(&database, ["jobs", "run", &format!("{evil}\nerror: all is well")]);
    let file = files.path().join(format!("no{evil}such.csv")).display().to_string();
    let map = files.put("map.toml", fixtures::COMPLAINTS_MAP).display().to_string();
    let missing = program().run(&database, ["import", "complaints", &file, "--mapping", &map]);
    let reproduced = program().run(&database, ["flags", "show", evil]);
    for (what, printed) in [
        ("rejects", &rejected),
        ("a table", &table),
        ("a document", &document),
        ("SQL", &refused),
        ("a job", &unknown),
        ("a file", &missing),
        ("a flag", &reproduced),
    ] {
        for text in [&printed.out, &printed.err] {
            assert!(!text.contains(acts), "{what}: {text:?}");
        }
    }
    assert_eq!(table.out.lines().count(), 2, "a row is a line: {}", table.out);
    assert_eq!(document.json()["rows"][0]["name_vi"].text().chars().filter(|c| acts(*c)).count(), 7, "{document:?}");
    assert_eq!(unknown.err.lines().count(), 1, "{}", unknown.err);
}

#[test]
fn a_name_is_what_it_looks_like() {
    for app in TestApp::both() {
        let admin = app.as_role(Role::Admin);
        let mutation = "mutation ($input: CreateTokenInput!) { createToken(input: $input) { principal { name } } }";
        let by_api =
            |name: &str, role: &str| admin.request_with(mutation, &json!({ "input": { "name": name, "role": role } }));
        let by_command = |name: &str, role: &str| {
            program().run(&app.database, ["token", "create", &format!("--name={name}"), "--role", role])
        };
        for name in [
            "An\nBOARD",
            "An\r",
            "An\u{1b}[31m",
            "An\u{202e}gpj",
            "\u{2066}An",
            "An\u{2028}x",
            "An\u{85}",
            "A\u{200b}n",
            "A\u{3164}n",
            "\u{115f}",
            "A\u{a0}n",
            "B\u{430}n",
            "\u{feff}An",
            " An",
            "An ",
            "An\u{a0}",
            "",
            "\t",
        ] {
            let refused = by_command(name, "BOARD");
            assert!(refused.status == 1 && !refused.err.contains(acts), "{name:?}: {refused:?}");
            let refused = by_api(name, "BOARD");
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{name:?}: {}", refused.text);
        }
        for name in ["Nguyễn Văn An – Ban Triển khai (2)", "board-1"] {
            let made = admin.data_with(mutation, &json!({ "input": { "name": name, "role": "BOARD" } }));
            assert_eq!(made["createToken"]["principal"]["name"], name);
        }
        // A reader would take each of these names for one of those above.
        for name in ["board–1", "board-l"] {
            let refused = by_api(name, "DATA_TEAM");
            assert_eq!(refused.codes(), ["CONFLICT"], "{name:?}: {}", refused.text);
            let refused = by_command(name, "DATA_TEAM");
            assert!(refused.status == 1 && refused.err.contains("looks like"), "{name:?}: {refused:?}");
        }
        for folder in ["/tmp/a\nb", "/tmp/a\u{1b}[31mb", "/tmp/a\u{202e}b"] {
            let subscribed =
                program().run(&app.database, ["digest", "subscribe", "--folder", folder, "--locale", "vi"]);
            assert!(subscribed.status == 1 && !subscribed.err.contains(acts), "{folder:?}: {subscribed:?}");
        }
        let listed = admin.data("{ principals { nodes { name } } }");
        let names = listed["principals"]["nodes"].list();
        assert!(names.iter().all(|one| !one["name"].text().contains(acts)), "{listed}");
    }
}

#[test]
fn a_submission_names_an_officer_by_signs_that_can_be_seen() {
    for app in TestApp::both().arguments(&["--no-jobs"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let submit = |key: &str, code: &str| {
            let input = json!({ "idempotencyKey": key, "text": "chờ lâu", "officers": [code] });
            let mutation = "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { id } }";
            intake.request_with(mutation, &json!({ "input": input }))
        };
        for (hidden, point) in [("CC\u{200b}01", "U+200B"), ("\u{feff}CC01", "U+FEFF"), ("CC01\u{ad}", "U+00AD")] {
            let answer = submit("hidden", hidden);
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{hidden:?}: {}", answer.text);
            assert!(answer.text.contains(point) && !answer.text.contains(hidden), "{}", answer.text);
        }
        // A code is the same whether its letters carry their marks or the marks follow the letters.
        for (key, code) in [("one", "Ấn1"), ("other", "A\u{302}\u{301}n1")] {
            assert!(submit(key, code).codes().is_empty(), "{code:?}");
        }
        let seen = board.data("{ complaints { nodes { officers { officer { code } } } } }");
        let codes: Vec<&str> = seen["complaints"]["nodes"]
            .list()
            .iter()
            .map(|complaint| complaint["officers"][0]["officer"]["code"].text())
            .collect();
        assert_eq!(codes, ["Ấn1", "Ấn1"]);
    }
}

#[test]
fn an_entry_of_the_log_is_one_line_and_is_counted_under_a_name_of_the_document() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let files = Files::new();
    let board = program().token(&database, "BOARD", None);
    let config = files.put("phananh.toml", "[api]\nslow_ms = 0\n").display().to_string();
    let server = program().serve_with(&database, &["--config", &config], &[("RUST_LOG", "info")]);
    let evil = "x\n2026-01-01T00:00:00Z ERROR all is lost \u{1b}[2J \u{202e}";
    let bearer = format!("Bearer {board}");
    let ask = |name: &str| {
        let headers = [("authorization", &*bearer), ("content-type", "application/json")];
        let body = json!({ "query": "query Known { serviceInfo { version } }", "operationName": name }).to_string();
        server.send("POST", "/graphql", &headers, &body)
    };
    ask("Known");
    let refused: Value = ask(evil).json();
    assert!(refused["errors"].is_array(), "{refused}");
    server.send("GET", "/healthz", &[("x-request-id", "a b\u{9b}")], "");
    server.graphql(
        &board,
        "query Reject { sql(query: \"SELECT '\\n2026 ERROR x' FROM nowhere\") { rows } }",
        &json!({}),
    );
    let metrics = server.metrics(&board);
    assert!(metrics.contains("operation=\"Known\"") && !metrics.contains("all is lost"), "{metrics}");
    let log = server.log_after("TERM");
    assert!(log.contains("Known") && !log.contains(acts), "{log:?}");
    let begins = |line: &str| line.starts_with("20") || line.starts_with("GraphiQL");
    assert!(log.lines().all(begins) && !log.contains("\n2026-01-01T00:00:00Z ERROR"), "{log}");
}
