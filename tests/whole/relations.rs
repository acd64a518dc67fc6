//! Lists within lists, nodes by their id, names by language, search, and lists in the order of a measure.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tests::{Client, Json, Role, TestApp, fixtures};

fn texts(list: &Value) -> Vec<&str> {
    list["nodes"].list().iter().map(|node| node["text"].text()).collect()
}

#[test]
fn lists_within_a_list_are_read_together_and_hold_what_the_list_itself_would() {
    let mut answers = Vec::new();
    for app in TestApp::both().generated(1200, 21).arguments(&["--dev", "--no-jobs"]) {
        // The generated register has no complaints about headquarters units.
        let about_headquarters = "UPDATE complaints SET department_id = NULL, branch_id = NULL, team_id = NULL,
            unit_id = (SELECT id FROM units WHERE code =
                CASE (cost_vnd / 1000) % 3 WHEN 0 THEN 'GSQL' WHEN 1 THEN 'TXNK' ELSE 'CNTT' END)
            WHERE cost_vnd IS NOT NULL AND channel IN ('LETTER', 'EMAIL')";
        app.database.open().read(|conn| Ok(conn.batch_execute(about_headquarters)?)).unwrap();
        let board = app.as_role(Role::Board);
        let statements = |query: &str| app.server().statements(&board.token, query);
        let of = |list: &str, filter: &str, size: usize, key: &str| {
            format!(
                "{{ {list}(first: {size}{filter}) {{ nodes {{ {key} complaints(
                    first: 3, filter: {{state: {{ne: CLOSED}}}}, orderBy: [{{field: COST_VND, direction: DESC}}]
                  ) {{
                    totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ id costVnd }} }} }} }} }}"
            )
        };
        let mut all = Vec::new();
        for (list, filter, key, relation) in [
            ("units", ", filter: {kind: {eq: BRANCH}}", "code", "unit: {within: \"KEY\"}"),
            ("units", ", filter: {kind: {eq: PROVINCIAL_DEPARTMENT}}", "code", "unit: {within: \"KEY\"}"),
            ("units", ", filter: {kind: {eq: HEADQUARTERS_UNIT}}", "code", "unit: {within: \"KEY\"}"),
            ("officers", "", "code", "officers: {officer: {code: {eq: \"KEY\"}}}"),
            ("enterprises", "", "taxCode", "enterprise: {taxCode: {eq: \"KEY\"}}"),
            ("issueCategories", "", "code", "category: {code: {eq: \"KEY\"}}"),
        ] {
            let (few, many) = (of(list, filter, 2, key), of(list, filter, 40, key));
            assert_eq!(statements(&few), statements(&many), "{list}");
            let data = board.data(&many)[list]["nodes"].clone();
            let mut some = 0;
            for node in data.list() {
                let relation = relation.replace("KEY", node[key].text());
                let alone = format!(
                    "{{ complaints(
                          first: 3, filter: {{state: {{ne: CLOSED}}, {relation}}},
                          orderBy: [{{field: COST_VND, direction: DESC}}]
                        ) {{
                        totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ id costVnd }} }} }}"
                );
                assert_eq!(board.data(&alone)["complaints"], node["complaints"], "{list} {node}");
                some += usize::from(node["complaints"]["totalCount"] != 0);
            }
            assert!(some >= 3, "{list}: {some}");
            all.push(data);
        }
        // The next page of a nested list begins where the page before it ended.
        let branch = all[0].list().iter().find(|node| node["complaints"]["pageInfo"]["hasNextPage"] == true).unwrap();
        let (code, cursor) = (branch["code"].text(), branch["complaints"]["pageInfo"]["endCursor"].text());
        let next = format!(
            "{{ unit(code: \"{code}\") {{ complaints(
                 first: 100, after: \"{cursor}\", filter: {{state: {{ne: CLOSED}}}},
                 orderBy: [{{field: COST_VND, direction: DESC}}]
               ) {{ nodes {{ id }} }} }} }}"
        );
        let rest = board.data(&next)["unit"]["complaints"]["nodes"].list().len();
        assert_eq!(rest as i64 + 3, branch["complaints"]["totalCount"].integer().min(103));
        answers.push(json!(all));
    }
    // Cursors hold the same keys on both databases.
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_head_sees_within_a_list_only_what_is_its_own() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, saigon) = (app.as_role(Role::Board), app.as_head("02CV"));
        let data = saigon.data(
            "{ units(filter: {kind: {eq: BRANCH}}) { nodes { code complaints { totalCount nodes { text } } } }
               issueCategories { nodes { parent { code } complaints { totalCount } } } }",
        );
        for unit in data["units"]["nodes"].list() {
            let own = unit["code"] == "02CV";
            // The branch has four complaints. One of them is confidential.
            assert_eq!(unit["complaints"]["totalCount"], if own { 3 } else { 0 }, "{unit}");
        }
        let first_level = data["issueCategories"]["nodes"].list().iter().filter(|node| node["parent"].is_null());
        let counts = first_level.map(|node| node["complaints"]["totalCount"].integer());
        assert_eq!(counts.sum::<i64>(), 3);
        let whole = board.data("{ unit(code: \"TC\") { complaints { totalCount } } }");
        assert_eq!(
            whole["unit"]["complaints"]["totalCount"], 6,
            "what is not stored with complaints is found by the tree"
        );
    }
}

#[test]
fn a_head_sees_the_flags_of_its_own_and_of_their_evidence_what_is_its_own() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        fixtures::run_counting(&app.database, "2024-03-31");
        let [saigon, express, haiphong] = ["02CV", "02DS", "03TG"].map(|unit| app.as_head(unit));
        let flags = |client: &Client| -> Vec<(Value, Value, usize)> {
            let data =
                client.data("{ flags { totalCount nodes { id officer { code } unit { code } tier evidenceIds } } }");
            assert_eq!(data["flags"]["totalCount"], data["flags"]["nodes"].list().len());
            let nodes = data["flags"]["nodes"].list();
            let subject = |node: &Value| {
                if node["officer"].is_object() { node["officer"]["code"].clone() } else { node["unit"]["code"].clone() }
            };
            nodes.iter().map(|node| (subject(node), node["id"].clone(), node["evidenceIds"].list().len())).collect()
        };
        let all = flags(&board);
        let evidence =
            |list: &[(Value, Value, usize)], code: &str| list.iter().find(|flag| flag.0 == code).map(|flag| flag.2);
        assert_eq!((evidence(&all, "CC01"), evidence(&all, "02CV")), (Some(3), Some(3)), "{all:?}");
        // CC01 serves in Hai Phong today. The complaints are about units of Saigon, and one is confidential. So the
        // head in Hai Phong sees the flag without evidence.
        assert_eq!(evidence(&flags(&haiphong), "CC01"), Some(0));
        let of_saigon = flags(&saigon);
        assert_eq!((evidence(&of_saigon, "CC01"), evidence(&of_saigon, "02CV")), (None, Some(2)), "{of_saigon:?}");
        assert!(flags(&express).iter().all(|flag| flag.0 == "02DS" || flag.0 == "CC02"));
        let of_officer = &all.iter().find(|flag| flag.0 == "CC01").unwrap().1;
        let one = format!("{{ flag(id: {of_officer}) {{ tier }} node(id: {of_officer}) {{ id }} }}");
        assert_eq!(saigon.data(&one), json!({ "flag": null, "node": null }));
        assert!(haiphong.data(&one)["node"].is_object());
        assert!(haiphong.codes("{ flags { nodes { reviews { actor } } } }").contains(&"FORBIDDEN".to_owned()));
    }
}

#[test]
fn a_node_is_found_by_its_id_by_those_who_may_see_it() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake, express) = (app.as_role(Role::Board), app.as_role(Role::Intake), app.as_head("02DS"));
        let data = board.data(
            "{ complaints { nodes {
                 id unit { id code } enterprise { id } officers { officer { id } } responses { nodes { id } } } }
               issueCategories { nodes { id } } }",
        );
        let complaints = data["complaints"]["nodes"].list();
        let node = |client: &Client, id: &Value| {
            let query = "query($id: ID!) { node(id: $id) { __typename id } }";
            client.data_with(query, &json!({ "id": id }))["node"].clone()
        };
        let named = complaints.iter().find(|complaint| complaint["unit"]["code"] == "03TG").unwrap();
        let answered = complaints.iter().find(|complaint| complaint["responses"]["nodes"] != json!([])).unwrap();
        for (kind, id) in [
            ("Complaint", &named["id"]),
            ("Unit", &named["unit"]["id"]),
            ("Officer", &named["officers"][0]["officer"]["id"]),
            ("Enterprise", &answered["enterprise"]["id"]),
            ("UnitResponse", &answered["responses"]["nodes"][0]["id"]),
            ("IssueCategory", &data["issueCategories"]["nodes"][0]["id"]),
        ] {
            assert_eq!(node(&board, id), json!({ "__typename": kind, "id": id }));
            let to_head = node(&express, id);
            assert_eq!(to_head.is_null(), !matches!(kind, "Unit" | "IssueCategory"), "{kind}: {to_head}");
            let to_intake = node(&intake, id);
            assert_eq!(to_intake.is_null(), !matches!(kind, "Unit" | "IssueCategory"), "{kind}: {to_intake}");
        }
        assert_eq!(node(&board, &json!("00000000-0000-0000-0000-000000000000")), Value::Null);
    }
}

#[test]
fn names_come_in_the_language_asked_for() {
    let app = TestApp::sqlite().generated(200, 2).start();
    let bearer = format!("Bearer {}", app.as_role(Role::Dashboard).token);
    let ask = |language: &str, field: &str| {
        let headers =
            [("authorization", &*bearer), ("content-type", "application/json"), ("accept-language", language)];
        let query = format!("{{ issueCategories(first: 1) {{ nodes {{ vi: nameVi en: nameEn it: {field} }} }} }}");
        let answer = app.server().send("POST", "/graphql", &headers, &json!({ "query": query }).to_string());
        answer.json()["data"]["issueCategories"]["nodes"][0].clone()
    };
    let names = ask("vi", "name");
    assert!(names["vi"] != names["en"] && names["en"].is_string(), "{names}");
    assert_eq!(names["it"], names["vi"]);
    assert_eq!(ask("en-GB, vi;q=0.5", "name")["it"], names["en"]);
    assert_eq!(ask("fr, vi;q=0.5", "name")["it"], names["vi"]);
    assert_eq!(ask("en", "name(locale: VI)")["it"], names["vi"]);
}

#[test]
fn a_search_ignores_diacritics_and_capitals() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        let found = |text: &str| {
            let query = "query($t: String!) {
                complaints(filter: {search: $t}, orderBy: [{field: RECEIVED_AT}]) { nodes { text } } }";
            board.data_with(query, &json!({ "t": text }))["complaints"].clone()
        };
        assert_eq!(texts(&found("CHAM tra LOI")), ["Chậm trả lời"]);
        assert_eq!(texts(&found("đòi tiền")), ["Cán bộ đòi tiền"]);
        assert_eq!(texts(&found("doi tien")), ["Cán bộ đòi tiền"]);
        assert_eq!(texts(&found("%")), Vec::<&str>::new());
        let data = board.data(
            "{ officers(filter: {search: \"nguyen van\"}) { nodes { code } }
               units(filter: {search: \"hai phong\"}) { nodes { code } }
               enterprises(filter: {search: \"cong ty\"}) { totalCount } }",
        );
        assert_eq!(data["officers"]["nodes"], json!([{ "code": "CC01" }]));
        assert_eq!(data["units"]["nodes"], json!([{ "code": "03" }, { "code": "03TG" }]));
        assert_eq!(data["enterprises"]["totalCount"], 2);
    }
}

#[test]
fn lists_can_be_ordered_by_a_measure_of_their_complaints() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let list = |list: &str, arguments: &str, key: &str| -> Vec<String> {
            let data = board.data(&format!("{{ {list}({arguments}) {{ nodes {{ {key} }} }} }}"));
            data[list]["nodes"].list().iter().map(|node| node[key].text().to_owned()).collect()
        };
        // Three complaints of two enterprises name CC01. One complaint names CC02. Two complaints of one enterprise
        // name CC03.
        assert_eq!(list("officers", "orderBy: {measure: COMPLAINTS}", "code"), ["CC01", "CC03", "CC02"]);
        assert_eq!(list("officers", "orderBy: {measure: DISTINCT_ENTERPRISES}", "code"), ["CC01", "CC02", "CC03"]);
        assert_eq!(
            list("officers", "orderBy: {measure: COMPLAINTS, direction: ASC, filter: {categoryIn: [\"TD2\"]}}", "code"),
            ["CC01", "CC03", "CC02"]
        );
        assert_eq!(
            list("officers", "orderBy: {measure: COMPLAINTS, days: 30}", "code"),
            ["CC01", "CC02", "CC03"],
            "none of late: by code"
        );
        assert_eq!(
            list("enterprises", "orderBy: {measure: COST_VND}, first: 2", "taxCode"),
            ["0100233488", "001099012345"]
        );
        assert_eq!(
            list("units", "filter: {kind: {eq: BRANCH}}, orderBy: {measure: COMPLAINTS}", "code"),
            ["02CV", "02DS", "03TG"]
        );
        // PA-2, PA-3 and PA-6 are of TD1, PA-1 and PA-4 of TD2, PA-5 is of HT. TD counts those of its subcategories.
        assert_eq!(list("issueCategories", "orderBy: {measure: COMPLAINTS}", "code"), ["TD", "TD1", "TD2", "HT"]);
        // A complaint does not store its general department. The server counts all complaints for it all the same.
        assert_eq!(
            list("units", "orderBy: {measure: COMPLAINTS}", "code"),
            ["TC", "02", "02CV", "02CV-D1", "02DS", "03", "03TG"]
        );
        let page = board.data(
            "{ officers(orderBy: {measure: COMPLAINTS}, first: 2) { totalCount pageInfo { hasNextPage endCursor } } }",
        );
        assert_eq!(
            (&page["officers"]["totalCount"], &page["officers"]["pageInfo"]["hasNextPage"]),
            (&json!(3), &json!(true))
        );
        let cursor = page["officers"]["pageInfo"]["endCursor"].text();
        assert_eq!(
            list("officers", &format!("orderBy: {{measure: COMPLAINTS}}, after: \"{cursor}\""), "code"),
            ["CC02"]
        );
        assert_eq!(
            list("officers", &format!("orderBy: {{measure: COMPLAINTS}}, before: \"{cursor}\", last: 1"), "code"),
            ["CC01"]
        );
        for wrong in [
            "{measure: COMPLAINTS, field: CODE}",
            "{days: 3}",
            "{field: CODE, days: 3}",
            "[{measure: COMPLAINTS}, {field: CODE}]",
        ] {
            let answer = board.request(&format!("{{ officers(orderBy: {wrong}) {{ totalCount }} }}"));
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{wrong}: {answer:?}");
        }
        let head = intake.request("{ units(orderBy: {measure: COMPLAINTS}) { totalCount } }");
        assert!(head.codes().iter().all(|code| code == "FORBIDDEN") && !head.codes().is_empty(), "{head:?}");
    }
}

#[test]
fn a_head_sees_the_timeliness_of_its_own_units_only() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (province, branch, board) = (app.as_head("02"), app.as_head("02CV"), app.as_role(Role::Board));
        let of = |client: &Client| -> Vec<(String, i64)> {
            let data = client.data("{ responseTimeliness(level: BRANCH, days: 36500) { unitCode complaints } }");
            let units = data["responseTimeliness"].list();
            let mut units: Vec<_> =
                units.iter().map(|unit| (unit["unitCode"].text().to_owned(), unit["complaints"].integer())).collect();
            units.sort();
            units
        };
        let named = |units: &[(&str, i64)]| -> Vec<(String, i64)> {
            units.iter().map(|(unit, number)| ((*unit).to_owned(), *number)).collect()
        };
        assert_eq!(of(&board), named(&[("02CV", 4), ("02DS", 1), ("03TG", 1)]));
        // A head does not see PA-6, because it is confidential.
        assert_eq!(of(&province), named(&[("02CV", 3), ("02DS", 1)]));
        assert_eq!(of(&branch), named(&[("02CV", 3)]));
        assert_eq!(branch.codes("{ blameCheck { days } }")[0], "FORBIDDEN");
    }
}

#[test]
fn a_head_sees_what_rises_in_its_own_units() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake, saigon, express) =
            (app.as_role(Role::Board), app.as_role(Role::Intake), app.as_head("02CV"), app.as_head("02DS"));
        let submit = "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { position } }";
        let mut position = 0;
        for (nth, (unit, category)) in [("02CV", "TD1"), ("02CV", "TD1"), ("02DS", "TD2")].into_iter().enumerate() {
            let key = format!("trend-{nth}");
            let input = json!({ "idempotencyKey": key, "text": "Chậm.", "unit": unit, "category": category });
            let receipt = intake.data_with(submit, &json!({ "input": input }));
            position = receipt["submitComplaint"]["position"].integer();
        }
        board.data(&format!("{{ complaintStatistics(minPosition: {position}) {{ position }} }}"));
        let recent = |client: &Client| {
            let data = client.data("{ categoryTrends { beforeDays categories { categoryCode recent } } }");
            let trends = data["categoryTrends"].clone();
            let mut seen: Vec<(String, i64)> = trends["categories"]
                .list()
                .iter()
                .map(|row| (row["categoryCode"].text().to_owned(), row["recent"].integer()))
                .filter(|(_, number)| *number > 0)
                .collect();
            seen.sort();
            // The register is years old, so every reader gets the whole period before.
            assert_eq!(trends["beforeDays"], 180);
            seen
        };
        let named = |rows: &[(&str, i64)]| -> Vec<(String, i64)> {
            rows.iter().map(|(code, number)| ((*code).to_owned(), *number)).collect()
        };
        assert_eq!(recent(&board), named(&[("TD", 3), ("TD1", 2), ("TD2", 1)]));
        assert_eq!(recent(&saigon), named(&[("TD", 2), ("TD1", 2)]));
        assert_eq!(recent(&express), named(&[("TD", 1), ("TD2", 1)]));
    }
}
