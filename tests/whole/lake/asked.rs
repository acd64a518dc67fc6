//! Questions over the lake of a server: by HTTP and by GraphQL, each in the audit log.

use super::statistics::Served;
use serde_json::{Value, json};
use tests::{Json, Role, TestApp, wait_until};

#[test]
fn questions_over_the_lake_are_answered_in_each_way_and_noted() {
    for builder in [TestApp::sqlite(), TestApp::postgres()] {
        let served = Served::new("DATA_TEAM");
        let app = builder.generated(1_500, 11).arguments(&served.arguments()).start();
        served.sync(&app.database, "DATA_TEAM");
        let team = app.as_role(Role::DataTeam);
        let bearer = format!("Bearer {}", team.token);
        let counts = |nth: u32| format!("SELECT COUNT(*) AS n, {nth} AS nth FROM complaints");
        let post = |path: &str, media: &str, body: &str| -> Value {
            let headers = [("authorization", bearer.as_str()), ("content-type", media)];
            let answer = team.server.send("POST", path, &headers, body);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            answer.json()["rows"].clone()
        };
        let named = json!({ "query": counts(2), "source": "LAKE" }).to_string();
        let by_http =
            [post("/sql?source=LAKE", "application/sql", &counts(1)), post("/sql", "application/json", &named)];
        assert_eq!(by_http, [json!([[1_500, 1]]), json!([[1_500, 2]])]);
        let query = "query ($sql: String!) { sql(query: $sql, source: LAKE) { rows } }";
        let by_graphql = team.data_with(query, &json!({ "sql": counts(3) }));
        assert_eq!(by_graphql["sql"]["rows"], json!([{ "n": 1_500, "nth": 3 }]));
        let missing = team.request_with(query, &json!({ "sql": "SELECT nothing FROM complaints" }));
        assert_eq!(missing.codes(), ["BAD_USER_INPUT"], "{}", missing.text);

        let admin = app.as_role(Role::Admin);
        let log = "{ auditLog(first: 20, filter: {action: {eq: SQL}}) { nodes { actor objects } } }";
        wait_until(10, "the audit log has each question", || {
            let nodes = admin.data(log)["auditLog"]["nodes"].clone();
            let noted = |sql: &str| {
                let of_team = nodes.list().iter().filter(|node| node["actor"].text().contains("DATA_TEAM"));
                of_team.map(|node| &node["objects"]).find(|entry| entry["sql"].text().contains(sql))
            };
            let is_whole = |entry: &Value| entry["rows"] == 1 && entry["milliseconds"].is_number();
            (1..=3).all(|nth| noted(&counts(nth)).is_some_and(is_whole))
                && noted("SELECT nothing").is_some_and(|entry| entry["failure"].text().contains("nothing"))
        });
    }
}
