//! Explore: each role groups by what it may, and reads the numbers of the API.

use super::Visitor;
use super::units::{page, with_each_role, world_of_today};
use crate::intake::submitted;
use serde_json::json;
use tests::work::Mutations;
use tests::{Json, Role, TestApp};

#[test]
fn each_role_groups_by_what_it_may() {
    for app in TestApp::both().filled(world_of_today).arguments(&["--no-jobs"]) {
        let data = app.as_role(Role::Board).data("{ funnelPlot { points { unitCode } } }");
        let head = data["funnelPlot"]["points"][0]["unitCode"].text().to_owned();
        with_each_role(&app, &head, |server, tokens| {
            // A choice, and whether a Board, a head, a data team and a dashboard are offered it.
            let offered = [
                ("CATEGORY", [true, true, true, true]),
                ("MONTH", [true, true, true, true]),
                ("DAY", [true, true, true, false]),
                ("OFFICER", [true, true, true, false]),
                ("ENTERPRISE", [true, false, true, false]),
                ("OVERDUE", [true, true, true, false]),
                ("EPISODES", [true, false, true, true]),
            ];
            for (place, token) in tokens[..4].iter().enumerate() {
                let mut visitor = Visitor::signed_in(server, token);
                let form = page(&mut visitor, "/explore");
                for (value, of) in offered {
                    let is_offered = form.contains(&format!("<option value=\"{value}\""));
                    assert_eq!(is_offered, of[place], "{value} for {place}: {form}");
                    let argument = if matches!(value, "OVERDUE" | "EPISODES") { "measure" } else { "by" };
                    let answer = visitor.get(&format!("/explore?and=KIND&{argument}={value}"));
                    // What is not offered is refused: another table would look like the one asked for.
                    let is_refused = answer.status == 422 && answer.text.contains(&format!("href=\"#{argument}\""));
                    assert!(
                        if of[place] { answer.status == 200 } else { is_refused },
                        "{value} for {place}: {answer:?}"
                    );
                    assert!(answer.text.contains("table-statistics"), "{value} for {place}");
                }
                let noise = form.contains("thêm nhiễu");
                assert_eq!(noise, place == 3, "{place}");
            }
            let admin = Visitor::signed_in(server, &tokens[4]).get("/explore");
            assert_eq!(admin.status, 403, "{admin:?}");
            // A data team reads pseudonyms.
            let people = page(&mut Visitor::signed_in(server, &tokens[2]), "/explore?by=ENTERPRISE&as=csv");
            let board = page(&mut Visitor::signed_in(server, &tokens[0]), "/explore?by=ENTERPRISE&as=csv");
            let names = |csv: &str| -> Vec<String> {
                csv.lines().skip(1).take(5).map(|line| line.split(',').next().unwrap_or_default().to_owned()).collect()
            };
            assert!(
                names(&people).iter().all(|name| !board.contains(name.as_str()) || name.starts_with('(')),
                "{people}"
            );
            // A dashboard is told which groups are withheld, and gets no number of them.
            let cells = page(
                &mut Visitor::signed_in(server, &tokens[3]),
                "/explore?by=DEPARTMENT&and=KIND&measure=DISTINCT_ENTERPRISES&as=csv",
            );
            let withheld: Vec<&str> = cells.lines().filter(|line| line.contains("không nêu")).collect();
            assert!(!withheld.is_empty(), "{cells}");
            assert!(withheld.iter().all(|line| line.ends_with("không nêu (nhóm nhỏ),không nêu (nhóm nhỏ)")), "{cells}");
        });
    }
}

#[test]
fn the_numbers_are_those_of_the_api() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let data = board.data(
            "{ complaintStatistics(groupBy: [CATEGORY], orderBy: [{ field: COST_VND }],
                filter: { receivedFrom: \"2024-01-01T00:00:00+07:00\", receivedBefore: \"2024-03-01T00:00:00+07:00\" }) {
                rows { complaints costVnd category { nameVi } } } }",
        );
        let path = "/explore?by=CATEGORY&measure=COST_VND&from=2024-01&until=2024-02";
        let csv = page(&mut visitor, &format!("{path}&as=csv"));
        for (row, line) in data["complaintStatistics"]["rows"].list().iter().zip(csv.lines().skip(1)) {
            let (name, cost) = (row["category"]["nameVi"].text(), row["costVnd"].text());
            assert_eq!(line, format!("{name},{},{cost}", row["complaints"].integer()), "{csv}");
        }
        let html = page(&mut visitor, path);
        assert!(html.contains("value=\"2024-01\"") && html.contains("complaintStatistics("), "{html}");
        for (wrong, field) in [("from=March", "from"), ("from=2024-03&until=2024-01", "until")] {
            let refused = visitor.get(&format!("/explore?{wrong}"));
            assert!(refused.status == 422 && refused.text.contains(&format!("href=\"#{field}\"")), "{refused:?}");
        }
        assert_eq!(visitor.get("/explore?category=nowhere").status, 422);
        for wrong in ["by", "and", "measure", "kind", "channel", "state", "confidential"] {
            let refused = visitor.get(&format!("/explore?{wrong}=NOTHING"));
            assert!(refused.status == 422 && refused.text.contains(&format!("href=\"#{wrong}\"")), "{refused:?}");
        }
    }
}

/// The dimensions whose groups the list of complaints has as filters.
const DIMENSIONS: [&str; 17] = [
    "CATEGORY",
    "CATEGORY_GROUP",
    "KIND",
    "DEPARTMENT",
    "BRANCH",
    "TEAM",
    "UNIT",
    "RESPONSIBLE_UNIT",
    "CHANNEL",
    "STATE",
    "LEGAL_FORM",
    "YEAR",
    "QUARTER",
    "MONTH",
    "WEEK",
    "DAY",
    "OFFICER",
];

/// The numbers of a page that lead to a list of complaints: the addresses, and the numbers.
pub fn listed(page: &str) -> Vec<(String, usize)> {
    let page = page.replace("&#x2f;", "/").replace("&amp;", "&");
    let links = page.split("<a href=\"").skip(1).filter_map(|rest| {
        let (href, rest) = rest.split_once("\">")?;
        let number = rest.split_once("</a>")?.0.replace('.', "").parse().ok()?;
        href.starts_with("/complaints?counted=1").then(|| (href.to_owned(), number))
    });
    links.collect()
}

/// The rows of the list at an address.
#[track_caller]
pub fn rows(visitor: &mut Visitor<'_>, href: &str) -> usize {
    page(visitor, &format!("{href}&as=csv")).lines().count() - 1
}

#[test]
fn numbers_lead_to_the_complaints_that_they_count() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let more = json!({ "receivedAt": "2024-03-02T08:00:00+07:00", "officers": ["CC01"] });
        let [first, second] = ["1", "2"].map(|key| submitted(&intake, key, &more));
        // A duplicate is in the list of all complaints, and no number counts it.
        let link = json!({
            "complaintId": second["id"], "expectedVersion": 1, "of": first["id"], "reason": "Gửi hai lần."
        });
        let position = board.done("linkDuplicate", "position", &link)["position"].clone();
        board.data(&format!("{{ complaintStatistics(minPosition: {position}) {{ totals {{ complaints }} }} }}"));
        for client in [&board, &app.as_head("02CV")] {
            let mut visitor = Visitor::signed_in(app.server(), &client.token);
            let all = page(&mut visitor, "/complaints?as=csv").lines().count() - 1;
            let counted = listed(&page(&mut visitor, "/explore?by=YEAR"));
            let (href, number) = counted.last().expect("the row of all");
            assert_eq!((*number, rows(&mut visitor, href)), (all - 1, all - 1), "{href}");
            let alone = DIMENSIONS.map(|by| format!("/explore?by={by}"));
            let more = [
                "by=BRANCH&and=MONTH&from=2024-02&until=2024-03",
                "by=TEAM&and=CATEGORY&unit=02",
                "by=CATEGORY_GROUP&and=KIND&category=TD1",
                "by=RESPONSIBLE_UNIT&measure=OVERDUE&responsible=02&day-from=2024-01-15&day-until=2024-03-10",
                "by=CATEGORY&as-of=2024-03-01&concerning=02CV&confidential=0",
            ];
            let mut leads = 0;
            for path in alone.into_iter().chain(more.map(|question| format!("/explore?{question}"))) {
                let found = listed(&page(&mut visitor, &path));
                assert!(!found.is_empty(), "{path}");
                leads += found.len();
                for (href, number) in found {
                    assert_eq!(rows(&mut visitor, &href), number, "{path}: {href}");
                }
            }
            assert!(leads > 50, "most numbers lead to a list: {leads}");
            // The list knows only the present states.
            assert!(listed(&page(&mut visitor, "/explore?by=STATE&and=MONTH&as-of=2024-03-01")).len() < 2);
        }
        // A reader who sees no complaints gets no link to them.
        let mut dashboard = Visitor::signed_in(app.server(), &app.as_role(Role::Dashboard).token);
        assert!(listed(&page(&mut dashboard, "/explore?by=KIND")).is_empty());
    }
}
