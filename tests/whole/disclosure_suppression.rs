//! A DASHBOARD sees no small group, in no answer to `complaintStatistics`.

use serde_json::{Value, json};
use tests::{Client, Json, Role, TestApp};

#[test]
fn a_dashboard_sees_no_small_group() {
    for app in TestApp::both().generated(3000, 9).arguments(&["--no-jobs"]) {
        let (board, dashboard) = (app.as_role(Role::Board), app.as_role(Role::Dashboard));
        let query = "{ complaintStatistics(groupBy: [DEPARTMENT, CATEGORY], first: 5000) {
            totals { complaints }
            rows {
                department { code } category { code } suppressed complaints distinctEnterprises costVnd } } }";
        let whole = board.data(query)["complaintStatistics"].clone();
        let shown = dashboard.data(query)["complaintStatistics"].clone();
        assert!((shown["totals"]["complaints"].integer() - 3000).abs() <= 6, "{}", shown["totals"]);
        let key = |row: &Value| (row["department"]["code"].to_string(), row["category"]["code"].to_string());
        let by_key = |answer: &Value| -> std::collections::BTreeMap<_, Value> {
            answer["rows"].list().iter().map(|row| (key(row), row.clone())).collect()
        };
        let (whole, shown) = (by_key(&whole), by_key(&shown));
        assert!(shown.keys().all(|key| whole.contains_key(key)), "nothing is shown that is not there");
        let (mut hidden, mut left_out, mut same, mut small) = (0, 0, 0, 0);
        for (key, whole) in &whole {
            let (complaints, enterprises) = (whole["complaints"].integer(), whole["distinctEnterprises"].integer());
            let is_small = complaints < 5 || enterprises < 3;
            small += i64::from(is_small);
            let Some(shown) = shown.get(key) else {
                // The answer leaves out a group whose count would be rounded to 0.
                left_out += 1;
                continue;
            };
            assert!(!is_small || shown["suppressed"] == true, "{whole} {shown}");
            if shown["suppressed"] == true {
                hidden += 1;
                assert!(
                    ["complaints", "distinctEnterprises", "costVnd"].iter().all(|field| shown[*field].is_null()),
                    "{shown}"
                );
            } else {
                let (of_shown, enterprises_shown) =
                    (shown["complaints"].integer(), shown["distinctEnterprises"].integer());
                assert!(of_shown % 5 == 0 && (of_shown - complaints).abs() <= 6, "{whole} {shown}");
                // Enterprises that have only confidential complaints are not counted.
                assert!(enterprises_shown <= enterprises + 3, "{whole} {shown}");
                assert!(whole["costVnd"] == "0" || shown["costVnd"] != whole["costVnd"], "{whole} {shown}");
                same += i64::from(of_shown == complaints);
            }
        }
        assert!(hidden > 10 && left_out > 10, "{hidden} {left_out}");
        // Confidential complaints do not count in what a dashboard shows, so it hides a few groups more.
        assert!(hidden + left_out - small <= 12, "{hidden} {left_out} {small}");
        assert!(same * 2 < i64::try_from(shown.len()).unwrap() - hidden, "{same}: few are shown as they are");
        // A dashboard outside the service shows groups of 10 complaints and more.
        let outside = app.as_holder(&["--name", "web", "--role", "DASHBOARD", "--outside"]);
        let of_outside = by_key(&outside.data(query)["complaintStatistics"]);
        for (key, row) in of_outside.iter().filter(|(_, row)| row["suppressed"] == false) {
            let (of_shown, complaints) = (row["complaints"].integer(), whole[key]["complaints"].integer());
            assert!(
                complaints >= 10 && of_shown % 10 == 0 && (of_shown - complaints).abs() <= 13,
                "{row} {complaints}"
            );
        }
        let smallest = |rows: &std::collections::BTreeMap<_, Value>| {
            rows.values().filter_map(|row| row["complaints"].as_i64()).min()
        };
        assert_eq!((smallest(&shown), smallest(&of_outside)), (Some(5), Some(10)));
        let then = "{ complaintStatistics(
            filter: {receivedFrom: \"2025-01-01T00:00:00+07:00\", receivedBefore: \"2026-01-01T00:00:00+07:00\"},
            compare: PREVIOUS_YEAR, groupBy: [DEPARTMENT, CATEGORY], first: 5000
        ) { rows { previous { complaints distinctEnterprises } } } }";
        let previous = |client: &Client| client.data(then)["complaintStatistics"]["rows"].clone();
        let small = |rows: &Value| {
            rows.list()
                .iter()
                .filter(|row| (1..5).contains(&row["previous"]["complaints"].as_i64().unwrap_or(0)))
                .count()
        };
        assert!(small(&previous(&board)) > 10);
        assert_eq!(small(&previous(&dashboard)), 0, "small groups of the time before are hidden as well");
        // Neither the order nor a condition reveals what is hidden.
        let kept = "{ complaintStatistics(
            groupBy: [DEPARTMENT, CATEGORY], having: {complaints: {lt: 5}}, first: 5000
        ) { groupCount } }";
        assert_eq!(dashboard.data(kept)["complaintStatistics"]["groupCount"], 0);
        for denied in [
            "groupBy: [OFFICER]",
            "groupBy: [ENTERPRISE]",
            "groupBy: [FINDING]",
            "groupBy: [DAY]",
            "filter: {officerIn: [\"x\"]}",
            "filter: {enterpriseIn: [\"x\"]}",
        ] {
            let answer = dashboard.request(&format!("{{ complaintStatistics({denied}) {{ position }} }}"));
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{denied}: {answer:?}");
            let variables = "query($d: [StatisticsDimension!]) { complaintStatistics(groupBy: $d) { position } }";
            assert_eq!(dashboard.request_with(variables, &json!({ "d": ["OFFICER"] })).codes(), ["FORBIDDEN"]);
        }
        let day = "{ complaintStatistics(filter: {receivedFrom: \"2024-02-02T00:00:00+07:00\"}) { position } }";
        assert_eq!(dashboard.codes(day), ["BAD_USER_INPUT"], "whole months only");
    }
}
