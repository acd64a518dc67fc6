//! Statistics from the cache are byte for byte those of a server that computes each one, whatever is written, by
//! whichever node, and whoever asks.

use crate::answer_cache::{Nodes, everybody};
use crate::object_cache::{handled, oldest_first, uses};
use crate::program;
use chrono::NaiveDate;
use schema::db::dialect::current_position;
use serde_json::json;
use std::collections::BTreeSet;
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Client, Json, Role, Server, TestApp, wait_until};

/// What is computed from the snapshot, without its time and position. Whoever may not ask is refused alike.
const STATISTICS: [&str; 13] = [
    "{ complaintStatistics(groupBy: [DEPARTMENT, MONTH]) { groupCount totals { complaints distinctEnterprises costVnd }
       rows { month suppressed complaints costVnd department { code nameVi } } } }",
    "{ complaintStatistics { totals { complaints overdue open shareAnsweredInTime } } }",
    // The same arguments, and other measures.
    "{ complaintStatistics { totals { complaints episodes medianDaysToResponse } } }",
    "{ complaintStatistics(groupBy: [OFFICER], orderBy: [{field: COMPLAINTS}], first: 2, other: true) {
       truncated endCursor rows { isOther complaints officer { code name } } } }",
    "{ complaintStatistics(groupBy: [OFFICER, ENTERPRISE]) {
       rows { complaints officer { pseudonym } enterprise { pseudonym } } } }",
    "{ complaintStatistics(groupBy: [CATEGORY], having: {complaints: {gte: 2}}) { rows { complaints category { code nameVi } } } }",
    "{ complaintStatistics(filter: {receivedFrom: \"2024-02-01T00:00:00+07:00\", receivedBefore: \"2024-03-01T00:00:00+07:00\"},
       groupBy: [MONTH], compare: PREVIOUS_PERIOD, fill: true) { totalsBefore { complaints } rows { month complaints previous { complaints } } } }",
    "{ complaintStatistics(filter: {category: {nameVi: {like: \"%a%\"}}, unit: {kind: {eq: BRANCH}}}, groupBy: [UNIT]) {
       rows { complaints unit { code } } } }",
    "{ complaintStatistics(asOf: \"2024-02-15\", groupBy: [STATE]) { rows { state complaints overdue } } }",
    "{ responseTimeliness { unitCode unitNameVi complaints due inTime overdue medianDaysToResponse }
       categoryTrends(asOf: \"2024-03-15\") { recentDays categories { categoryCode categoryNameVi recent expected q } } }",
    // Counts beside another list.
    "{ received: complaints(first: 0, filter: {recordedAt: {gte: \"2020-01-01T00:00:00+07:00\"}}) { totalCount }
       overdue: complaints(first: 0, filter: {overdue: {eq: true}}) { totalCount }
       rejected: complaints(first: 0, filter: {state: {eq: REJECTED}}) { totalCount } units(first: 0) { totalCount } }",
    // The same list as above, up to numbers.
    "{ units(first: 0) { totalCount }
       one: complaints(first: 0, filter: {recordedAt: {gte: \"2020-01-01T00:00:00+07:00\"}}) { totalCountUpTo(limit: 1) }
       two: complaints(first: 0, filter: {recordedAt: {gte: \"2020-01-01T00:00:00+07:00\"}}) { up: totalCountUpTo(limit: 2) } }",
    "{ units(first: 6, orderBy: [{field: CODE}]) { nodes { code scorecard(days: 5000) { complaints episodes costVnd overdue medianDaysToResponse } } } }",
];

impl Nodes {
    /// Waits until each server has what is written.
    #[track_caller]
    fn refreshed(&self, app: &TestApp) {
        let position = app.database.open().read(current_position).unwrap();
        let reached = format!("{{ complaintStatistics(minPosition: {position}) {{ position }} }}");
        for server in self.nodes.iter().chain([&self.plain]) {
            wait_until(20, "the snapshot", || {
                server.graphql(&self.viewers[0], &reached, &json!({})).codes().is_empty()
            });
        }
    }

    /// Asks for each statistic three times on each node: the answers are those of the server without caches. Returns how
    /// many came from a cache.
    #[track_caller]
    fn agree_in_statistics(&self, admin: &str) -> u64 {
        let hits = || self.nodes.iter().map(|node| uses(node, admin, "statistics_cache").0).sum::<u64>();
        let before = hits();
        for statistic in STATISTICS {
            for viewer in &self.viewers {
                let plain = self.plain.graphql(viewer, statistic, &json!({}));
                // The first viewer is the Board, which may ask for everything.
                assert!(*viewer != self.viewers[0] || plain.codes().is_empty(), "{statistic}: {}", plain.text);
                for node in self.nodes.iter().cycle().take(6) {
                    let given = node.graphql(viewer, statistic, &json!({}));
                    assert_eq!((given.status, &given.text), (plain.status, &plain.text), "{statistic}");
                }
            }
        }
        hits() - before
    }
}

#[test]
fn a_statistic_from_the_cache_is_that_of_a_server_without_it_after_every_kind_of_write() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let admin = program().token(&app.database, "ADMIN", None);
        let all = Nodes::over(&app, &files, everybody(&app));
        assert!(all.agree_in_statistics(&admin) > 100);
        assert_eq!(uses(&all.plain, &admin, "statistics_cache"), (0, 0), "a cache without memory is off");
        let on = |server| Client { server, token: all.viewers[0].clone() };
        let (here, there, elsewhere) = (on(&all.nodes[0]), on(&all.nodes[1]), on(&all.plain));
        let ids = oldest_first(&here);
        let confirmed = json!([{ "officer": "CC03", "attribution": "CONFIRMED" }]);
        let sustained = json!({ "officer": "CC01", "finding": "SUSTAINED", "decidedOn": "2024-03-02" });
        for (client, mutation, nth, more) in [
            (&here, "classifyComplaint", 3, json!({ "category": "TD1", "attributions": confirmed })),
            (&there, "recordFinding", 1, sustained),
            (&elsewhere, "changeComplaintState", 1, json!({ "state": "REJECTED", "reason": "Không thuộc thẩm quyền" })),
        ] {
            handled(client, mutation, &ids[nth], &more);
            all.refreshed(&app);
            assert!(all.agree_in_statistics(&admin) > 100, "{mutation}");
        }
        let corrected = fixtures::COMPLAINTS.replace("1.250.000", "1.300.000");
        app.import("complaints", corrected, fixtures::COMPLAINTS_MAP);
        all.refreshed(&app);
        let before = here.data(STATISTICS[0]);
        assert!(all.agree_in_statistics(&admin) > 100, "a corrected file");
        // No complaint changes, but what is shown of them does.
        let renamed = fixtures::UNITS.replace("Sài Gòn KV I", "Sài Gòn KV II");
        app.import("units", renamed, fixtures::UNITS_MAP);
        let categories = fixtures::CATEGORIES.replace("Sách nhiễu", "Nhũng nhiễu");
        app.import("categories", categories, fixtures::CATEGORIES_MAP);
        all.refreshed(&app);
        assert!(all.agree_in_statistics(&admin) > 100, "other names");
        let named = "{ complaintStatistics(groupBy: [CATEGORY]) { rows { category { nameVi } } } }";
        assert!(here.data(named).to_string().contains("Nhũng nhiễu"));
        assert_eq!(here.data(STATISTICS[0])["complaintStatistics"]["totals"], before["complaintStatistics"]["totals"]);
    }
}

#[test]
fn a_count_beside_other_fields_sees_every_write_at_once() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let all = Nodes::over(&app, &files, everybody(&app));
        let (board, admin) = (&all.viewers[0], program().token(&app.database, "ADMIN", None));
        let intake = program().token(&app.database, "INTAKE", None);
        let asked = "{ units(first: 0) { totalCount } complaints { totalCount }
            late: complaints(filter: {overdue: {eq: true}}) { totalCount } }";
        let counted = |server: &Server| server.data(board, asked)["complaints"]["totalCount"].integer();
        let before = counted(&all.plain);
        for number in 1..=20 {
            let intake = Client { server: &all.nodes[number % 2], token: intake.clone() };
            intake.submitted(&format!("n{number}"), &json!({ "unit": "02CV" }));
            let expected = before + i64::try_from(number).unwrap();
            for node in all.nodes.iter().cycle().take(4) {
                assert_eq!(counted(node), expected, "{}", app.database.name);
            }
        }
        let wrong = "{ units(first: 0) { totalCount } complaints(first: -1) { totalCount } }";
        let unknown = "{ units(first: 0) { totalCount } complaints(filter: {unit: {within: \"99\"}}) { totalCount } }";
        for refused in [wrong, unknown] {
            let [plain, given] = [&all.plain, &all.nodes[0]].map(|server| server.graphql(board, refused, &json!({})));
            assert_eq!((plain.codes(), &given.text), (vec!["BAD_USER_INPUT".to_owned()], &plain.text));
        }
        // The second count of each node after a write is the first one, unless a position could not be read in time.
        let (hits, _) = uses(&all.nodes[0], &admin, "statistics_cache");
        assert!(hits >= 20, "{hits}");
    }
}

#[test]
fn the_plots_of_branches_are_those_of_the_latest_run() {
    for app in TestApp::both().generated(6_000, 7).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let funnel = || board.data("{ funnelPlot { asOf points { unitCode observed } } }")["funnelPlot"].clone();
        assert!(funnel().is_null(), "before the first run");
        let mut plots = BTreeSet::new();
        for day in ["2025-06-30", "2025-12-31", "2025-12-31"] {
            app.run(&["jobs", "run", "recurrence", "--as-of", day]);
            let plot = funnel();
            assert_eq!((&plot["asOf"], funnel()), (&json!(day), plot.clone()), "{}", app.database.name);
            let series = board.data("{ unit(code: \"02AB\") { cusum { weeks { from sum } } } }");
            plots.insert(format!("{} {series}", plot["points"]));
        }
        assert_eq!(plots.len(), 2, "two days");
    }
}

#[test]
fn a_complaint_is_overdue_from_its_day_on() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let all = Nodes::over(&app, &files, everybody(&app));
        let first = NaiveDate::from_ymd_opt(2024, 1, 4).unwrap();
        let mut numbers = BTreeSet::new();
        for day in first.iter_days().step_by(3).take(40) {
            let asked = format!(
                "{{ complaintStatistics(asOf: \"{day}\", groupBy: [DEPARTMENT]) {{ rows {{ complaints overdue }} }}
                    units(first: 3) {{ nodes {{ scorecard(asOf: \"{day}\") {{ overdue }} }} }} }}"
            );
            for viewer in [&all.viewers[0], &all.viewers[1]] {
                let answers = [&all.plain, &all.nodes[0], &all.nodes[0]]
                    .map(|server| server.graphql(viewer, &asked, &json!({})).text);
                assert!(answers.iter().all(|text| *text == answers[0]), "{day}: {answers:?}");
            }
            let data = all.nodes[0].data(&all.viewers[0], &asked);
            let rows = data["complaintStatistics"]["rows"].list().iter();
            numbers.insert(rows.map(|row| row["overdue"].integer()).sum::<i64>());
        }
        assert!(numbers.len() > 1, "{numbers:?}");
    }
}

#[test]
fn requests_that_ask_the_same_at_the_same_time_wait_for_one_computation() {
    let app = TestApp::sqlite().generated(3_000, 7).arguments(&["--no-jobs"]).start();
    let (server, admin) = (app.server(), program().token(&app.database, "ADMIN", None));
    let tokens: Vec<String> = (0..8).map(|_| program().token(&app.database, "BOARD", None)).collect();
    let asked = "{ complaintStatistics(groupBy: [BRANCH, CATEGORY, MONTH]) {
        rows { complaints distinctEnterprises episodes medianDaysToResponse } } }";
    let answers: Vec<String> = std::thread::scope(|scope| {
        let asking: Vec<_> =
            tokens.iter().map(|token| scope.spawn(move || server.graphql(token, asked, &json!({})).text)).collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(answers[0].contains("medianDaysToResponse") && answers.iter().all(|text| *text == answers[0]));
    assert_eq!(uses(server, &admin, "statistics_cache"), (7, 1));
    // A question that is refused is neither.
    let wrong = "{ complaintStatistics(filter: {unitWithin: \"99\"}) { truncated } }";
    assert_eq!(server.graphql(&tokens[0], wrong, &json!({})).codes(), ["BAD_USER_INPUT"]);
    assert_eq!(uses(server, &admin, "statistics_cache"), (7, 1));
}

#[test]
fn a_statistic_given_again_leaves_the_same_entry_in_the_audit_log() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (server, board) = (app.server(), program().token(&app.database, "BOARD", None));
        let admin = program().token(&app.database, "ADMIN", None);
        let asked = "query Named { complaintStatistics(groupBy: [OFFICER, ENTERPRISE]) {
            rows { complaints officer { name } enterprise { taxCode } } } }";
        (0..3).for_each(|_| drop(server.data(&board, asked)));
        assert_eq!(uses(server, &admin, "statistics_cache"), (2, 1));
        let entries = || {
            let all = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
            let data = server.data(&admin, all);
            let own = data["auditLog"]["nodes"].list().iter().filter(|entry| entry["operation"] == "Named");
            own.map(|entry| entry["objects"].clone()).collect::<Vec<_>>()
        };
        wait_until(5, "three entries", || entries().len() == 3);
        let found = entries();
        assert!(!found[0]["asked"].list().is_empty(), "{found:?}");
        assert!(found.iter().all(|objects| *objects == found[0]), "{found:?}");
        // Operations count as before, too.
        let metrics = server.metrics(&admin);
        assert!(metrics.contains("operation=\"Named\",role=\"BOARD\",outcome=\"OK\"} 3"), "{metrics}");
    }
}
