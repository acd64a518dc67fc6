//! A DASHBOARD and the lake: its statistics are of the register, with noise, and it reads nothing of the lake.

use super::statistics::Served;
use serde_json::json;
use tests::{Answer, Json, Role, TestApp};

#[track_caller]
fn is_forbidden(answer: &Answer, served: &Served) {
    let codes = answer.codes();
    assert!(!codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"), "{answer:?}");
    assert!(!answer.text.contains(&served.folder), "it says where the lake is: {answer:?}");
}

#[test]
fn a_dashboard_counts_the_register_and_reads_nothing_of_the_lake() {
    let served = Served::new("DATA_TEAM");
    let app = TestApp::sqlite().generated(1_500, 11).arguments(&served.arguments()).start();
    served.sync(&app.database, "DATA_TEAM");
    let (dashboard, team) = (app.as_role(Role::Dashboard), app.as_role(Role::DataTeam));
    let by_kind = |variables: &str, source: &str| {
        format!(
            "query Kinds{variables} {{ complaintStatistics(groupBy: [KIND]{source}) {{ rows {{ kind complaints }} }} }}"
        )
    };
    let (named, by_variable) = (by_kind("", ", source: LAKE"), by_kind("($s: SqlSource!)", ", source: $s"));
    // The lake is there, for those who may count in it.
    let counted = team.data(&named)["complaintStatistics"]["rows"].clone();
    assert!(counted.list().len() > 3, "{counted}");
    is_forbidden(&dashboard.request(&named), &served);
    is_forbidden(&dashboard.request_with(&by_variable, &json!({ "s": "LAKE" })), &served);
    is_forbidden(&dashboard.request(&by_kind("($s: SqlSource! = LAKE)", ", source: $s")), &served);
    is_forbidden(&dashboard.request("{ sql(query: \"SELECT 1 AS n\", source: LAKE) { rows } }"), &served);
    is_forbidden(&dashboard.request("{ runSavedQuery(name: \"n\", source: LAKE) { answer { rows } } }"), &served);
    let bearer = format!("Bearer {}", dashboard.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let asked = json!({ "query": "SELECT COUNT(*) AS n FROM complaints", "source": "LAKE" }).to_string();
    is_forbidden(&dashboard.server.send("POST", "/sql", &headers, &asked), &served);
    // A lake changes nothing of what it counts in the register.
    let register = dashboard.data(&by_kind("", ""));
    let rows = register["complaintStatistics"]["rows"].list();
    assert!(rows.iter().any(|row| row["complaints"].is_number()), "{register}");
    assert_eq!(dashboard.data(&by_kind("", ", source: REGISTER")), register);
    assert_eq!(dashboard.data_with(&by_variable, &json!({ "s": "REGISTER" })), register);
}
