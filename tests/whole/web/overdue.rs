//! Overdue complaints and escalations on the page.

use super::Visitor;
use tests::fixtures::Files;
use tests::{Program, Role, TestApp};

fn rows(page: &str) -> usize {
    page.matches("<th scope=\"row\">").count()
}

#[test]
fn overdue_complaints_their_units_and_escalations_are_listed() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        app.run(&["jobs", "run", "escalate-overdue"]);
        let mut board = Visitor::signed_in(app.server(), &app.as_role(Role::Board).token);
        let all = board.get("/overdue");
        assert!(all.status == 200 && rows(&all.text) > 3, "{}", all.text);
        let csv = board.get("/overdue?as=csv&table=units");
        assert!(csv.status == 200 && csv.text.lines().count() > 1, "{}", csv.text);
        let of_unit = board.get("/overdue?unit=03").text;
        assert!(rows(&of_unit) > 0 && rows(&of_unit) < rows(&all.text), "{of_unit}");
        let unit = board.get("/units/03").text.replace("&#x2f;", "/");
        assert!(unit.contains("href=\"/overdue?unit=03\""), "its list leads to the whole one: {unit}");
        // The numbers of units count whatever is overdue, so they are not beside those of some days.
        let of_days = board.get("/overdue?unit=03&days=1").text;
        assert!(of_unit.contains("id=\"table-units\"") && rows(&of_days) > 0, "{of_days}");
        assert!(!of_days.contains("id=\"table-units\""), "{of_days}");
        let none = board.get("/overdue?unit=03&days=100000&as=csv&table=complaints").text;
        assert_eq!(none.lines().count(), 1, "only the header: {none}");
        let wrong = board.get("/overdue?days=many");
        assert!(wrong.status == 422 && wrong.text.contains("href=\"#days\""), "{}", wrong.text);

        let escalations = board.get("/overdue/escalations");
        assert!(escalations.status == 200 && rows(&escalations.text) >= 4, "{}", escalations.text);
        let second = board.get("/overdue/escalations?level=2").text;
        assert!(rows(&second) > 0 && rows(&second) < rows(&escalations.text), "{second}");
        assert_eq!(rows(&board.get("/overdue/escalations?until=1999-12-31").text), 0);
        assert_eq!(board.get("/overdue/escalations?from=yesterday").status, 422);

        // A head sees the escalations that name its unit or one below it, and no others.
        let mut head = Visitor::signed_in(app.server(), &app.as_head("03").token);
        let own = head.get("/overdue/escalations?all=1").text;
        assert!(!own.contains("Cục Hải quan TP. Hồ Chí Minh"), "{own}");
    }
}

#[test]
fn the_data_team_sees_pseudonyms_and_no_escalations() {
    let files = Files::new();
    let app = TestApp::sqlite().world().start();
    let key = files.key_file();
    let server = Program::built().serve(&app.database, &["--key-file", &key]);
    let mut data_team = Visitor::signed_in(&server, &app.as_role(Role::DataTeam).token);
    let overdue = data_team.get("/overdue");
    assert!(overdue.status == 200 && rows(&overdue.text) > 1, "{}", overdue.text);
    assert!(!overdue.text.contains("PA-20"), "no references: {}", overdue.text);
    assert_eq!(data_team.get("/overdue/escalations").status, 403);
    for role in [Role::Dashboard, Role::Admin] {
        assert_eq!(Visitor::signed_in(&server, &app.as_role(role).token).get("/overdue").status, 403, "{role}");
    }
}
