//! Explore: each role groups by what it may, and reads the numbers of the API.

use super::Visitor;
use super::units::{page, with_each_role, world_of_today};
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
                    let by = page(&mut visitor, &format!("/explore?by={value}&and=KIND&measure={value}"));
                    assert!(by.contains("table-statistics"), "{value} for {place}");
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
        assert_eq!(visitor.get("/explore?by=NOTHING&measure=NOTHING&kind=NOTHING").status, 200);
    }
}
