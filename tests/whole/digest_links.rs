//! The numbers of a reader's digest lead to views of the page, where the reader finds the same numbers.

use crate::digest_world::{self, BRANCH, DEPARTMENT};
use crate::program;
use crate::reader_digests::{DAY, config, run_all, subscribe, token, world};
use crate::web::Visitor;
use crate::web::files::workbook;
use diesel::prelude::*;
use schema::Id;
use schema::states::{StateTable, pair};
use schema::tables::escalations;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use tests::{Json, MailServer, Role, TestApp};

const BASE: &str = "https://phananh.example.org";
/// The day of an earlier digest.
const BEFORE: &str = "2025-12-17";

/// The digest that an address would get, as HTML and as a document.
fn preview(app: &TestApp, folder: &Path, address: &str, config: &str) -> (String, Value) {
    let out = folder.join(format!("{}-{address}", app.database.name));
    let out = out.to_str().expect("a path");
    let args = ["digest", "preview", "--for", address, "--as-of", DAY, "--out", out, "--config", config];
    program().json(&app.database, &args);
    let read = |name: &str| std::fs::read_to_string(format!("{out}/{name}")).expect("a part of the digest");
    (read("digest.html"), serde_json::from_str(&read("digest.json")).expect("JSON"))
}

/// The paths of the links of a digest, with their texts.
fn links(html: &str) -> Vec<(String, String)> {
    let link_begins = format!("<a href=\"{BASE}");
    let all = html.split(&link_begins).skip(1);
    let link = |rest: &str| {
        let (path, rest) = rest.split_once('"').expect("the end of an address");
        let text = rest.split_once('>').expect("a tag").1.split("</a>").next().expect("a text");
        let path = path.replace("&amp;", "&");
        (path.split('#').next().unwrap_or_default().to_owned(), text.to_owned())
    };
    all.map(link).collect()
}

/// The first numbers of an English text.
fn numbers(text: &str) -> Vec<f64> {
    let plain = text.replace(',', "");
    let parts = plain.split(|c: char| !c.is_ascii_digit() && c != '.');
    parts.filter_map(|part| part.trim_matches('.').parse().ok()).collect()
}

fn rows(csv: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

/// What a link of a digest leads to.
fn kind(path: &str) -> String {
    let (view, arguments) = path.split_once('?').unwrap_or((path, ""));
    let of = |name: &str| arguments.split('&').find_map(|one| one.strip_prefix(&format!("{name}=")));
    match view {
        "/explore" if arguments.contains("answered-from") => "answered".to_owned(),
        "/explore" if arguments.contains("responsible-alone") => "overdue of a unit".to_owned(),
        "/explore" if arguments.contains("category=") => "rising".to_owned(),
        "/explore" => of("measure").unwrap_or_default().to_owned(),
        "/complaints" if arguments.contains("due-from") => "newly overdue".to_owned(),
        "/flags" | "/measures" | "/complaints" if arguments.is_empty() => "a heading".to_owned(),
        _ if view.matches('/').count() == 2 && !view.ends_with("/escalations") && !view.ends_with("/changes") => {
            format!("one of {}", view.split('/').nth(1).unwrap_or_default())
        }
        _ => view.to_owned(),
    }
}

/// Follows the links of a digest; returns what they lead to.
#[track_caller]
fn follow(visitor: &mut Visitor<'_>, html: &str) -> BTreeSet<String> {
    let (mut seen, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for (path, text) in links(html) {
        if !seen.insert((path.clone(), text.clone())) {
            continue;
        }
        let of = kind(&path);
        let separator = if path.contains('?') { '&' } else { '?' };
        let table = if path.starts_with("/categories?proposal") { "&table=proposals" } else { "" };
        let said = visitor.get(&format!("{path}{separator}as=csv{table}"));
        // Other pages have no table, or need none.
        let is_counted =
            path.contains('?') && !text.contains('<') && !text.starts_with('…') && !numbers(&text).is_empty();
        if !is_counted {
            let page = visitor.get(&path);
            assert_eq!(page.status, 200, "{text}: {path}: {page:?}");
            kinds.insert(of);
            continue;
        }
        assert_eq!(said.status, 200, "{text}: {path}: {said:?}");
        let (shown, rows) = (numbers(&text), rows(&said.text));
        let field = |row: &[String], place: usize| -> f64 { row[place].parse().unwrap_or(f64::NAN) };
        match path.split('?').next().unwrap_or_default() {
            "/explore" => {
                let Some(shown) = shown.first() else { continue };
                // The row of all; there is none where nothing is counted.
                let value = rows.last().map_or(0.0, |all| field(all, all.len() - 1));
                let within = if text.contains('%') { 0.051 } else { 0.501 };
                assert!((value - shown).abs() <= within, "{text}: {path} has {value}: {rows:?}");
            }
            "/blame" => {
                let row = &rows[0];
                if text.contains(&row[0]) {
                    continue;
                }
                assert!(shown.iter().take(1).all(|one| row.contains(&one.to_string())), "{text}: {path}: {row:?}");
            }
            "/complaints/changes" => {
                assert!(rows.iter().any(|row| field(row, 1) == shown[0]), "{text}: {path}: {rows:?}");
            }
            "/categories" => {
                let Some(before) = shown.first().filter(|_| text.contains("before")) else { continue };
                assert_eq!((field(&rows[0], 3), field(&rows[0], 4)), (*before, shown[2]), "{text}: {path}");
            }
            _ => assert_eq!(rows.len() as f64, shown[0], "{text}: {path}: {rows:?}"),
        }
        kinds.insert(of);
    }
    kinds
}

/// Decides a measure and a proposal before the day of the digest, records complaints that blame the system, runs the jobs
/// again, and escalates on the day of the digest.
fn decide(app: &TestApp, officer: &str, unit: &str) {
    digest_world::decide(app, officer, unit, digest_world::noon());
    digest_world::blaming_complaints(&app.database);
    for job in ["timeliness", "trends", "escalate-overdue", "blame-check"] {
        app.run(&["jobs", "run", job, "--as-of", DAY]);
    }
    let changed = app.database.open().write("test", |tx| {
        let all: Vec<(Id, i32)> =
            escalations::table.select((escalations::complaint_id, escalations::level)).load(tx.conn)?;
        diesel::update(escalations::table).set(escalations::escalated_at.eq(digest_world::noon())).execute(tx.conn)?;
        all.iter().for_each(|(id, level)| tx.record_state(StateTable::Escalations, &pair(id, level)));
        Ok(all.len())
    });
    assert!(changed.expect("the register is changed").value > 0, "complaints are escalated");
    app.sees_the_register();
}

/// The workbook has the measures, outcomes, proposals and the blame check of the document, row by row.
#[track_caller]
fn workbook_has_what_was_decided(folder: &Path, document: &Value) {
    let book = workbook(&[folder.join("digest.xlsx").to_str().expect("a path")]);
    let column = |sheet: &str, place: usize| -> Vec<Value> {
        let rows = book[sheet].as_array().map(Vec::as_slice).unwrap_or_default();
        rows.iter().skip(1).map(|row| row[place].clone()).collect()
    };
    for (sheet, place, list, field) in [
        ("Measures about officers", 0, &document["measures"]["listed"], "officer"),
        ("Before and after measures", 0, &document["measures"]["outcomes"], "officer"),
        ("Proposals of the Board", 0, &document["proposals"], "title"),
        ("Who blames the system", 1, &document["blame"], "code"),
    ] {
        let wanted: Vec<&str> = list.list().iter().map(|one| one[field].text()).collect();
        let found = column(sheet, place);
        assert_eq!(found.iter().map(|cell| cell[2].text()).collect::<Vec<_>>(), wanted, "{sheet}: {book}");
        assert!(!wanted.is_empty(), "{sheet} has rows");
    }
    let [decided, before] = [column("Measures about officers", 3), column("Before and after measures", 5)];
    assert_eq!((&decided[0][0], &decided[0][1]), (&json!("datetime"), &json!("yyyy-mm-dd")), "{book}");
    assert_eq!(before[0][2].text(), document["measures"]["outcomes"][0]["before"].to_string());
    assert_eq!(column("Proposals of the Board", 9)[0][2], "new", "{book}");
    assert_eq!(column("Who blames the system", 6)[0][2], "new", "{book}");
}

/// The workbook has what is new since the digest before, and the branches of the funnel.
#[track_caller]
fn workbook_has_news_and_branches(folder: &Path, document: &Value) {
    let book = workbook(&[folder.join("digest.xlsx").to_str().expect("a path")]);
    let rows = |sheet: &str| -> Vec<Vec<String>> {
        let all = book[sheet].as_array().map(Vec::as_slice).unwrap_or_default().iter().skip(1);
        all.map(|row| row.list().iter().map(|cell| cell[2].text().to_owned()).collect()).collect()
    };
    let news = rows("New since the last digest");
    for (row, field) in news.iter().zip(["received", "answered", "overdue", "other"]) {
        assert_eq!(row[1], document["news"][field].to_string(), "{field}: {book}");
    }
    let rising = document["news"]["rising"].list().len();
    assert!(rising > 0 && news.len() == 4 + rising, "{rising}: {news:?}");
    let branches = document["unusual"]["funnel"]["branches"].list();
    let shown: Vec<String> = rows("Branches against chance").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(shown, branches.iter().map(|line| line["code"].text()).collect::<Vec<_>>());
    assert!(!rows("The gravest flag").is_empty(), "{book}");
}

/// The curve of waiting times in the digest of a head is the one that the page shows this head.
#[track_caller]
fn assert_waits_as_on_the_page(app: &TestApp, document: &Value) {
    let card = format!("scorecard(days: 365, asOf: \"{DAY}\") {{ waiting {{ days share }} stillWaitingDays }}");
    let found = app.as_head(DEPARTMENT).data(&format!("{{ unit(code: \"{DEPARTMENT}\") {{ {card} }} }}"));
    let (sent, shown) = (&document["head"]["waiting"], &found["unit"]["scorecard"]);
    assert_eq!(sent["stillWaiting"], shown["stillWaitingDays"], "{sent} {shown}");
    let (sent, shown) = (sent["steps"].list(), shown["waiting"].list());
    assert!(!sent.is_empty() && sent.len() == shown.len(), "{sent:?} {shown:?}");
    for (sent, shown) in sent.iter().zip(shown) {
        assert_eq!(sent[0].number(), shown["days"].number());
        assert!((sent[1].number() - shown["share"].number()).abs() < 1e-4, "{sent} {shown}");
    }
}

#[test]
fn each_number_of_a_digest_leads_to_the_same_number_on_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    for app in TestApp::both().filled(world).arguments(&["--no-jobs"]) {
        let database = &app.database;
        let server = MailServer::started();
        let config = config(folder.path(), server.port);
        let chair = token(database, "chair", &["--role", "BOARD"]);
        let head = token(database, "head", &["--role", "UNIT_HEAD", "--unit", DEPARTMENT]);
        let subscribed = |name: &str, address: &str, more: &[&str]| {
            subscribe(database, address, "en", &[&["--reader", name][..], more].concat());
        };
        subscribed("chair", "chair@example.org", &[]);
        subscribed("head", "head@example.org", &[]);
        // Their digests before. The others get their first ones.
        run_all(database, BEFORE);
        for job in ["reader-digests", "deliver-digests"] {
            app.run(&["jobs", "run", job, "--as-of", BEFORE, "--config", &config]);
        }
        assert_eq!(server.mails().len(), 2);
        let (_, first) = preview(&app, folder.path(), "chair@example.org", &config);
        let standing = first["flags"]["standing"].list();
        let officer = standing.iter().find(|flag| flag["kind"] == "OFFICER").expect("a flag on an officer");
        let (officer, team) = (officer["code"].text(), officer["unit"]["code"].text());
        let branch = standing.iter().find(|flag| flag["kind"] == "BRANCH").expect("a flag on a branch");
        let branch = branch["unit"]["code"].text().to_owned();
        decide(&app, officer, team);
        let mut board = Visitor::signed_in(app.server(), &chair);

        let (html, document) = preview(&app, folder.path(), "chair@example.org", &config);
        let kinds = follow(&mut board, &html);
        for wanted in [
            "COMPLAINTS",
            "answered",
            "OVERDUE",
            "overdue of a unit",
            "newly overdue",
            "COST_VND",
            "DELAY_HOURS",
            "SHARE_ANSWERED_IN_TIME",
            "MEDIAN_DAYS_TO_RESPONSE",
            "/flags",
            "/measures",
            "/complaints",
            "/complaints/changes",
            "/categories",
            "/overdue/escalations",
            "one of flags",
            "one of measures",
            "one of units",
            "rising",
            "/blame",
        ] {
            assert!(kinds.contains(wanted), "{}: no link to {wanted}: {kinds:?}", database.name);
        }
        let blame = document["blame"].list();
        assert!(blame.iter().any(|line| line["kind"] == "OFFICER"), "{}: {blame:?}", database.name);
        assert!(blame.iter().any(|line| line["code"] == BRANCH), "{}: {blame:?}", database.name);
        assert!(html.contains("Who blames the system") && html.contains("New since the last digest"));
        let out = folder.path().join(format!("{}-chair@example.org", database.name));
        workbook_has_what_was_decided(&out, &document);
        workbook_has_news_and_branches(&out, &document);
        assert!(document["overdue"]["newlyEscalated"][0].integer() > 0);
        assert!(document["news"]["overdue"].integer() > 0, "the list of what is newly overdue has rows");

        // Readers who see more than the digest has find the same numbers, too: a member of the Board, and the head
        // above.
        let department = app.as_role(Role::Board).data(&format!(
            "{{ complaints(first: 1, filter: {{unit: {{within: \"{branch}\"}}}}) {{ nodes {{ department {{ code }} }} }} }}"
        ));
        let department = department["complaints"]["nodes"][0]["department"]["code"].text().to_owned();
        assert_eq!(department, DEPARTMENT, "the one in which officers blame the system");
        let top = app
            .as_role(Role::Board)
            .data("{ units(first: 1, filter: {kind: {eq: GENERAL_DEPARTMENT}}) { nodes { code } } }");
        let top = top["units"]["nodes"][0]["code"].text().to_owned();
        let general = token(database, "general", &["--role", "UNIT_HEAD", "--unit", &top]);
        subscribed("head", "below@example.org", &["--unit", &branch]);
        subscribed("chair", "about@example.org", &["--unit", &department]);
        subscribed("general", "general@example.org", &[]);
        for (address, token) in [
            ("head@example.org", &head),
            ("below@example.org", &head),
            ("about@example.org", &chair),
            ("general@example.org", &general),
        ] {
            let (html, document) = preview(&app, folder.path(), address, &config);
            let kinds = follow(&mut Visitor::signed_in(app.server(), token), &html);
            for wanted in ["COMPLAINTS", "answered", "OVERDUE", "OPEN", "COST_VND", "/flags", "one of flags"] {
                assert!(kinds.contains(wanted), "{} {address}: no link to {wanted}: {kinds:?}", database.name);
            }
            if address == "head@example.org" {
                assert_waits_as_on_the_page(&app, &document);
            }
            let [late, escalated] = ["late", "escalated"].map(|list| !document["head"][list].list().is_empty());
            assert_eq!(kinds.contains("one of complaints"), late || escalated, "{} {address}", database.name);
            assert_eq!(kinds.contains("/overdue/escalations"), escalated, "{} {address}", database.name);
            // The department and those above it have the overdue complaints of the other branch.
            let is_above = address != "below@example.org";
            assert!(!is_above || (late && escalated), "{} {address}", database.name);
            let has_news = address == "head@example.org";
            assert_eq!(html.contains("New since the last digest"), has_news, "{address}");
            assert_eq!(kinds.contains("newly overdue"), has_news, "{address}: {kinds:?}");
        }
    }
}

#[test]
fn without_the_address_of_the_server_a_digest_has_no_links() {
    let app = TestApp::sqlite().filled(world).arguments(&["--no-jobs"]).start();
    let folder = tempfile::tempdir().expect("a folder");
    token(&app.database, "chair", &["--role", "BOARD"]);
    subscribe(&app.database, "chair@example.org", "vi", &["--reader", "chair"]);
    let out = folder.path().to_str().expect("a path");
    let args = ["digest", "preview", "--for", "chair@example.org", "--as-of", DAY, "--out", out];
    program().json(&app.database, &args);
    for name in ["digest.html", "digest.txt"] {
        let digest = std::fs::read_to_string(folder.path().join(name)).expect("a part of the digest");
        assert!(!digest.contains("<a ") && !digest.contains("/explore"), "{name}: {digest}");
    }
}
