//! The unit that has to answer a complaint, beside the unit that it is about: routing, assignment, transfer, and who sees
//! and answers what.

use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Database, Json, Role, TestApp, fixtures, merged};

const STATE: &str = "complaint { id version state relation unit { code } department { code } branch { code }
    responsibleUnit { code } officers { unit { code } } } position";

/// Adds a headquarters unit that owns technical faults, and a complaint about them that names a branch.
pub fn with_owner(database: &Database) {
    fixtures::fill(database);
    let units = "ma,ten,cap,cha,nhom,tu,den\nCNTT,Cục Công nghệ thông tin,HEADQUARTERS_UNIT,TC,,,\n";
    let categories = "ma,cha,ten,loai,han,chu\nKT,,Lỗi kỹ thuật,TECHNICAL,3,CNTT\nKT1,KT,Hệ thống chậm,TECHNICAL,3,\n";
    let categories_map = "source = \"danh-muc\"\n[fields]\ncode = \"ma\"\nparent = \"cha\"\nname_vi = \"ten\"\n\
                          kind = \"loai\"\ndeadline_days = \"han\"\nowner = \"chu\"\n";
    let complaints = "so,ngay,dv,loai\nKT-1,2024-04-02,02CV,KT1\n";
    let complaints_map = "source = \"them\"\n[fields]\nreference = \"so\"\nreceived = \"ngay\"\nunit = \"dv\"\n\
                          category = \"loai\"\n";
    for (kind, csv, map) in [
        ("units", units, fixtures::UNITS_MAP),
        ("categories", categories, categories_map),
        ("complaints", complaints, complaints_map),
    ] {
        fixtures::import(database, kind, csv, map);
    }
}

pub fn apps() -> impl Iterator<Item = TestApp> {
    let filled = |database: &Database| database.fill_once("small world with an owner", with_owner);
    TestApp::both().filled(filled).arguments(&["--dev", "--no-jobs"]).into_iter()
}

pub fn complaint(client: &Client, id: &Value) -> Value {
    client.data(&format!(
        "{{ complaint(id: {id}) {{ version state relation unit {{ code }} branch {{ code }} \
         responsibleUnit {{ code }} responses {{ nodes {{ statement text }} }} }} }}"
    ))["complaint"]
        .clone()
}

/// How many complaints each branch is complained about in.
pub fn by_branch(board: &Client, position: &Value) -> Value {
    let query = format!(
        "{{ complaintStatistics(groupBy: [BRANCH], minPosition: {position}) {{ rows {{ branch {{ code }} complaints }} }} }}"
    );
    board.data(&query)["complaintStatistics"]["rows"].clone()
}

#[test]
fn an_assignment_leaves_the_unit_complained_about_and_both_heads_see_the_complaint() {
    for app in apps() {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let [branch, field, other] = ["02CV", "CNTT", "03TG"].map(|unit| app.as_head(unit));
        let more = json!({ "unit": "02CV", "officers": ["CC01"], "category": "TD1" });
        let id = intake.submitted("assigned", &more)["id"].clone();
        assert_eq!(complaint(&board, &id)["responsibleUnit"]["code"], "02CV", "no owner: the branch");
        let classified = board.done(
            "classifyComplaint",
            STATE,
            &json!({ "complaintId": id, "expectedVersion": 1, "category": "TD1" }),
        );
        let before = by_branch(&board, &classified["position"]);
        let assign = json!({ "complaintId": id, "expectedVersion": 2, "unit": "CNTT" });
        let assigned = board.done("assignComplaint", STATE, &assign);
        let now = &assigned["complaint"];
        assert_eq!((&now["state"], &now["responsibleUnit"]["code"]), (&json!("ASSIGNED"), &json!("CNTT")));
        assert_eq!(
            (&now["unit"]["code"], &now["branch"]["code"], &now["department"]["code"]),
            (&json!("02CV"), &json!("02CV"), &json!("02"))
        );
        assert_eq!(now["officers"], json!([{ "unit": { "code": "02CV" } }]), "and so does that of the officer");
        assert_eq!(now["relation"], Value::Null, "the Board heads no unit");
        assert_eq!(by_branch(&board, &assigned["position"]), before, "statistics lose nothing");
        assert_eq!(complaint(&branch, &id)["relation"], json!(["ABOUT"]));
        assert_eq!(complaint(&field, &id)["relation"], json!(["RESPONSIBLE"]));
        assert_eq!(complaint(&other, &id), Value::Null);
        let listed = |client: &Client, filter: &str| {
            let query = format!("{{ complaints(filter: {filter}) {{ totalCount nodes {{ id }} }} }}");
            let found = client.data(&query)["complaints"].clone();
            (found["totalCount"].integer(), found["nodes"].list().iter().any(|node| node["id"] == id))
        };
        for (client, is_there) in [(&branch, true), (&field, true), (&other, false)] {
            assert_eq!(listed(client, "{}").1, is_there);
        }
        for (filter, is_there) in [
            ("{responsibleUnit: {eq: \"CNTT\"}}", true),
            ("{responsibleUnit: {in: [\"02\", \"CNTT\"]}}", true),
            ("{responsibleUnit: {within: \"TC\"}}", true),
            ("{responsibleUnit: {within: \"02\"}}", false),
            ("{responsibleUnit: {isNull: true}}", false),
            ("{unit: {within: \"02\"}}", true),
        ] {
            assert_eq!(listed(&board, filter).1, is_there, "{filter}");
        }
        assert_eq!(
            board.codes("{ complaints(filter: {responsibleUnit: {eq: \"9\"}}) { totalCount } }"),
            ["BAD_USER_INPUT"]
        );
        let of_unit = "{ unit(code: \"CNTT\") { responsibleFor { totalCount } complaints { totalCount } } }";
        let of_unit = board.data(of_unit)["unit"].clone();
        assert_eq!(of_unit, json!({ "responsibleFor": { "totalCount": 2 }, "complaints": { "totalCount": 0 } }));
        let by_responsible = board.data(&format!(
            "{{ complaintStatistics(groupBy: [RESPONSIBLE_UNIT], minPosition: {},
                 filter: {{responsibleUnitWithin: \"CNTT\"}}) {{ rows {{ responsibleUnit {{ code }} complaints }} }} }}",
            assigned["position"]
        ));
        let rows = by_responsible["complaintStatistics"]["rows"].clone();
        assert_eq!(rows, json!([{ "responsibleUnit": { "code": "CNTT" }, "complaints": 2 }]));
    }
}

#[test]
fn imports_and_submissions_go_to_the_owner_of_the_category_else_to_the_branch() {
    for app in apps() {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let imported = board
            .data("{ complaints(filter: {sourceReference: {eq: \"KT-1\"}}) { nodes { responsibleUnit { code } } } }");
        assert_eq!(imported["complaints"]["nodes"], json!([{ "responsibleUnit": { "code": "CNTT" } }]));
        for (key, more, expected) in [
            ("owner", json!({ "unit": "02CV-D1", "category": "KT1" }), json!({ "code": "CNTT" })),
            ("branch", json!({ "unit": "02CV-D1", "category": "TD1" }), json!({ "code": "02CV" })),
            ("department", json!({ "unit": "02" }), json!({ "code": "02" })),
            ("nobody", json!({}), Value::Null),
        ] {
            let id = intake.submitted(key, &more)["id"].clone();
            assert_eq!(complaint(&board, &id)["responsibleUnit"], expected, "{key}");
        }
        // A new category moves a complaint until somebody has chosen the unit, or it is assigned.
        let id = intake.submitted("moves", &json!({ "unit": "02CV" }))["id"].clone();
        let classify = |version: i64, category: &str| {
            let input = json!({ "complaintId": id, "expectedVersion": version, "category": category });
            let done = board.done("classifyComplaint", STATE, &input);
            (done["complaint"]["responsibleUnit"]["code"].clone(), done["complaint"]["version"].integer())
        };
        let (unit, version) = classify(1, "KT1");
        assert_eq!(unit, "CNTT");
        let input = json!({ "complaintId": id, "expectedVersion": version, "unit": "03", "reason": "Cục 03 xử lý." });
        let transferred = board.done("transferComplaint", STATE, &input);
        let (unit, version) = classify(transferred["complaint"]["version"].integer(), "TD1");
        assert_eq!(unit, "03", "somebody has chosen it");
        board.done("assignComplaint", STATE, &json!({ "complaintId": id, "expectedVersion": version }));
        assert_eq!(complaint(&board, &id)["responsibleUnit"]["code"], "03", "the routed unit stays");
    }
}

#[test]
fn rules_with_a_validity_in_time_decide_before_owners_and_only_an_admin_edits_them() {
    for app in apps() {
        let (board, admin, intake) = (app.as_role(Role::Board), app.as_role(Role::Admin), app.as_role(Role::Intake));
        let fields = "rule { id category { code } kind unit { code } responsibleUnit { code } validFrom validTo }";
        let input = json!({
            "category": "KT", "unit": "02", "responsibleUnit": "02DS", "validFrom": "2024-01-01", "validTo": "2024-12-31"
        });
        let rule = admin.done("putRoutingRule", fields, &input)["rule"].clone();
        assert_eq!((&rule["category"]["code"], &rule["validTo"]), (&json!("KT"), &json!("2024-12-31")));
        let route = |category: &str, unit: &str, on: &str| {
            let query = format!(
                "{{ routeOf(category: \"{category}\", unit: \"{unit}\", on: \"{on}\") {{ reason unit {{ code }} rule {{ id }} }} }}"
            );
            let found = board.data(&query)["routeOf"].clone();
            (found["reason"].text().to_owned(), found["unit"]["code"].text().to_owned(), found["rule"]["id"].clone())
        };
        let by_rule = ("RULE".to_owned(), "02DS".to_owned(), rule["id"].clone());
        assert_eq!(route("KT1", "02CV-D1", "2024-06-01"), by_rule, "below the category and the unit");
        assert_eq!(route("KT1", "03TG", "2024-06-01"), ("OWNER".into(), "CNTT".into(), Value::Null));
        assert_eq!(route("KT1", "02CV", "2023-12-31"), ("OWNER".into(), "CNTT".into(), Value::Null), "before it");
        assert_eq!(route("KT1", "02CV", "2025-01-01"), ("OWNER".into(), "CNTT".into(), Value::Null), "after it");
        assert_eq!(route("TD1", "02CV", "2024-06-01"), ("PLACE".into(), "02CV".into(), Value::Null));
        // A complaint is routed by the rule of the day on which it was received.
        for (key, received, expected) in [("in", "2024-06-01", "02DS"), ("after", "2025-06-01", "CNTT")] {
            let more = json!({ "unit": "02CV", "category": "KT1", "receivedAt": format!("{received}T08:00:00+07:00") });
            let id = intake.submitted(key, &more)["id"].clone();
            assert_eq!(complaint(&board, &id)["responsibleUnit"]["code"], expected);
        }
        let refused = |client: &Client, input: &Value| client.send("putRoutingRule", "position", input).codes();
        assert_eq!(refused(&admin, &input), ["CONFLICT"], "the same conditions on the same days");
        assert_eq!(refused(&admin, &json!({ "responsibleUnit": "02" })), ["BAD_USER_INPUT"], "for all complaints");
        assert_eq!(refused(&admin, &merged(&input, &json!({ "category": "?" }))), ["BAD_USER_INPUT"]);
        let backwards = json!({ "kind": "CONDUCT", "validFrom": "2024-02-01", "validTo": "2024-01-01" });
        assert_eq!(refused(&admin, &backwards), ["BAD_USER_INPUT"]);
        for client in [&board, &app.as_head("02"), &intake] {
            assert!(
                refused(client, &input).iter().all(|code| code == "FORBIDDEN") && !refused(client, &input).is_empty()
            );
        }
        let end = json!({ "id": rule["id"], "lastDay": "2024-03-31" });
        assert_eq!(admin.done("endRoutingRule", fields, &end)["rule"]["validTo"], "2024-03-31");
        assert_eq!(route("KT1", "02CV", "2024-06-01").0, "OWNER");
        // The rule leads to the branch, whichever unit owns the category; it replaces the rule with its id.
        let to_branch = json!({ "id": rule["id"], "kind": "TECHNICAL", "validFrom": "2024-01-01" });
        admin.done("putRoutingRule", fields, &to_branch);
        assert_eq!(route("KT1", "02CV-D1", "2024-06-01"), ("RULE".into(), "02CV".into(), rule["id"].clone()));
        let listed = board.data("{ all: routingRules { id } then: routingRules(on: \"2023-01-01\") { id } }");
        assert_eq!(listed, json!({ "all": [{ "id": rule["id"] }], "then": [] }));
    }
}

#[test]
fn a_head_transfers_what_its_unit_has_to_answer_and_nothing_else() {
    for app in apps() {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let [branch, field, other] = ["02CV", "CNTT", "03TG"].map(|unit| app.as_head(unit));
        let id = intake.submitted("transfer", &json!({ "unit": "02CV", "category": "KT1" }))["id"].clone();
        let input = |version: i64, unit: &str, reason: &str| json!({ "complaintId": id, "expectedVersion": version, "unit": unit, "reason": reason });
        let codes = |client: &Client, input: &Value| client.send("transferComplaint", "position", input).codes();
        assert_eq!(
            codes(&branch, &input(1, "03TG", "x")),
            ["NOT_FOUND"],
            "it is about the branch, which need not answer"
        );
        assert_eq!(codes(&other, &input(1, "03TG", "x")), ["NOT_FOUND"]);
        assert_eq!(codes(&field, &input(1, "03TG", " ")), ["BAD_USER_INPUT"], "why?");
        assert_eq!(codes(&field, &input(1, "CNTT", "x")), ["BAD_USER_INPUT"], "to itself");
        assert_eq!(codes(&field, &input(7, "03TG", "x")), ["CONFLICT"]);
        let done = field.done("transferComplaint", STATE, &input(1, "03TG", "Chi cục 03TG gây ra."));
        assert_eq!(done["complaint"], Value::Null, "it is out of sight");
        assert_eq!(complaint(&other, &id)["relation"], json!(["RESPONSIBLE"]));
        assert_eq!(complaint(&board, &id)["state"], "RECEIVED", "the state stays");
        let done = board.done("transferComplaint", STATE, &input(2, "02CV", "Đúng chi cục."));
        assert_eq!(done["complaint"]["responsibleUnit"]["code"], "02CV");
        assert_eq!(complaint(&branch, &id)["relation"], json!(["ABOUT", "RESPONSIBLE"]));
        assert_eq!(complaint(&other, &id), Value::Null);
        let team = app.as_head("02CV-D1");
        assert_eq!(complaint(&team, &id), Value::Null, "it is about the branch, not about the team");
    }
}

#[test]
fn only_the_responsible_unit_answers_and_what_another_says_is_a_statement() {
    for app in apps() {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let [branch, field, above] = ["02CV", "CNTT", "TC"].map(|unit| app.as_head(unit));
        let more = json!({ "unit": "02CV", "category": "KT1", "receivedAt": "2024-05-01T08:00:00+07:00" });
        let id = intake.submitted("answer", &more)["id"].clone();
        let respond = |client: &Client, version: i64| {
            let input = json!({ "complaintId": id, "expectedVersion": version, "action": "EXPLANATION", "text": "Đã kiểm tra." });
            let fields = "complaint { version state } response { statement } position";
            client.done("respondToComplaint", fields, &input)
        };
        let overdue = |position: &Value| {
            let statistics = format!("{{ complaintStatistics(minPosition: {position}) {{ position }} }}");
            board.data(&statistics);
            board.data("{ unit(code: \"CNTT\") { scorecard(days: 36500) { complaints overdue } } }")["unit"]["scorecard"].clone()
        };
        let said = respond(&branch, 1);
        assert_eq!(said["response"]["statement"], true);
        assert_eq!(said["complaint"], json!({ "version": 2, "state": "RECEIVED" }));
        assert_eq!(overdue(&said["position"]), json!({ "complaints": 2, "overdue": 2 }), "the deadline runs on");
        let answered = respond(&field, 2);
        assert_eq!(answered["response"]["statement"], false);
        assert_eq!(answered["complaint"]["state"], "ANSWERED");
        assert_eq!(overdue(&answered["position"]), json!({ "complaints": 2, "overdue": 1 }));
        let nodes = complaint(&board, &id)["responses"]["nodes"].clone();
        assert_eq!(nodes.list().iter().map(|node| node["statement"].clone()).collect::<Vec<_>>(), [true, false]);
        let by_head_above = respond(&above, answered["complaint"]["version"].integer());
        assert_eq!(by_head_above["response"]["statement"], false, "above the responsible unit");
        // The unit that had to answer is the one that is late.
        let counts = board.data(
            "{ field: responseTimeliness(level: HEADQUARTERS_UNIT, days: 36500) { unitCode complaints overdue }
               branch: responseTimeliness(days: 36500) { unitCode complaints } }",
        );
        assert_eq!(counts["field"], json!([{ "unitCode": "CNTT", "complaints": 2, "overdue": 1 }]));
        let of_branch =
            counts["branch"].list().iter().find(|one| one["unitCode"] == "02CV").unwrap()["complaints"].clone();
        let about = board.data("{ complaints(filter: {responsibleUnit: {within: \"02CV\"}}) { totalCount } }");
        assert_eq!(of_branch, about["complaints"]["totalCount"]);
    }
}

#[test]
fn the_head_of_a_field_reads_all_of_it_page_by_page_in_a_constant_number_of_statements() {
    for app in TestApp::both().generated(2000, 5).arguments(&["--dev", "--no-jobs"]) {
        let (board, field, department) = (app.as_role(Role::Board), app.as_head("CNTT"), app.as_head("02"));
        let technical = "{category: {kind: {eq: TECHNICAL}}, confidential: {eq: false}}";
        let count = |client: &Client, filter: &str| {
            client.data(&format!("{{ complaints(filter: {filter}) {{ totalCount }} }}"))["complaints"]["totalCount"]
                .integer()
        };
        let all = count(&board, technical);
        assert!(all > 100, "{all}");
        assert_eq!(count(&field, technical), all, "the field of the headquarters unit");
        assert_eq!(count(&field, "{category: {kind: {eq: CONDUCT}}}"), 0);
        // What is about the department, and what it has to answer, in one order.
        let board_filter =
            "{confidential: {eq: false}, or: [{unit: {within: \"02\"}}, {responsibleUnit: {within: \"02\"}}]}";
        for (client, filter) in
            [(&department, board_filter), (&field, "{confidential: {eq: false}, responsibleUnit: {within: \"CNTT\"}}")]
        {
            for order in ["RECEIVED_AT, direction: DESC", "COST_VND, direction: ASC"] {
                let expected = ids(&board, &format!("filter: {filter}, orderBy: [{{field: {order}}}], first: 100"), "");
                let mut found = Vec::new();
                let mut after = String::new();
                while found.len() < expected.0.len() {
                    let arguments = format!("orderBy: [{{field: {order}}}], first: 7");
                    let (page, cursor) = ids(client, &arguments, &after);
                    assert!(!page.is_empty());
                    found.extend(page);
                    after = format!(", after: \"{cursor}\"");
                }
                found.truncate(expected.0.len());
                assert_eq!(found, expected.0, "{order} on {}", app.database.name);
            }
        }
        let statements = |first: usize| {
            let query = format!("{{ complaints(first: {first}) {{ totalCount nodes {{ state relation }} }} }}");
            app.server().statements(&department.token, &query)
        };
        assert_eq!(statements(3), statements(90));
        assert!(statements(3) <= 4, "{}", statements(3));
    }
}

/// The ids of a page, and its end.
fn ids(client: &Client, arguments: &str, after: &str) -> (Vec<Value>, String) {
    let query = format!("{{ complaints({arguments}{after}) {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}");
    let page = client.data(&query)["complaints"].clone();
    let ids = page["nodes"].list().iter().map(|node| node["id"].clone()).collect();
    (ids, page["pageInfo"]["endCursor"].as_str().unwrap_or_default().to_owned())
}
