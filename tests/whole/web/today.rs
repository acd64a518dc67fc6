//! Today: what changed, what waits, and the numbers of the month, for each role.

use super::Visitor;
use super::units::{page, with_each_role};
use crate::intake::{answer_it, submitted};
use schema::enums::Role;
use serde_json::json;
use std::thread;
use std::time::Duration;
use tests::{Json, TestApp};

#[test]
fn today_shows_each_role_what_concerns_it() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let files = tests::fixtures::Files::new();
        let key = files.key_file();
        let arguments = ["--no-jobs", "--key-file", &key];
        let server = tests::Program::built().serve(&app.database, &arguments);
        let page = |token: &str| {
            let page = Visitor::signed_in(&server, token).get("/");
            assert_eq!(page.status, 200, "{page:?}");
            page.text
        };
        // The words of an answer, and whether the Board, a head, the data team, a dashboard and an administrator get it.
        let shown = [
            ("chờ phân loại", [true, false, false, false, false]),
            ("đến hạn trong 5 ngày tới", [false, true, false, false, false]),
            ("quá hạn trả lời", [true, true, true, false, false]),
            ("phản ánh giữ kín chờ trả lời", [false, true, false, false, false]),
            ("đề xuất chờ quyết định", [true, false, false, false, false]),
            ("đề xuất đã được chấp nhận", [true, false, false, false, false]),
            ("table-flags", [true, true, false, false, false]),
            ("table-month", [true, true, true, true, false]),
            ("table-jobs", [false, false, false, false, true]),
        ];
        let tokens = [
            app.as_role(Role::Board).token,
            app.as_head("03TG").token,
            app.as_role(Role::DataTeam).token,
            app.as_role(Role::Dashboard).token,
            app.as_role(Role::Admin).token,
        ];
        for (place, token) in tokens.iter().enumerate() {
            let text = page(token);
            for (words, of) in shown {
                assert_eq!(text.contains(words), of[place], "{words} for {place}: {text}");
            }
        }
        // A reader who signs in again sees what changed since.
        let again = page(&tokens[0]);
        assert!(again.contains("khi quý vị xem lần trước"), "{again}");
        let redacted = Visitor::signed_in(&server, &tokens[1]).get("/complaints/redacted?state=waiting");
        assert_eq!(redacted.status, 200, "{redacted:?}");
        // Flags have the names that their list has.
        let mut board = Visitor::signed_in(&server, &tokens[0]);
        let subjects = |csv: &str| -> Vec<String> {
            csv.lines().skip(1).map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect()
        };
        let listed = subjects(&board.get("/flags?as=csv").text);
        let newest = subjects(&board.get("/?as=csv&table=flags").text);
        assert!(!newest.is_empty() && newest.iter().all(|one| listed.contains(one)), "{newest:?} of {listed:?}");
    }
}

/// The number of Today that precedes these words.
#[track_caller]
fn number_before(page: &str, words: &str) -> i64 {
    let tiles = page.split("<strong>").filter_map(|rest| rest.split_once("</strong> "));
    let number = tiles.filter(|(_, rest)| rest.split('<').next() == Some(words)).map(|(number, _)| number).next();
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number before {words:?}: {page}"))
}

#[test]
fn the_numbers_and_lists_of_today_are_those_of_the_api() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        app.run(&["jobs", "run", "escalate-overdue", "--as-of", "2024-03-31"]);
        with_each_role(&app, "03TG", |server, tokens| {
            let pages: Vec<String> =
                tokens.iter().map(|token| page(&mut Visitor::signed_in(server, token), "/")).collect();
            let (mut sum, overdue) = (0, "complaints(first: 0, filter: {overdue: {eq: true}})");
            // The Board comes first, then the head, the data team, the dashboard and the administrator.
            for (words, list, places) in [
                ("phản ánh quá hạn trả lời", overdue, &[0, 1, 2][..]),
                ("cảnh báo chưa ai xem xét", "flags(first: 0, filter: {state: {eq: OPEN}})", &[0][..]),
                ("phản ánh chờ phân loại", "complaints(first: 0, filter: {state: {eq: RECEIVED}})", &[0][..]),
                (
                    "phản ánh đã chuyển lên cấp trên, chưa trả lời",
                    "escalations(first: 0, filter: {open: {eq: true}})",
                    &[1][..],
                ),
            ] {
                for place in places {
                    let data = server.data(&tokens[*place], &format!("{{ {list} {{ totalCount }} }}"));
                    let count = data.object().values().next().expect("a list")["totalCount"].integer();
                    assert_eq!(number_before(&pages[*place], words), count, "{words} for {place}");
                    sum += count;
                }
            }
            assert!(sum > 5, "the numbers are not all zero");
            let standing =
                "{ flags(first: 10, filter: {state: {in: [OPEN, ACKNOWLEDGED, UNDER_REVIEW]}}) { nodes { id } } }";
            for place in [0, 1] {
                let data = server.data(&tokens[place], standing);
                let ids: Vec<&str> = data["flags"]["nodes"].list().iter().map(|flag| flag["id"].text()).collect();
                assert!(!ids.is_empty(), "{place} has flags");
                assert!(
                    ids.iter().all(|id| pages[place].contains(&format!("href=\"/flags/{id}\""))),
                    "{place}: {ids:?}"
                );
                let csv = page(&mut Visitor::signed_in(server, &tokens[place]), "/?as=csv&table=flags");
                assert_eq!(csv.lines().count() - 1, ids.len(), "{place}: {csv}");
            }
            let jobs = server.data(&tokens[4], "{ jobs { name } }");
            let csv = page(&mut Visitor::signed_in(server, &tokens[4]), "/?as=csv&table=jobs");
            let listed: Vec<&str> = csv.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
            let names: Vec<&str> = jobs["jobs"].list().iter().map(|job| job["name"].text()).collect();
            assert_eq!(listed, names, "{csv}");
        });
    }
}

#[test]
fn today_compares_the_month_with_its_usual_range() {
    let app = TestApp::sqlite().generated(3_000, 7).start();
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    let csv = visitor.get("/?as=csv&table=month").text;
    let line = csv.lines().find(|line| line.starts_with("Phản ánh")).unwrap_or_else(|| panic!("{csv}"));
    let usual = line.split(',').nth(2).unwrap_or_default();
    assert!(usual.contains(" – "), "a range: {line}");
    assert!(visitor.get("/").text.contains("picture-wide"), "the number of complaints is always drawn");
}

#[test]
fn a_category_that_rises_leads_to_the_complaints_that_it_counts() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        for number in 0..12 {
            let text = json!({ "text": format!("Việc thứ {number} trong ngày.") });
            let position = submitted(&intake, &format!("rise-{number}"), &text)["position"].clone();
            // The columns that trends read have it, too.
            let seen = "query($p: Int) { complaintStatistics(minPosition: $p) { totals { complaints } } }";
            board.data_with(seen, &json!({ "p": position }));
        }
        for token in [board.token, app.as_head("02CV").token] {
            let mut visitor = Visitor::signed_in(app.server(), &token);
            let today = page(&mut visitor, "/").replace("&amp;", "&");
            let table = today.split("id=\"table-rising\"").nth(1).and_then(|rest| rest.split("</table>").next());
            let table = table.unwrap_or_else(|| panic!("nothing rises: {today}"));
            assert!(table.contains("href=\"/categories?category=TD1\""), "{table}");
            let links = table.split("href=\"/complaints?").skip(1).filter_map(|rest| rest.split_once("\">"));
            let links: Vec<(&str, &str)> = links.collect();
            assert!(!links.is_empty(), "{table}");
            for (query, rest) in links {
                let number: usize = rest.split('<').next().and_then(|text| text.parse().ok()).expect("a number");
                assert_eq!(rows(&mut visitor, &format!("/complaints?{query}")), number, "{query}");
                assert!(number >= 12, "{query}: {number}");
            }
        }
    }
}

/// The rows of the table of a page.
#[track_caller]
fn rows(visitor: &mut Visitor<'_>, href: &str) -> usize {
    let file = visitor.get(&format!("{href}{}as=csv", if href.contains('?') { '&' } else { '?' }));
    assert_eq!(file.status, 200, "{href}: {file:?}");
    file.text.lines().count() - 1
}

/// The numbers of a page, each with its address.
fn tiles(page: &str) -> Vec<(String, String)> {
    let page = page.replace("&#x2f;", "/").replace("&amp;", "&");
    let tiles = page
        .split("<li><a href=\"")
        .filter_map(|rest| rest.split_once("\"><strong>"))
        .filter_map(|(href, rest)| Some((href.to_owned(), rest.split_once("</strong>")?.0.to_owned())));
    tiles.collect()
}

/// The number whose address begins with some text.
#[track_caller]
fn tile(tiles: &[(String, String)], begin: &str) -> (String, String) {
    let found = tiles.iter().find(|(href, _)| href.starts_with(begin));
    found.cloned().unwrap_or_else(|| panic!("no {begin} in {tiles:?}"))
}

#[test]
fn numbers_of_today_lead_to_what_they_count() {
    let app = TestApp::sqlite().world_with_flags("2024-03-31").arguments(&["--no-jobs"]).start();
    // The beginning of an address, and whether its list has as many rows as the number says.
    let of_board = [
        ("/complaints?recorded=", true),
        ("/complaints?responded=", true),
        ("/overdue/escalations?all=1&from=", true),
        ("/flags?state=all&since=", true),
        ("/jobs?state=FAILED&from=", false),
        ("/flags?tier=SUSPENSION_REVIEW", true),
        ("/complaints?state=RECEIVED", true),
        ("/complaints/corrections", false),
        ("/guidance?state=OPINION_REQUESTED", true),
        ("/categories?state=PROPOSED#proposals", false),
        ("/categories?state=ACCEPTED#proposals", false),
    ];
    let of_head =
        [("/complaints?due=5&order=due", true), ("/complaints?overdue=1", true), ("/overdue/escalations", true)];
    let mut counted = 0;
    for (token, leads) in [(app.as_role(Role::Board).token, &of_board[..]), (app.as_head("03TG").token, &of_head[..])] {
        let mut visitor = Visitor::signed_in(app.server(), &token);
        let all = tiles(&visitor.get("/").text);
        for (begin, is_list) in leads {
            let (href, number) = tile(&all, begin);
            assert_eq!(visitor.get(href.split('#').next().unwrap_or_default()).status, 200, "{href}");
            if *is_list {
                let number: usize = number.parse().expect("a number below a thousand");
                assert_eq!(rows(&mut visitor, &href), number, "{href}");
                counted += number;
            }
        }
    }
    assert!(counted > 5, "the lists are not all empty");
    let mut visitor = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
    for wrong in ["due=soon", "due=1000", "recorded=yesterday"] {
        let page = visitor.get(&format!("/complaints?{wrong}"));
        let field = format!("href=\"#{}\"", wrong.split('=').next().unwrap_or_default());
        assert!(page.status == 422 && page.text.contains(&field), "{wrong}: {page:?}");
    }
}

#[test]
fn a_second_visit_on_one_day_counts_and_lists_what_came_between() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake, head) = (app.as_role(Role::Board), app.as_role(Role::Intake), app.as_head("02CV"));
        let morning = submitted(&intake, "morning", &json!({}));
        answer_it(&board, &head, &morning["id"], "Đã giải thích.", "COMPLAINANT");
        // Moments of addresses have seconds.
        let wait = || thread::sleep(Duration::from_millis(1_100));
        wait();
        assert_eq!(Visitor::signed_in(app.server(), &board.token).get("/").status, 200);
        wait();
        let afternoon = submitted(&intake, "afternoon", &json!({ "text": "Một việc khác trong buổi chiều." }));
        answer_it(&board, &head, &morning["id"], "Đã xin lỗi.", "COMPLAINANT");
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let all = tiles(&visitor.get("/").text);
        for (begin, complaint) in [("/complaints?recorded=", &afternoon), ("/complaints?responded=", &morning)] {
            let (href, number) = tile(&all, begin);
            assert_eq!(number, "1", "{href}");
            let list = visitor.get(&format!("{href}&as=csv")).text;
            assert!(list.lines().count() == 2 && list.contains(complaint["reference"].text()), "{href}: {list}");
            let form = visitor.get(&href).text;
            assert!(form.contains("type=\"datetime-local\""), "the field keeps the moment: {form}");
        }
        let (href, number) = tile(&all, "/overdue/escalations?all=1&from=");
        assert_eq!((number.as_str(), rows(&mut visitor, &href)), ("0", 0), "{href}");
    }
}
