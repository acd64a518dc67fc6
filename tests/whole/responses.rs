//! The first, the last or all responses of a complaint.

use diesel::connection::SimpleConnection;
use serde_json::json;
use tests::fixtures::Files;
use tests::{Json, Role, TestApp};

#[test]
fn the_first_responses_of_each_complaint_are_its_own() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        let data = board.data(
            "{ complaints(orderBy: [{field: RECEIVED_AT}]) { nodes {
                 responses(first: 1) { totalCount nodes { text } pageInfo { hasNextPage } }
                 last: responses(last: 1) { nodes { text } pageInfo { hasPreviousPage startCursor } }
                 both: responses(last: 2) { nodes { text } pageInfo { hasPreviousPage } } } } }",
        );
        // `last` counts from the end, but the responses keep the order of time.
        let of_first = data["complaints"]["nodes"][0].clone();
        let both = of_first["both"].clone();
        assert_eq!((both["nodes"].list().len(), &both["pageInfo"]["hasPreviousPage"]), (2, &json!(false)));
        assert_eq!(both["nodes"][0]["text"], "Đã kiểm điểm");
        assert_eq!(of_first["last"]["nodes"], json!([both["nodes"][1]]));
        assert_eq!(of_first["last"]["pageInfo"]["hasPreviousPage"], true);
        let before = of_first["last"]["pageInfo"]["startCursor"].text();
        let one = format!(
            "{{ complaints(orderBy: [{{field: RECEIVED_AT}}], first: 1) {{ nodes {{
                 responses(last: 5, before: \"{before}\") {{ nodes {{ text }} }} }} }} }}"
        );
        assert_eq!(board.data(&one)["complaints"]["nodes"][0]["responses"]["nodes"], json!([both["nodes"][0]]));
        let responses: Vec<_> = data["complaints"]["nodes"].list().iter().map(|c| c["responses"].clone()).collect();
        assert_eq!(
            responses[0],
            json!({ "totalCount": 2, "nodes": [{ "text": "Đã kiểm điểm" }], "pageInfo": { "hasNextPage": true } })
        );
        assert_eq!(responses[1], json!({ "totalCount": 0, "nodes": [], "pageInfo": { "hasNextPage": false } }));
        assert_eq!(responses[4]["nodes"][0]["text"], "Đã hướng dẫn");
    }
}

#[test]
fn a_complaint_with_many_responses_gives_those_that_are_asked_for() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        let id = if app.database.name == "sqlite" { "randomblob(16)" } else { "gen_random_uuid()" };
        let copies = format!(
            "INSERT INTO unit_responses SELECT r.complaint_id, {id}, r.unit_id, r.responded_at, r.recorded_at,
             r.action, {id}, r.outcome, r.satisfied, r.actor, r.statement, r.visibility
             FROM unit_responses r CROSS JOIN complaints c"
        );
        let copies = copies.replace("gen_random_uuid(), r.outcome", "CAST(gen_random_uuid() AS TEXT), r.outcome");
        let copies = copies.replace("randomblob(16), r.outcome", "lower(hex(randomblob(16))), r.outcome");
        app.database.open().read(|conn| Ok(conn.batch_execute(&copies)?)).unwrap();
        let texts = |arguments: &str| -> Vec<String> {
            let query = format!(
                "{{ complaints(orderBy: [{{field: RECEIVED_AT}}], first: 1) {{ nodes {{
                     responses({arguments}) {{ nodes {{ text }} }} }} }} }}"
            );
            let data = board.data(&query);
            let nodes = data["complaints"]["nodes"][0]["responses"]["nodes"].list().to_vec();
            nodes.iter().map(|node| node["text"].text().to_owned()).collect()
        };
        let all = texts("first: 100");
        assert!(all.len() > 10, "{}", all.len());
        assert_eq!(texts("first: 2"), all[..2]);
        assert_eq!(texts("last: 2"), all[all.len() - 2..]);
        assert_eq!(texts("last: 100"), all);
        assert_eq!(texts("first: 0").len() + texts("last: 0").len(), 0);
    }
}

#[test]
fn responses_within_a_list_are_filtered_and_ordered_and_read_together() {
    let files = Files::new();
    let [option, settings] = files.without_caches();
    for app in TestApp::both().world().arguments(&["--dev", &option, &settings]) {
        let board = app.as_role(Role::Board);
        let query = |first: usize| {
            format!(
                "{{ complaints(first: {first}, orderBy: [{{field: RECEIVED_AT}}]) {{ nodes {{
                   glad: responses(filter: {{satisfied: {{eq: true}}}}) {{
                     totalCount nodes {{ text }} pageInfo {{ hasNextPage }} }}
                   latest: responses(first: 1, orderBy: [{{field: RESPONDED_AT, direction: DESC}}]) {{
                     totalCount nodes {{ text }} pageInfo {{ hasNextPage endCursor }} }} }} }} }}"
            )
        };
        let all = board.request(&query(6)).json();
        let of = |nth: usize| all["data"]["complaints"]["nodes"][nth].clone();
        let glad =
            json!({ "totalCount": 1, "nodes": [{ "text": "Đã kiểm điểm" }], "pageInfo": { "hasNextPage": false } });
        assert_eq!(of(0)["glad"], glad, "{all}");
        assert_eq!(of(4)["glad"]["totalCount"], 0, "{all}");
        let latest = of(0)["latest"].clone();
        assert_eq!(
            (&latest["totalCount"], &latest["nodes"], &latest["pageInfo"]["hasNextPage"]),
            (&json!(2), &json!([{ "text": "Đã xin lỗi" }]), &json!(true))
        );
        // The next page holds the response behind it, in the same order.
        let cursor = latest["pageInfo"]["endCursor"].text();
        let next = format!(
            "{{ complaints(first: 1, orderBy: [{{field: RECEIVED_AT}}]) {{ nodes {{
               responses(after: \"{cursor}\", orderBy: [{{field: RESPONDED_AT, direction: DESC}}]) {{
                 nodes {{ text }} }} }} }} }}"
        );
        let next = board.data(&next);
        assert_eq!(next["complaints"]["nodes"][0]["responses"]["nodes"], json!([{ "text": "Đã kiểm điểm" }]));
        let one = board.request(&query(1)).json();
        assert_eq!(one["extensions"]["statements"], all["extensions"]["statements"], "whatever the length of the page");
    }
}
