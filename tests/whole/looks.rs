//! Filters, orders and searches tell of somebody as much as shown fields do: each leaves an entry in the audit log.

use crate::access::guard;
use crate::program;
use api::access::{Audited, IDENTIFYING_ARGUMENTS, OTHER_ARGUMENTS, audited, rows};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tests::fixtures::Files;
use tests::{Client, Json, Role, TestApp};

/// Whether a row of arguments speaks of a field: `*` stands for all fields of a type, or for all types with a field.
fn speaks_of(row: &str, of: &str) -> bool {
    row.split_once('*').map_or(row == of, |(beginning, end)| of.starts_with(beginning) && of.ends_with(end))
}

#[test]
fn every_identifying_field_is_audited_or_says_why_not() {
    let guard = guard();
    let typed = guard.typed();
    assert!(typed.len() > 700, "{}", typed.len());
    let named: BTreeSet<(&str, &str)> = rows().map(|(of, field, ..)| (of, field)).collect();
    for (of, field, holds) in &typed {
        // A new field that holds a text, an id or anything at all needs its own name.
        let by_name = matches!(*holds, "String" | "ID" | "JSON" | "StringOps" | "IdOps");
        let is_named = named.contains(&(of.as_str(), *field));
        let is_word = holds.is_empty();
        let ends = |ends: &[&str]| ends.iter().any(|end| of.ends_with(end));
        let is_input = is_word || ends(&["Filter", "Having", "Input", "Order"]);
        let is_said = match audited(of, field) {
            Some(Audited::AsCondition) => is_named && is_input,
            Some(Audited::ByRows | Audited::ByResolver) => is_named && !is_input,
            Some(Audited::Root) => ["Query", "Mutation", "Subscription"].contains(&of.as_str()) && !by_name,
            Some(Audited::Part) => ends(&["Connection", "Edge", "Ops", "Order", "PageInfo"]),
            // A word says what something is. Only words by which people are ordered or grouped single somebody out.
            Some(Audited::Word) => is_word && !of.starts_with("Officer") && !of.starts_with("Enterprise"),
            Some(Audited::No(why)) => why.len() > 3 && !is_word && (is_named || !by_name),
            None => {
                IDENTIFYING_ARGUMENTS.iter().any(|(name, fields)| name == of && fields.contains(field))
                    || OTHER_ARGUMENTS.iter().any(|(name, fields, why)| {
                        let covers = fields.contains(field) || fields.contains(&"*") && !by_name;
                        why.len() > 3 && speaks_of(name, of) && covers
                    })
            }
        };
        assert!(is_said, "{of}.{field} ({holds}): is it a look at somebody?");
    }
    for (of, fields) in IDENTIFYING_ARGUMENTS {
        for field in *fields {
            assert!(typed.iter().any(|(name, one, _)| name == of && one == field), "the schema has no {of}.{field}");
        }
    }
    for (of, fields, _) in OTHER_ARGUMENTS {
        for field in fields.iter().filter(|field| **field != "*") {
            let is_in_schema = typed.iter().any(|(name, one, _)| speaks_of(of, name) && one == field);
            assert!(is_in_schema, "the schema has no {of}.{field}");
        }
    }
}

/// The objects of the entries of an operation; waits for the first.
fn entries(admin: &Client<'_>, operation: &str) -> Vec<Value> {
    let all = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
    let began = Instant::now();
    loop {
        let data = admin.data(all);
        let own = data["auditLog"]["nodes"].list().iter().filter(|entry| entry["operation"] == operation);
        let found: Vec<Value> = own.map(|entry| entry["objects"].clone()).collect();
        if !found.is_empty() || began.elapsed() > Duration::from_secs(5) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The entry of a condition.
fn asked(path: &str, value: impl Into<Value>) -> Value {
    json!({ "path": path, "value": value.into() })
}

/// How many objects of a kind an entry holds.
fn number_of(entry: &Value, kind: &str) -> usize {
    // Without a key file there are no pseudonyms, so the entry holds a count.
    let count = || entry[kind]["count"].as_u64().and_then(|count| usize::try_from(count).ok());
    entry[kind].as_array().map(Vec::len).or_else(count).unwrap_or(0)
}

#[test]
fn the_audit_log_holds_every_identifying_condition_with_its_value() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
        let one = "{ complaints(first: 1, filter: {confidential: {eq: true}}) { nodes { id reference } } }";
        let one = board.data(one)["complaints"]["nodes"][0].clone();
        let id = one["id"].text();
        let officer = board.data("{ officer(code: \"CC01\") { id } }")["officer"]["id"].clone();
        let by_code = json!({ "eq": "CC01" });
        let paper =
            format!("query Paper {{ complaints(filter: {{reference: {}}}) {{ totalCount }} }}", one["reference"]);
        let by_id = format!("query One {{ complaint(id: \"{id}\") {{ state }} }}");
        let by_node = format!("query Any {{ node(id: {officer}) {{ __typename }} }}");
        let written = format!(
            "mutation Written {{ recordFinding(input: {{complaintId: \"{id}\", expectedVersion: 99, officer: \"CC03\", \
                finding: SUSTAINED, decidedOn: \"2024-04-01\"}}) {{ position }} }}"
        );
        let cases: Vec<(&str, &str, Value, Value)> = vec![
            (
                "Filtered",
                "query Filtered { complaints(filter: {officers: {officer: {code: {eq: \"CC01\"}}}}) \
                    { nodes { text } } }",
                json!({}),
                asked("query.complaints.filter.officers.officer.code", by_code.clone()),
            ),
            (
                "Counted",
                "query Counted($c: String) { complaints(filter: {enterprise: {taxCode: {eq: $c}}}) { totalCount } }",
                json!({ "c": "0100233488" }),
                asked("query.complaints.filter.enterprise.taxCode", json!({ "eq": "0100233488" })),
            ),
            (
                "Default",
                "query Default($f: OfficerFilter = {name: {like: \"%An\"}}) \
                    { complaints(filter: {not: {officers: {officer: $f}}}) { totalCount } }",
                json!({}),
                asked("query.complaints.filter.not.officers.officer.name", json!({ "like": "%An" })),
            ),
            (
                "Within",
                "query Within($f: ComplaintFilter) { units { nodes { complaints(filter: $f) { totalCount } } } }",
                json!({ "f": { "or": [{ "and": [{ "search": "đòi tiền" }] }] } }),
                asked("query.units.nodes.complaints.filter.or.and.search", json!("đòi tiền")),
            ),
            (
                "Like",
                "query Like { unitResponses(filter: {text: {like: \"%xin lỗi%\"}}) { totalCount } }",
                json!({}),
                asked("query.unitResponses.filter.text", json!({ "like": "%xin lỗi%" })),
            ),
            ("Paper", &paper, json!({}), asked("query.complaints.filter.reference", one["reference"].clone())),
            ("One", &by_id, json!({}), asked("query.complaint.id", json!(id))),
            ("Any", &by_node, json!({}), asked("query.node.id", officer.clone())),
            (
                "Nobody",
                "query Nobody { officer(code: \"CC99\") { __typename } }",
                json!({}),
                asked("query.officer.code", json!("CC99")),
            ),
            (
                "Grouped",
                "query Grouped { complaintStatistics(groupBy: [OFFICER]) { rows { complaints } } }",
                json!({}),
                asked("query.complaintStatistics.groupBy", json!("OFFICER")),
            ),
            (
                "Totals",
                "query Totals($in: [String!]) { complaintStatistics(filter: {officerIn: $in}) \
                    { totals { complaints } } }",
                json!({ "in": ["CC01", "CC02"] }),
                asked("query.complaintStatistics.filter.officerIn", json!(["CC01", "CC02"])),
            ),
            (
                "Ordered",
                "query Ordered { enterprises(orderBy: [{field: NAME}]) { totalCount } }",
                json!({}),
                asked("query.enterprises.orderBy.field", json!("NAME")),
            ),
            (
                "Ranked",
                "query Ranked { officers(orderBy: [{measure: COMPLAINTS}], first: 1) { pageInfo { endCursor } } }",
                json!({}),
                asked("query.officers.orderBy.measure", json!("COMPLAINTS")),
            ),
            (
                "Ranking",
                "query Ranking { units(orderBy: [{measure: COMPLAINTS, filter: {enterpriseIn: [\"0100233488\"]}}]) \
                    { nodes { code } } }",
                json!({}),
                asked("query.units.orderBy.filter.enterpriseIn", json!(["0100233488"])),
            ),
            (
                "Flagged",
                "query Flagged { flags(filter: {officer: {code: {eq: \"CC01\"}}}) { totalCount } }",
                json!({}),
                asked("query.flags.filter.officer.code", by_code.clone()),
            ),
            (
                "Decided",
                "query Decided { measures(filter: {officer: {code: {eq: \"CC01\"}}}) { totalCount } }",
                json!({}),
                asked("query.measures.filter.officer.code", by_code.clone()),
            ),
            // A failed operation tells something too: by its refusal, or by how long it took.
            (
                "Failed",
                "query Failed { complaints(after: \"x\", filter: {officers: {officer: {code: {eq: \"CC01\"}}}}) \
                    { totalCount } }",
                json!({}),
                asked("query.complaints.filter.officers.officer.code", by_code.clone()),
            ),
            (
                "Invalid",
                "query Invalid { complaints(filter: {officers: {officer: {code: {eq: \"CC01\"}}}}) { nothing } }",
                json!({}),
                asked("query.complaints.filter.officers.officer.code", by_code.clone()),
            ),
            ("Written", &written, json!({}), asked("mutation.recordFinding.input.officer", json!("CC03"))),
        ];
        for (name, document, variables, condition) in &cases {
            let answer = board.request_with(document, variables);
            let fails = ["Failed", "Invalid", "Written"].contains(name);
            assert_eq!(!answer.codes().is_empty(), fails, "{name}: {}", answer.text);
            let found = entries(&admin, name);
            assert_eq!(found.len(), 1, "{name} on {}", app.database.name);
            assert!(found[0]["asked"].list().contains(condition), "{name}: {}", found[0]);
            assert_eq!(found[0]["outcome"], if fails { json!("ERROR") } else { Value::Null }, "{name}");
        }
        let filtered = entries(&admin, "Filtered").remove(0);
        assert_eq!((number_of(&filtered, "complaints"), &filtered["fields"]), (3, &json!(["Complaint.text"])));
        assert_eq!(number_of(&entries(&admin, "Counted")[0], "complaints"), 0);
        // Numbers of units and categories tell of nobody.
        board.data(
            "query Plain { complaints(filter: {unit: {within: \"02\"}}) { totalCount nodes { state } } \
            complaintStatistics(groupBy: [UNIT]) { rows { complaints } } }",
        );
        board.data("query Last { officers { nodes { code } } }");
        assert_eq!(entries(&admin, "Last").len(), 1);
        let all = admin.data("{ auditLog(first: 200) { nodes { operation } } }").to_string();
        assert!(!all.contains("Plain"), "{all}");
    }
}

#[test]
fn texts_ids_and_files_are_noted_on_every_way_to_them() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.world_with_flags("2024-03-31").keyed(&files).arguments(&["--no-jobs"]).start();
        let (board, admin, head) = (app.as_role(Role::Board), app.as_role(Role::Admin), app.as_head("02CV"));
        let secret = "{ complaints(first: 1, filter: {confidential: {eq: true}}) { nodes { id version } } }";
        let secret = board.data(secret)["complaints"]["nodes"][0].clone();
        let (id, version) = (secret["id"].text(), &secret["version"]);
        let redact = format!(
            "mutation Redact {{ redactComplaint(input: {{complaintId: \"{id}\", expectedVersion: {version}, \
                text: \"…\"}}) {{ complaint {{ id }} }} }}"
        );
        let single = format!("query Single {{ complaint(id: \"{id}\") {{ text }} }}");
        let node = format!("query Node {{ node(id: \"{id}\") {{ ... on Complaint {{ text }} }} }}");
        let node_id = format!("query NodeId {{ node(id: \"{id}\") {{ id }} }}");
        let cases: Vec<(&str, &Client<'_>, &str, &str, usize)> = vec![
            ("List", &board, "query List { complaints { nodes { id } } }", "complaints", 6),
            ("Edges", &board, "query Edges { complaints(first: 2) { edges { node { reference } } } }", "complaints", 2),
            (
                "OfUnits",
                &board,
                "query OfUnits { units(filter: {code: {eq: \"02CV\"}}) { nodes { complaints { nodes { text } } } } }",
                "complaints",
                4,
            ),
            (
                "OfCategories",
                &board,
                "query OfCategories { issueCategories(filter: {code: {eq: \"TD1\"}}) \
                    { nodes { complaints { nodes { text } } } } }",
                "complaints",
                3,
            ),
            (
                "OfOfficer",
                &board,
                "query OfOfficer { officer(code: \"CC01\") { complaints { nodes { declarationNumber } } } }",
                "complaints",
                3,
            ),
            (
                "OfEnterprise",
                &board,
                "query OfEnterprise { enterprises(first: 1) { nodes { complaints { nodes { text } } } } }",
                "enterprises",
                1,
            ),
            ("Single", &board, &single, "complaints", 1),
            ("Node", &board, &node, "complaints", 1),
            ("NodeId", &board, &node_id, "complaints", 1),
            ("Answers", &board, "query Answers { unitResponses { nodes { text } } }", "complaints", 2),
            (
                "AnswersOf",
                &head,
                "query AnswersOf { complaints { nodes { responses { nodes { text } } } } }",
                "complaints",
                3,
            ),
            ("Evidence", &board, "query Evidence { flags { nodes { evidenceIds } } }", "complaints", 3),
            ("Flags", &board, "query Flags { flags { nodes { id } } }", "files", 1),
            ("Postings", &board, "query Postings { officers { nodes { postings { validFrom } } } }", "files", 3),
            ("Unflagged", &board, "query Unflagged { officer(code: \"CC03\") { flag { id } } }", "files", 1),
            ("OfficerIds", &board, "query OfficerIds { officers { nodes { id } } }", "officers", 3),
            ("EnterpriseIds", &board, "query EnterpriseIds { enterprises { nodes { id } } }", "enterprises", 4),
            ("Redact", &board, &redact, "complaints", 1),
            ("Redacted", &head, "query Redacted { redactedComplaints { nodes { text } } }", "complaints", 1),
        ];
        for (name, client, document, kind, number) in &cases {
            let answer = client.request(document);
            assert_eq!(answer.codes(), [""; 0], "{name}: {}", answer.text);
            let found = entries(&admin, name);
            assert_eq!(found.len(), 1, "{name} on {}", app.database.name);
            let at_least = ["Evidence", "Flags"].contains(name);
            let has = number_of(&found[0], kind);
            assert!(has == *number || at_least && has >= 1, "{name}: {}", found[0]);
        }
        // The log also holds what was denied, and cuts long values.
        let long = "x".repeat(1_000);
        let tried = format!(
            "query Tried {{ complaints(filter: {{officers: {{officer: {{unit: {{code: {{eq: \"{long}\"}}}}}}}}}}) \
                {{ totalCount }} }}"
        );
        assert_eq!(head.codes(&tried), ["FORBIDDEN"]);
        let found = entries(&admin, "Tried");
        assert_eq!(found[0]["outcome"], "DENIED", "{found:?}");
        assert!(found[0].to_string().len() < 1_000);
        // PostgreSQL refuses a text with NUL; the log holds it all the same.
        let nul = "query Nul($c: String) { officer(code: $c) { name } }";
        let nul = board.request_with(nul, &json!({ "c": "a\u{0}b" }));
        assert_eq!(nul.codes(), ["BAD_USER_INPUT"]);
        assert_eq!(entries(&admin, "Nul")[0]["asked"], json!([asked("query.officer.code", json!("a\u{fffd}b"))]));
        // An operation without a name is noted under `anonymous`, whatever name the request gives to it.
        let bearer = format!("Bearer {}", board.token);
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let body = json!({ "query": "{ officer(code: \"CC01\") { name } }", "operationName": "a\u{0}\nb" }).to_string();
        board.server.send("POST", "/graphql", &headers, &body);
        assert_eq!(entries(&admin, "anonymous").len(), 1);
        // A file with a filter, and an answer that has not changed.
        let filter = "%7B%22officers%22%3A%7B%22officer%22%3A%7B%22code%22%3A%7B%22eq%22%3A%22CC01%22%7D%7D%7D%7D";
        let file = board.server.send("GET", &format!("/export/complaints.csv?filter={filter}"), &headers[1..], "");
        assert_eq!(file.status, 200, "{}", file.text);
        assert_eq!(
            entries(&admin, "Export")[0]["asked"],
            json!([asked("query.complaints.filter.officers.officer.code", json!({ "eq": "CC01" }))])
        );
        let question = "/graphql?query=query%20Again%7BcomplaintStatistics\
            (filter%3A%7BofficerIn%3A%5B%22CC01%22%5D%7D)%7Btotals%7Bcomplaints%7D%7D%7D";
        let first = board.server.send("GET", question, &headers[1..], "");
        let etag = first.header("etag").to_owned();
        let again = board.server.send("GET", question, &[headers[1], ("if-none-match", &etag)], "");
        assert_eq!((first.status, again.status), (200, 304));
        let began = Instant::now();
        while entries(&admin, "Again").len() < 2 {
            assert!(began.elapsed() < Duration::from_secs(5), "that nothing changed is an answer");
        }
    }
}

#[test]
fn what_takes_too_long_or_hides_behind_something_long_is_noted() {
    let files = Files::new();
    let settings = files.put("hasty.toml", "[api.roles.BOARD]\ndeadline_ms = 1\n");
    let arguments = ["--no-jobs", "--config", settings.to_str().unwrap()];
    let hasty = TestApp::sqlite().generated(40_000, 3).arguments(&arguments).start();
    let (board, admin) = (hasty.as_role(Role::Board), hasty.as_role(Role::Admin));
    let late = board.request("query Late { complaints(filter: {search: \"không có chữ này\"}) { totalCount } }");
    assert_eq!(late.codes(), ["TIMEOUT"], "{}", late.text);
    let found = entries(&admin, "Late");
    assert_eq!(
        (&found[0]["asked"], &found[0]["outcome"]),
        (&json!([asked("query.complaints.filter.search", json!("không có chữ này"))]), &json!("TIMEOUT"))
    );
    let server = program().serve(&hasty.database, &["--no-jobs"]);
    let [board, admin] = [board, admin].map(|client| Client { server: &server, token: client.token });
    // One long text stands many times before the code that is meant.
    let many: String = (0..15).map(|n| format!("a{n}: officer(code: $long) {{ code }} ")).collect();
    let behind = format!("query Behind($long: String) {{ {many} meant: officer(code: \"CB0001\") {{ code }} }}");
    let answer = board.request_with(&behind, &json!({ "long": "x".repeat(50_000) }));
    assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}", answer.text);
    let found = entries(&admin, "Behind").remove(0);
    let conditions = found["asked"].list();
    assert!(conditions.len() == 16 && conditions[15]["value"].text().starts_with("CB0001"), "{conditions:?}");
    assert!(found.to_string().len() < 300_000, "{}", found.to_string().len());
    // Long lists leave no room in the log for a pattern with a name at its end: the server refuses the operation.
    let pattern = format!("{}Văn An", "%".repeat(120));
    let list: Vec<String> = (0..225).map(|n| format!("{n:06}").repeat(166)).collect();
    let hidden = "query Hidden($list: [String!], $pattern: String) {
        a: officers(filter: {code: {in: $list}}) { totalCount } b: officers(filter: {code: {in: $list}}) { totalCount }
        k: complaints(filter: {officers: {officer: {name: {like: $pattern}}}}) { totalCount } }";
    let answer = board.request_with(hidden, &json!({ "list": list, "pattern": pattern }));
    assert_eq!((answer.codes(), answer.json()["data"].is_null()), (vec!["BAD_USER_INPUT".to_owned()], true));
    assert!(answer.text.contains("ask for less at once"), "{}", answer.text);
    // The log holds all conditions of an operation that runs.
    let once =
        hidden.replacen("b: officers(filter: {code: {in: $list}}) { totalCount }", "", 1).replace("Hidden", "Whole");
    let answer = board.request_with(&once, &json!({ "list": list, "pattern": pattern }));
    assert_eq!(answer.codes(), [""; 0], "{}", answer.text);
    let noted = entries(&admin, "Whole").remove(0)["asked"].to_string();
    assert!(noted.contains("Văn An") && list.iter().all(|code| noted.contains(code)), "{}", noted.len());
}
