//! The views of units: what each role sees, and that the numbers are those of the API.

use super::explore::{listed, rows};
use super::{Visitor, accessible};
use chrono::Days;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Database, Json, Program, Role, Server, TestApp, WORKBOOK};

/// A world with numbers adjusted for workload, up to yesterday.
pub fn world_of_today(database: &Database) {
    database.fill_once("page with a world of today", |database| {
        let program = Program::built();
        let yesterday = (local_date(Timestamp::now()) - Days::new(1)).to_string();
        program.run(database, ["generate", "--complaints", "4000", "--seed", "7", "--until", yesterday.as_str()]).ok();
        program.json(database, &["jobs", "run", "recurrence", "--as-of", &yesterday]);
    });
}

/// A server with a key file, which pseudonyms need, and tokens of a Board, a head, a data team, a dashboard and an
/// administrator.
pub fn with_each_role(app: &TestApp, head: &str, test: impl Fn(&Server, &[String; 5])) {
    let files = tests::fixtures::Files::new();
    let key = files.key_file();
    let arguments = ["--no-jobs", "--key-file", &key];
    let server = Program::built().serve(&app.database, &arguments);
    let tokens = [
        app.as_role(Role::Board).token,
        app.as_head(head).token,
        app.as_role(Role::DataTeam).token,
        app.as_role(Role::Dashboard).token,
        app.as_role(Role::Admin).token,
    ];
    test(&server, &tokens);
}

/// A page without the escapes of slashes.
#[track_caller]
pub fn page(visitor: &mut Visitor<'_>, path: &str) -> String {
    let page = visitor.get(path);
    assert_eq!(page.status, 200, "{path}: {page:?}");
    page.text.replace("&#x2f;", "/")
}

#[test]
fn each_role_sees_of_a_unit_what_it_may_ask() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        with_each_role(&app, "02CV", |server, tokens| {
            // What a page has, and whether a Board, a head, a data team, a dashboard and an administrator get it.
            let shown = [
                ("table-scorecard", [true, true, false, false, false]),
                ("table-peers", [true, true, false, false, false]),
                ("id=\"late\"", [true, true, true, false, false]),
                ("table-categories", [true, true, true, true, false]),
                ("table-history", [true, false, false, false, true]),
                ("/units/02CV-D1", [true; 5]),
                ("href=\"/complaints?unit=02CV\"", [true, true, true, false, false]),
            ];
            for (place, token) in tokens.iter().enumerate() {
                let mut visitor = Visitor::signed_in(server, token);
                let list = page(&mut visitor, "/units");
                assert!(list.contains("href=\"/units/02CV\"") && list.contains("href=\"/units/03\""), "{list}");
                assert_eq!(list.contains("name=\"months\""), place < 4, "numbers of {place}: {list}");
                let one = page(&mut visitor, "/units/02CV?days=730");
                for (words, of) in shown {
                    assert_eq!(one.contains(words), of[place], "{words} for {place}: {one}");
                }
                assert_eq!(visitor.get("/units/nowhere").status, 404);
            }
            // A head sees neither the complaints of a neighbour nor those in confidence.
            let of_neighbour = page(&mut Visitor::signed_in(server, &tokens[1]), "/units/03TG");
            assert!(!of_neighbour.contains("href=\"/complaints/"), "{of_neighbour}");
            let board = page(&mut Visitor::signed_in(server, &tokens[0]), "/units/03TG");
            assert!(board.contains("href=\"/complaints/"), "{board}");
        });
    }
}

#[test]
fn searched_and_ended_units() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    let found = page(&mut visitor, "/units?search=chuyen+phat&as=csv");
    assert_eq!(found.lines().count(), 2, "{found}");
    assert!(found.contains(",02DS,"), "{found}");
    let teams = page(&mut visitor, "/units?search=02CV-D1&as=csv");
    assert!(teams.contains(",02CV-D1,Đội,02CV,"), "{teams}");
    let none = page(&mut visitor, "/units?search=nowhere");
    assert!(!none.contains("<ul class=\"tree\">") && none.contains("id=\"table-units\""), "{none}");
    let before = none.split("id=\"table-units\"").next().unwrap_or_default();
    assert!(before.ends_with("<p class=\"nothing\" "), "it says so: {none}");
    let workbook = visitor.get("/units?search=02DS&as=xlsx");
    assert_eq!((workbook.status, workbook.content_type.as_str()), (200, WORKBOOK), "{workbook:?}");
    assert!(workbook.text.starts_with("PK"), "{workbook:?}");
}

#[test]
fn the_pictures_of_units_are_drawn_and_their_numbers_are_those_of_the_api() {
    for app in TestApp::both().filled(world_of_today).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let list = page(&mut visitor, "/units");
        for id in ["map-title", "map-narrow-title", "funnel-title"] {
            assert!(list.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(list.contains("Hoàng Sa") && list.contains("Trường Sa"));
        // The provinces since the merger, each once, with the numbers of all branches.
        let map = list.split("id=\"table-map\"").nth(1).and_then(|rest| rest.split("</table>").next());
        let map = map.expect("a table");
        assert_eq!(map.matches("<tr>").count(), 1 + 34, "{map}");
        assert!(map.contains(">Huế<") && !map.contains("Bình Dương"), "{map}");
        assert!(!list.contains("web.places_file"), "each branch lies in a province: {list}");
        // Both widths of the map draw the outline of a province, which is there once, and each use has its shape.
        let outlines = list.split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let outlines: Vec<&str> = outlines.filter(|outline| outline.len() > 60).collect();
        let different: BTreeSet<&str> = outlines.iter().copied().collect();
        assert!(outlines.len() > 10 && different.len() == outlines.len(), "{} of {}", different.len(), outlines.len());
        let used: BTreeSet<&str> =
            list.split("<use href=\"#").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(used.len() > 10 && used.iter().all(|id| list.contains(&format!(" id=\"{id}\""))), "{used:?}");
        assert!(list.contains("đúng hạn</span>"), "each unit has its numbers: {list}");
        let data = board.data("{ funnelPlot { points { unitCode observed } } }");
        let busiest = data["funnelPlot"]["points"].list().iter().max_by_key(|point| point["observed"].integer());
        let code = busiest.expect("a branch")["unitCode"].text().to_owned();
        let one = page(&mut visitor, &format!("/units/{code}"));
        for id in ["waiting-title", "trend-title", "cusum-title"] {
            assert!(one.contains(&format!("id=\"{id}\"")), "{id}: {one}");
        }
        categories_name_their_days(&one);
        let card = board.data_with(
            "query($code: String!) { unit(code: $code) { scorecard { complaints due waiting { days share }
                stillWaitingDays medianDaysToResponse } } }",
            &json!({ "code": code }),
        )["unit"]["scorecard"]
            .clone();
        let csv = page(&mut visitor, &format!("/units/{code}?as=csv&table=scorecard"));
        assert!(csv.contains(&format!("Phản ánh đã nhận,{}\n", card["complaints"].integer())), "{csv}");
        curve_is_the_median(&card);
        // Peers are in the order of their codes, and the unit itself is among them.
        let peers = page(&mut visitor, &format!("/units/{code}?as=csv&table=peers"));
        // The code is in the last parentheses: a name may have some of its own.
        let codes: Vec<&str> = peers.lines().skip(1).filter_map(|line| line.rsplit(['(', ')']).nth(1)).collect();
        assert!(codes.is_sorted() && codes.contains(&code.as_str()), "{codes:?}");
    }
}

#[test]
fn numbers_of_units_categories_and_months_lead_to_the_complaints_that_they_count() {
    /// Longer lists take longer.
    const LONGEST: usize = 300;
    let app = TestApp::sqlite().filled(world_of_today).arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let mut visitor = Visitor::signed_in(app.server(), &board.token);
    let data = board.data("{ funnelPlot { points { unitCode } } }");
    let branch = data["funnelPlot"]["points"][0]["unitCode"].text();
    for path in [
        "/",
        "/units",
        "/units?months=3&kind=TECHNICAL",
        &format!("/units/{branch}"),
        "/categories?level=2",
        &format!("/categories?days=90&unit={branch}"),
    ] {
        let found = listed(&page(&mut visitor, path));
        assert!(!found.is_empty(), "{path}");
        for (href, number) in found.into_iter().filter(|(_, number)| *number <= LONGEST).take(6) {
            assert_eq!(rows(&mut visitor, &href), number, "{path}: {href}");
        }
    }
}

#[test]
fn a_register_with_other_codes_names_the_shapes_of_its_units() {
    let app = TestApp::sqlite().filled(world_of_today).arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let data = board.data("{ funnelPlot { points { unitCode } } }");
    let branch = data["funnelPlot"]["points"][0]["unitCode"].text();
    let files = tests::fixtures::Files::new();
    for (code, has_map) in [(branch, true), ("nowhere", false)] {
        let unit = format!("unit = [{{ code = {code:?}, shapes = [\"danang\", \"hoangsa\"] }}]\n");
        let places = files.put("places.toml", unit);
        let config = files.put("phananh.toml", format!("[web]\nplaces_file = {places:?}\n"));
        let arguments = ["--no-jobs", "--config", config.to_str().expect("a path")];
        let server = Program::built().serve(&app.database, &arguments);
        let list = page(&mut Visitor::signed_in(&server, &board.token), "/units");
        assert_eq!(list.contains("id=\"map-title\""), has_map, "{code}");
    }
}

/// The caption of the categories of a unit has the first and the last day of the complaints that it leads to.
#[track_caller]
fn categories_name_their_days(page: &str) {
    let table = page.split("<table id=\"table-categories\">").nth(1).and_then(|rest| rest.split("</table>").next());
    let (caption, rows) = table.and_then(|table| table.split_once("</caption>")).expect("a table");
    for (argument, word) in [("from", "từ"), ("until", "đến")] {
        let day = rows.split(&format!("{argument}=")).nth(1).and_then(|rest| rest.get(..10)).expect("a day");
        let [year, month, day] = day.split('-').collect::<Vec<_>>()[..] else { panic!("{day} in {rows}") };
        let said = format!("{word} {day}/{month}/{year}");
        assert!(caption.contains(&said), "{said}: {caption}");
    }
}

/// The curve of waiting times falls, and reaches half at the median.
#[track_caller]
fn curve_is_the_median(card: &Value) {
    let steps: Vec<(f64, f64)> =
        card["waiting"].list().iter().map(|step| (step["days"].number(), step["share"].number())).collect();
    assert!(steps.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 > two[1].1), "{steps:?}");
    let half = steps.iter().find(|(_, share)| *share <= 0.5 + 1e-9).map(|(days, _)| *days);
    assert_eq!(half, card["medianDaysToResponse"].as_f64());
    let waiting: Vec<i64> = card["stillWaitingDays"].list().iter().map(Json::integer).collect();
    assert!(waiting.is_sorted(), "{waiting:?}");
}

#[test]
fn the_views_of_numbers_are_accessible() {
    let app = TestApp::sqlite().filled(world_of_today).arguments(&["--no-jobs"]).start();
    let board = app.as_role(Role::Board);
    let data = board.data("{ funnelPlot { points { unitCode } } }");
    let branch = data["funnelPlot"]["points"][0]["unitCode"].text();
    let one = format!("/units/{branch}");
    // What the Board, a head, the data team and a dashboard see of many numbers and of pictures.
    let pages = [
        &["/", "/units", &one, "/categories", "/explore?by=MONTH", "/explore?by=KIND&and=CHANNEL&measure=COST_VND"][..],
        &["/", &one, "/categories"],
        &["/", "/explore?by=CATEGORY"],
        &["/", "/units", &one, "/explore?by=MONTH"],
    ];
    with_each_role(&app, branch, |server, tokens| {
        let readers = pages.iter().zip(tokens).enumerate().map(|(place, (paths, token))| {
            let pages: Vec<(&str, u16)> = paths.iter().map(|path| (*path, 200)).collect();
            json!({ "token": token, "pages": pages, "letters": place == 0 })
        });
        accessible(server, &json!({ "readers": readers.collect::<Vec<_>>() }));
    });
}

#[test]
fn without_workload_the_page_says_why_it_has_no_map() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    let list = page(&mut Visitor::signed_in(app.server(), &app.as_role(Role::Board).token), "/units");
    assert!(list.contains("Chưa có bản đồ và biểu đồ phễu") && !list.contains("id=\"map-title\""), "{list}");
    // A role that never sees rates is not told of them.
    let head = page(&mut Visitor::signed_in(app.server(), &app.as_head("02CV").token), "/units");
    assert!(!head.contains("id=\"rates\""), "{head}");
}
