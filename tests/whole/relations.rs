//! Lists within lists, nodes by their id, names by language, search, and lists in the order of a measure.

use crate::graphql::worlds;
use crate::program;
use crate::world;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tests::Database;

fn texts(list: &Value) -> Vec<&str> {
    list["nodes"].as_array().unwrap().iter().map(|node| node["text"].as_str().unwrap()).collect()
}

#[test]
fn lists_within_a_list_are_read_together_and_hold_what_the_list_itself_would() {
    let answers = Database::both().map(|database| {
        program().run(&database, ["generate", "--complaints", "1200", "--seed", "21"]).ok();
        // The world has none about headquarters units.
        let about_headquarters = "UPDATE complaints SET department_id = NULL, branch_id = NULL, team_id = NULL,
            unit_id = (SELECT id FROM units WHERE code = CASE (cost_vnd / 1000) % 3 WHEN 0 THEN 'GSQL' WHEN 1 THEN 'TXNK' ELSE 'CNTT' END)
            WHERE cost_vnd IS NOT NULL AND channel IN ('LETTER', 'EMAIL')";
        database.open().read(|conn| Ok(conn.batch_execute(about_headquarters)?)).unwrap();
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--dev", "--no-jobs"]);
        let of = |list: &str, filter: &str, size: usize, key: &str| {
            format!(
                "{{ {list}(first: {size}{filter}) {{ nodes {{ {key} complaints(first: 3, filter: {{state: {{ne: CLOSED}}}}, orderBy: [{{field: COST_VND, direction: DESC}}]) {{
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
            assert_eq!(server.statements(&board, &few), server.statements(&board, &many), "{list}");
            let data = server.data(&board, &many)[list]["nodes"].clone();
            let mut some = 0;
            for node in data.as_array().unwrap() {
                let relation = relation.replace("KEY", node[key].as_str().unwrap());
                let alone = format!(
                    "{{ complaints(first: 3, filter: {{state: {{ne: CLOSED}}, {relation}}}, orderBy: [{{field: COST_VND, direction: DESC}}]) {{
                        totalCount pageInfo {{ hasNextPage endCursor }} nodes {{ id costVnd }} }} }}"
                );
                assert_eq!(server.data(&board, &alone)["complaints"], node["complaints"], "{list} {node}");
                some += usize::from(node["complaints"]["totalCount"] != 0);
            }
            assert!(some >= 3, "{list}: {some}");
            all.push(data);
        }
        // Pages of a nested list go on where they ended.
        let branch = all[0].as_array().unwrap().iter().find(|node| node["complaints"]["pageInfo"]["hasNextPage"] == true).unwrap();
        let (code, cursor) = (branch["code"].as_str().unwrap(), branch["complaints"]["pageInfo"]["endCursor"].as_str().unwrap());
        let next = format!("{{ unit(code: \"{code}\") {{ complaints(first: 100, after: \"{cursor}\", filter: {{state: {{ne: CLOSED}}}}, orderBy: [{{field: COST_VND, direction: DESC}}]) {{ nodes {{ id }} }} }} }}");
        let rest = server.data(&board, &next)["unit"]["complaints"]["nodes"].as_array().unwrap().len();
        assert_eq!(rest as i64 + 3, branch["complaints"]["totalCount"].as_i64().unwrap().min(103));
        json!(all)
    });
    // Cursors hold the same keys on both.
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn a_head_sees_within_a_list_only_what_is_its_own() {
    for world in worlds() {
        let query = "{ units(filter: {kind: {eq: BRANCH}}) { nodes { code complaints { totalCount nodes { text } } } } issueCategories { nodes { complaints { totalCount } } } }";
        let data = world.server.data(&world.saigon, query);
        for unit in data["units"]["nodes"].as_array().unwrap() {
            let own = unit["code"] == "02CV";
            // Of its four one is confidential.
            assert_eq!(unit["complaints"]["totalCount"], if own { 3 } else { 0 }, "{unit}");
        }
        let counts = data["issueCategories"]["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|node| node["complaints"]["totalCount"].as_i64().unwrap());
        assert_eq!(counts.sum::<i64>(), 3);
        let whole = world.server.data(&world.board, "{ unit(code: \"TC\") { complaints { totalCount } } }");
        assert_eq!(
            whole["unit"]["complaints"]["totalCount"], 6,
            "what is not stored with complaints is found by the tree"
        );
    }
}

#[test]
fn a_head_sees_the_flags_of_its_own_and_of_their_evidence_what_is_its_own() {
    for world in worlds() {
        world::run_counting(&world.database, "2024-03-31");
        let haiphong = program().token(&world.database, "UNIT_HEAD", Some("03TG"));
        let flags = |token: &str| -> Vec<(Value, Value, usize)> {
            let data = world
                .server
                .data(token, "{ flags { totalCount nodes { id officer { code } unit { code } tier evidenceIds } } }");
            assert_eq!(data["flags"]["totalCount"], data["flags"]["nodes"].as_array().unwrap().len());
            let nodes = data["flags"]["nodes"].as_array().unwrap();
            let subject = |node: &Value| {
                if node["officer"].is_object() { node["officer"]["code"].clone() } else { node["unit"]["code"].clone() }
            };
            nodes
                .iter()
                .map(|node| (subject(node), node["id"].clone(), node["evidenceIds"].as_array().unwrap().len()))
                .collect()
        };
        let all = flags(&world.board);
        let evidence =
            |list: &[(Value, Value, usize)], code: &str| list.iter().find(|flag| flag.0 == code).map(|flag| flag.2);
        assert_eq!((evidence(&all, "CC01"), evidence(&all, "02CV")), (Some(3), Some(3)), "{all:?}");
        // CC01 serves in Hai Phong today; what is told of it happened elsewhere, and one complaint is confidential.
        assert_eq!(evidence(&flags(&haiphong), "CC01"), Some(0));
        let saigon = flags(&world.saigon);
        assert_eq!((evidence(&saigon, "CC01"), evidence(&saigon, "02CV")), (None, Some(2)), "{saigon:?}");
        assert!(flags(&world.express).iter().all(|flag| flag.0 == "02DS" || flag.0 == "CC02"));
        let of_officer = &all.iter().find(|flag| flag.0 == "CC01").unwrap().1;
        let one = format!("{{ flag(id: {of_officer}) {{ tier }} node(id: {of_officer}) {{ id }} }}");
        assert_eq!(world.server.data(&world.saigon, &one), json!({ "flag": null, "node": null }));
        assert!(world.server.data(&haiphong, &one)["node"].is_object());
        let reviews = world.server.graphql(&haiphong, "{ flags { nodes { reviews { actor } } } }", &json!({}));
        assert!(reviews.codes().contains(&"FORBIDDEN".to_owned()));
    }
}

#[test]
fn a_node_is_found_by_its_id_by_those_who_may_see_it() {
    for world in worlds() {
        let query = "{ complaints { nodes { id unit { id code } enterprise { id } officers { officer { id } } responses { nodes { id } } } } issueCategories { nodes { id } } }";
        let data = world.server.data(&world.board, query);
        let complaints = data["complaints"]["nodes"].as_array().unwrap();
        let node = |token: &str, id: &Value| {
            let query = "query($id: ID!) { node(id: $id) { __typename id } }";
            world.server.data_with(token, query, &json!({ "id": id }))["node"].clone()
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
            assert_eq!(node(&world.board, id), json!({ "__typename": kind, "id": id }));
            let to_head = node(&world.express, id);
            assert_eq!(to_head.is_null(), !matches!(kind, "Unit" | "IssueCategory"), "{kind}: {to_head}");
            let to_intake = node(&world.intake, id);
            assert_eq!(to_intake.is_null(), !matches!(kind, "Unit" | "IssueCategory"), "{kind}: {to_intake}");
        }
        assert_eq!(node(&world.board, &json!("00000000-0000-0000-0000-000000000000")), Value::Null);
    }
}

#[test]
fn names_come_in_the_language_asked_for() {
    let database = Database::sqlite();
    program().run(&database, ["generate", "--complaints", "200", "--seed", "2"]).ok();
    let token = program().token(&database, "DASHBOARD", None);
    let server = program().serve(&database, &[]);
    let ask = |language: &str, field: &str| {
        let bearer = format!("Bearer {token}");
        let headers =
            [("authorization", &*bearer), ("content-type", "application/json"), ("accept-language", language)];
        let body = json!({ "query": format!("{{ issueCategories(first: 1) {{ nodes {{ vi: nameVi en: nameEn it: {field} }} }} }}") });
        server.send("POST", "/graphql", &headers, &body.to_string()).json()["data"]["issueCategories"]["nodes"][0]
            .clone()
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
    for world in worlds() {
        let found = |text: &str| {
            let query = "query($t: String!) { complaints(filter: {search: $t}, orderBy: [{field: RECEIVED_AT}]) { nodes { text } } }";
            world.server.data_with(&world.board, query, &json!({ "t": text }))["complaints"].clone()
        };
        assert_eq!(texts(&found("CHAM tra LOI")), ["Chậm trả lời"]);
        assert_eq!(texts(&found("đòi tiền")), ["Cán bộ đòi tiền"]);
        assert_eq!(texts(&found("doi tien")), ["Cán bộ đòi tiền"]);
        assert_eq!(texts(&found("%")), Vec::<&str>::new());
        let data = world.server.data(&world.board, "{ officers(filter: {search: \"nguyen van\"}) { nodes { code } } units(filter: {search: \"hai phong\"}) { nodes { code } } enterprises(filter: {search: \"cong ty\"}) { totalCount } }");
        assert_eq!(data["officers"]["nodes"], json!([{ "code": "CC01" }]));
        assert_eq!(data["units"]["nodes"], json!([{ "code": "03" }, { "code": "03TG" }]));
        assert_eq!(data["enterprises"]["totalCount"], 2);
    }
}

#[test]
fn lists_can_be_ordered_by_a_measure_of_their_complaints() {
    for world in worlds() {
        let list = |list: &str, arguments: &str, key: &str| -> Vec<String> {
            let data = world.server.data(&world.board, &format!("{{ {list}({arguments}) {{ nodes {{ {key} }} }} }}"));
            data[list]["nodes"].as_array().unwrap().iter().map(|node| node[key].as_str().unwrap().to_owned()).collect()
        };
        // CC01 stands in three complaints of two enterprises, CC02 in one, CC03 in two of one.
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
        // TD1 of PA-2, PA-3 and PA-6, TD2 of PA-1 and PA-4, HT of PA-5; a category above counts its own.
        assert_eq!(list("issueCategories", "orderBy: {measure: COMPLAINTS}", "code"), ["TD1", "TD2", "HT", "TD"]);
        // Also of what its complaints do not store: the general department has all of them.
        assert_eq!(
            list("units", "orderBy: {measure: COMPLAINTS}", "code"),
            ["TC", "02", "02CV", "02CV-D1", "02DS", "03", "03TG"]
        );
        let page = world.server.data(
            &world.board,
            "{ officers(orderBy: {measure: COMPLAINTS}, first: 2) { totalCount pageInfo { hasNextPage endCursor } } }",
        );
        assert_eq!(
            (&page["officers"]["totalCount"], &page["officers"]["pageInfo"]["hasNextPage"]),
            (&json!(3), &json!(true))
        );
        let cursor = page["officers"]["pageInfo"]["endCursor"].as_str().unwrap();
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
            let answer = world.server.graphql(
                &world.board,
                &format!("{{ officers(orderBy: {wrong}) {{ totalCount }} }}"),
                &json!({}),
            );
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{wrong}: {answer:?}");
        }
        let head =
            world.server.graphql(&world.intake, "{ units(orderBy: {measure: COMPLAINTS}) { totalCount } }", &json!({}));
        assert!(head.codes().iter().all(|code| code == "FORBIDDEN") && !head.codes().is_empty(), "{head:?}");
    }
}

#[test]
fn a_head_sees_how_its_own_units_answer_and_nobody_elses() {
    for database in Database::both() {
        world::fill(&database);
        let head = |unit: &str| program().token(&database, "UNIT_HEAD", Some(unit));
        let (province, branch, board) = (head("02"), head("02CV"), program().token(&database, "BOARD", None));
        let server = program().serve(&database, &["--no-jobs"]);
        let of = |token: &str| -> Vec<(String, i64)> {
            let data = server.data(token, "{ responseTimeliness(level: BRANCH, days: 36500) { unitCode complaints } }");
            let units = data["responseTimeliness"].as_array().unwrap();
            let mut units: Vec<_> = units
                .iter()
                .map(|unit| (unit["unitCode"].as_str().unwrap().to_owned(), unit["complaints"].as_i64().unwrap()))
                .collect();
            units.sort();
            units
        };
        let named = |units: &[(&str, i64)]| -> Vec<(String, i64)> {
            units.iter().map(|(unit, number)| ((*unit).to_owned(), *number)).collect()
        };
        assert_eq!(of(&board), named(&[("02CV", 4), ("02DS", 1), ("03TG", 1)]));
        // Without PA-6, which is confidential.
        assert_eq!(of(&province), named(&[("02CV", 3), ("02DS", 1)]));
        assert_eq!(of(&branch), named(&[("02CV", 3)]));
        let blames = server.graphql(&branch, "{ blameCheck { days } }", &json!({}));
        assert_eq!(blames.codes()[0], "FORBIDDEN");
    }
}

#[test]
fn a_head_sees_what_rises_in_its_own_units() {
    for world in worlds() {
        let submit = "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { position } }";
        let mut position = 0;
        for (nth, (unit, category)) in [("02CV", "TD1"), ("02CV", "TD1"), ("02DS", "TD2")].into_iter().enumerate() {
            let input = json!({ "idempotencyKey": format!("trend-{nth}"), "text": "Chậm.", "unit": unit, "category": category });
            let receipt = world.server.data_with(&world.intake, submit, &json!({ "input": input }));
            position = receipt["submitComplaint"]["position"].as_i64().unwrap();
        }
        world.server.data(&world.board, &format!("{{ complaintStatistics(minPosition: {position}) {{ position }} }}"));
        let recent = |token: &str| {
            let data = world.server.data(token, "{ categoryTrends { beforeDays categories { categoryCode recent } } }");
            let trends = data["categoryTrends"].clone();
            let mut seen: Vec<(String, i64)> = trends["categories"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| (row["categoryCode"].as_str().unwrap().to_owned(), row["recent"].as_i64().unwrap()))
                .filter(|(_, number)| *number > 0)
                .collect();
            seen.sort();
            // The register is years old, whatever part of it one sees.
            assert_eq!(trends["beforeDays"], 180);
            seen
        };
        let named = |rows: &[(&str, i64)]| -> Vec<(String, i64)> {
            rows.iter().map(|(code, number)| ((*code).to_owned(), *number)).collect()
        };
        assert_eq!(recent(&world.board), named(&[("TD1", 2), ("TD2", 1)]));
        assert_eq!(recent(&world.saigon), named(&[("TD1", 2)]));
        assert_eq!(recent(&world.express), named(&[("TD2", 1)]));
    }
}
