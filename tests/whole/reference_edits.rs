//! After edits of units and categories a running server, and another one beside it, answer as one that starts then; and
//! an edit on which no column of complaints depends costs no reading of the register.

use crate::program;
use crate::snapshot_file::statistics;
use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Role, Server, TestApp, merged};

/// Names, places and deadlines of complaints, of units and of categories.
const LISTS: [&str; 4] = [
    "{ complaints(first: 100, orderBy: [{field: RECEIVED_AT, direction: ASC}]) { totalCount nodes { reference version \
       dueOn overdueDays unit { code name } department { code name } branch { code name } \
       responsibleUnit { code name } category { code name kind serious deadlineDays } } } }",
    "{ complaints(first: 100, filter: {unit: {within: \"03\"}}) { totalCount nodes { reference branch { name } } } }",
    "{ units(first: 100) { nodes { code nameVi kind peerGroup parents { unit { code } validFrom validTo } } } }",
    "{ issueCategories(first: 100) { nodes { code nameVi kind serious deadlineDays parent { code nameVi } } } }",
];

/// How often a server has read the whole register.
fn readings(server: &Server, token: &str) -> u64 {
    let metrics = server.metrics(token);
    let line = metrics.lines().find_map(|line| line.strip_prefix("phananh_snapshot_readings_total "));
    line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no number: {metrics}"))
}

fn lists(server: &Server, token: &str) -> Vec<Value> {
    LISTS.map(|query| server.data(token, query)).to_vec()
}

/// Changes a row of a list at its present revision.
fn edit(admin: &Client<'_>, mutation: &str, list: &str, argument: &str, code: &str, more: &Value) {
    let query = format!("{{ {list}(filter: {{code: {{eq: \"{code}\"}}}}) {{ nodes {{ revision }} }} }}");
    let revision = admin.data(&query)[list]["nodes"][0]["revision"].clone();
    admin.done(mutation, "position", &merged(&json!({ argument: code, "expectedRevision": revision }), more));
}

#[test]
fn edits_of_units_and_categories_show_everywhere_and_read_the_register_only_where_they_must() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let other = program().serve(&app.database, &["--no-jobs"]);
        let unit = |mutation: &str, code: &str, more: Value| edit(&admin, mutation, "units", "unit", code, &more);
        let category =
            |code: &str, more: Value| edit(&admin, "changeIssueCategory", "issueCategories", "category", code, &more);
        // Each of both servers has answered before, so that what they keep is old.
        let compare = |expected_readings: u64, what: &str| {
            let fresh = program().serve(&app.database, &["--no-jobs"]);
            let expected = statistics(&app.database, &fresh, &board.token);
            let listed = lists(&fresh, &board.token);
            for server in [app.server(), &other] {
                assert_eq!(statistics(&app.database, server, &board.token), expected, "{what}");
                assert_eq!(lists(server, &board.token), listed, "{what}");
                assert_eq!(readings(server, &board.token), expected_readings, "{what}");
            }
            listed
        };
        // The first in time is PA-1, the second PA-2.
        let complaint = |listed: &[Value], at: usize| listed[0]["complaints"]["nodes"][at].clone();
        let before = complaint(&compare(1, "nothing"), 1);
        assert_eq!((&before["branch"]["code"], &before["dueOn"]), (&json!("02CV"), &json!("2024-01-26")));

        unit("changeUnit", "02CV", json!({ "nameVi": "Hải quan cảng Sài Gòn" }));
        category("TD1", json!({ "nameVi": "Hách dịch, cửa quyền", "serious": true }));
        let named = complaint(&compare(1, "names"), 1);
        assert_eq!(named["branch"]["name"], "Hải quan cảng Sài Gòn");
        let of_category = |one: &Value| ["name", "serious", "deadlineDays"].map(|field| one["category"][field].clone());
        assert_eq!(of_category(&named), [json!("Hách dịch, cửa quyền"), json!(true), json!(15)]);
        assert_eq!(named["version"], before["version"], "no complaint changed");

        // PA-6 is of the day of the move, the others about 02CV are earlier.
        unit("moveUnit", "02CV", json!({ "parent": "03", "from": "2024-03-11" }));
        let moved = compare(1, "a move");
        let departments: Vec<Value> = (0..6).map(|at| complaint(&moved, at)["department"]["code"].clone()).collect();
        assert_eq!(departments, ["02", "02", "02", "03", "02", "03"].map(|code| json!(code)));
        assert_eq!(moved[1]["complaints"]["totalCount"], 2);

        category("TD1", json!({ "deadlineDays": 3 }));
        let due = complaint(&compare(2, "a deadline"), 1);
        // 6 January 2024 was a Saturday.
        assert_eq!((&due["dueOn"], &due["version"]), (&json!("2024-01-10"), &named["version"]));

        // A unit that comes before others by its code moves their places.
        let new = json!({ "code": "02AA", "nameVi": "Chi cục mới", "kind": "BRANCH", "parent": "02" });
        admin.done("createUnit", "position", &new);
        compare(3, "a new unit");
        unit("changeUnit", "02CV", json!({ "peerGroup": "INLAND" }));
        compare(4, "a peer group");
        unit("changeUnit", "02CV", json!({ "nameVi": "Cảng Sài Gòn" }));
        assert_eq!(complaint(&compare(4, "another name"), 0)["branch"]["name"], "Cảng Sài Gòn");
    }
}
