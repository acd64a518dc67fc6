//! What is filtered, ordered or searched by is a look as much as what is shown: each leaves an entry in the audit log.

use crate::access::guard;
use crate::program;
use crate::world::{self, Files};
use api::access::{ASKED, EXEMPT, SHOWN};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tests::{Database, Server};

/// Whether a row speaks of a type: `*` stands for anything at its beginning or end.
fn speaks_of(row: &str, of: &str) -> bool {
    match (row.strip_prefix('*'), row.strip_suffix('*')) {
        (Some(end), _) => of.ends_with(end),
        (_, Some(beginning)) => of.starts_with(beginning),
        _ => row == of,
    }
}

#[test]
fn every_field_that_may_name_somebody_is_audited_or_says_why_not() {
    let guard = guard();
    let typed = guard.typed();
    assert!(typed.len() > 700, "{}", typed.len());
    let audited = |of: &str, field: &str| {
        ASKED.iter().any(|(name, fields)| *name == of && fields.contains(&field))
            || SHOWN.iter().any(|(name, fields, _)| *name == of && fields.contains(&field))
    };
    for (of, field, holds) in &typed {
        // The words of enums that are no order or group only say what something is.
        let is_word = holds.is_empty();
        if is_word && !(of.ends_with("OrderField") || of == "StatisticsDimension") {
            continue;
        }
        // A new field that holds a text, an id or anything at all needs its own name in a list.
        let by_name = matches!(*holds, "String" | "ID" | "JSON" | "StringOps" | "IdOps");
        let exempt = EXEMPT.iter().any(|(name, fields, why)| {
            assert!(why.len() > 3, "{name}");
            let mechanical = name.starts_with('*') && fields == &["*"];
            speaks_of(name, of) && (fields.contains(field) || fields.contains(&"*") && (!by_name || mechanical))
        });
        let person = is_word && (of.starts_with("Officer") || of.starts_with("Enterprise"));
        assert!(
            audited(of, field) || exempt || is_word && !person,
            "{of}.{field} ({holds}): is it a look at somebody?"
        );
    }
    for (of, fields) in ASKED.iter().map(|row| (row.0, row.1)).chain(SHOWN.iter().map(|row| (row.0, row.1))) {
        for field in fields {
            assert!(typed.iter().any(|(name, one, _)| name == of && one == field), "the schema has no {of}.{field}");
        }
    }
    for (of, fields, _) in EXEMPT {
        for field in fields.iter().filter(|field| **field != "*") {
            let known = typed.iter().any(|(name, one, _)| speaks_of(of, name) && one == field);
            assert!(known, "the schema has no {of}.{field}");
        }
    }
}

/// The objects of the entries of an operation; waits for the first.
fn entries(server: &Server, admin: &str, operation: &str) -> Vec<Value> {
    let all = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
    let began = Instant::now();
    loop {
        let nodes = server.data(admin, all)["auditLog"]["nodes"].as_array().unwrap().clone();
        let own = nodes.iter().filter(|entry| entry["operation"] == operation);
        let found: Vec<Value> = own.map(|entry| entry["objects"].clone()).collect();
        if !found.is_empty() || began.elapsed() > Duration::from_secs(5) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn asked(path: &str, value: impl Into<Value>) -> Value {
    json!({ "path": path, "value": value.into() })
}

fn number_of(entry: &Value, kind: &str) -> usize {
    // Without a key file there are no pseudonyms, and numbers stand alone.
    let count = || entry[kind]["count"].as_u64().and_then(|count| usize::try_from(count).ok());
    entry[kind].as_array().map(Vec::len).or_else(count).unwrap_or(0)
}

#[test]
fn whatever_somebody_is_looked_for_by_is_noted_with_its_value() {
    for database in Database::both() {
        world::fill(&database);
        let (board, admin) = (program().token(&database, "BOARD", None), program().token(&database, "ADMIN", None));
        let server = program().serve(&database, &["--no-jobs"]);
        let one =
            server.data(
                &board,
                "{ complaints(first: 1, filter: {confidential: {eq: true}}) { nodes { id reference } } }",
            )["complaints"]["nodes"][0]
                .clone();
        let id = one["id"].as_str().unwrap();
        let officer = server.data(&board, "{ officer(code: \"CC01\") { id } }")["officer"]["id"].clone();
        let by_code = json!({ "eq": "CC01" });
        let cases: Vec<(&str, String, Value, Value)> = vec![
            ("Filtered", "query Filtered { complaints(filter: {officers: {officer: {code: {eq: \"CC01\"}}}}) { nodes { text } } }".into(),
                json!({}), asked("query.complaints.filter.officers.officer.code", by_code.clone())),
            ("Counted", "query Counted($c: String) { complaints(filter: {enterprise: {taxCode: {eq: $c}}}) { totalCount } }".into(),
                json!({ "c": "0100233488" }), asked("query.complaints.filter.enterprise.taxCode", json!({ "eq": "0100233488" }))),
            ("Default", "query Default($f: OfficerFilter = {name: {like: \"%An\"}}) { complaints(filter: {not: {officers: {officer: $f}}}) { totalCount } }".into(),
                json!({}), asked("query.complaints.filter.not.officers.officer.name", json!({ "like": "%An" }))),
            ("Within", "query Within($f: ComplaintFilter) { units { nodes { complaints(filter: $f) { totalCount } } } }".into(),
                json!({ "f": { "or": [{ "and": [{ "search": "đòi tiền" }] }] } }),
                asked("query.units.nodes.complaints.filter.or.and.search", json!("đòi tiền"))),
            ("Like", "query Like { unitResponses(filter: {text: {like: \"%xin lỗi%\"}}) { totalCount } }".into(),
                json!({}), asked("query.unitResponses.filter.text", json!({ "like": "%xin lỗi%" }))),
            ("Paper", format!("query Paper {{ complaints(filter: {{reference: {}}}) {{ totalCount }} }}", one["reference"]),
                json!({}), asked("query.complaints.filter.reference", one["reference"].clone())),
            ("One", format!("query One {{ complaint(id: \"{id}\") {{ state }} }}"), json!({}), asked("query.complaint.id", json!(id))),
            ("Any", format!("query Any {{ node(id: {officer}) {{ __typename }} }}"), json!({}), asked("query.node.id", officer.clone())),
            ("Nobody", "query Nobody { officer(code: \"CC99\") { __typename } }".into(), json!({}), asked("query.officer.code", json!("CC99"))),
            ("Grouped", "query Grouped { complaintStatistics(groupBy: [OFFICER]) { rows { complaints } } }".into(),
                json!({}), asked("query.complaintStatistics.groupBy", json!("OFFICER"))),
            ("Totals", "query Totals($in: [String!]) { complaintStatistics(filter: {officerIn: $in}) { totals { complaints } } }".into(),
                json!({ "in": ["CC01", "CC02"] }), asked("query.complaintStatistics.filter.officerIn", json!(["CC01", "CC02"]))),
            ("Ordered", "query Ordered { enterprises(orderBy: [{field: NAME}]) { totalCount } }".into(),
                json!({}), asked("query.enterprises.orderBy.field", json!("NAME"))),
            ("Ranked", "query Ranked { officers(orderBy: [{measure: COMPLAINTS}], first: 1) { pageInfo { endCursor } } }".into(),
                json!({}), asked("query.officers.orderBy.measure", json!("COMPLAINTS"))),
            ("Ranking", "query Ranking { units(orderBy: [{measure: COMPLAINTS, filter: {enterpriseIn: [\"0100233488\"]}}]) { nodes { code } } }".into(),
                json!({}), asked("query.units.orderBy.filter.enterpriseIn", json!(["0100233488"]))),
            ("Flagged", "query Flagged { flags(filter: {officer: {code: {eq: \"CC01\"}}}) { totalCount } }".into(),
                json!({}), asked("query.flags.filter.officer.code", by_code.clone())),
            ("Decided", "query Decided { measures(filter: {officer: {code: {eq: \"CC01\"}}}) { totalCount } }".into(),
                json!({}), asked("query.measures.filter.officer.code", by_code.clone())),
            // What fails tells something, too: by its being refused, or by how long it took.
            ("Failed", "query Failed { complaints(after: \"x\", filter: {officers: {officer: {code: {eq: \"CC01\"}}}}) { totalCount } }".into(),
                json!({}), asked("query.complaints.filter.officers.officer.code", by_code.clone())),
            ("Invalid", "query Invalid { complaints(filter: {officers: {officer: {code: {eq: \"CC01\"}}}}) { nothing } }".into(),
                json!({}), asked("query.complaints.filter.officers.officer.code", by_code.clone())),
            ("Written", format!("mutation Written {{ recordFinding(input: {{complaintId: \"{id}\", expectedVersion: 99, officer: \"CC03\", finding: SUSTAINED, decidedOn: \"2024-04-01\"}}) {{ position }} }}"),
                json!({}), asked("mutation.recordFinding.input.officer", json!("CC03"))),
        ];
        for (name, document, variables, condition) in &cases {
            let answer = server.graphql(&board, document, variables);
            let fails = ["Failed", "Invalid", "Written"].contains(name);
            assert_eq!(!answer.codes().is_empty(), fails, "{name}: {}", answer.text);
            let found = entries(&server, &admin, name);
            assert_eq!(found.len(), 1, "{name} on {}", database.name);
            assert!(found[0]["asked"].as_array().unwrap().contains(condition), "{name}: {}", found[0]);
            assert_eq!(found[0]["outcome"], if fails { json!("ERROR") } else { Value::Null }, "{name}");
        }
        let filtered = entries(&server, &admin, "Filtered").remove(0);
        assert_eq!((number_of(&filtered, "complaints"), &filtered["fields"]), (3, &json!(["Complaint.text"])));
        assert_eq!(number_of(&entries(&server, &admin, "Counted")[0], "complaints"), 0);
        // Numbers of units and categories are of nobody.
        server.data(&board, "query Plain { complaints(filter: {unit: {within: \"02\"}}) { totalCount nodes { state } } complaintStatistics(groupBy: [UNIT]) { rows { complaints } } }");
        server.data(&board, "query Last { officers { nodes { code } } }");
        assert_eq!(entries(&server, &admin, "Last").len(), 1);
        let all = server.data(&admin, "{ auditLog(first: 200) { nodes { operation } } }").to_string();
        assert!(!all.contains("Plain"), "{all}");
    }
}

#[test]
fn texts_ids_and_files_are_noted_on_every_way_to_them() {
    for database in Database::both() {
        world::fill(&database);
        world::run_counting(&database, "2024-03-31");
        let files = Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        let (board, admin) = (program().token(&database, "BOARD", None), program().token(&database, "ADMIN", None));
        let head = program().token(&database, "UNIT_HEAD", Some("02CV"));
        let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
        let secret = "{ complaints(first: 1, filter: {confidential: {eq: true}}) { nodes { id version } } }";
        let secret = server.data(&board, secret)["complaints"]["nodes"][0].clone();
        let (id, version) = (secret["id"].as_str().unwrap(), &secret["version"]);
        let redact = format!(
            "mutation Redact {{ redactComplaint(input: {{complaintId: \"{id}\", expectedVersion: {version}, text: \"…\"}}) {{ complaint {{ id }} }} }}"
        );
        let cases: Vec<(&str, &str, String, &str, usize)> = vec![
            ("List", &board, "query List { complaints { nodes { id } } }".into(), "complaints", 6),
            ("Edges", &board, "query Edges { complaints(first: 2) { edges { node { reference } } } }".into(), "complaints", 2),
            ("OfUnits", &board, "query OfUnits { units(filter: {code: {eq: \"02CV\"}}) { nodes { complaints { nodes { text } } } } }".into(), "complaints", 4),
            ("OfCategories", &board, "query OfCategories { issueCategories(filter: {code: {eq: \"TD1\"}}) { nodes { complaints { nodes { text } } } } }".into(), "complaints", 3),
            ("OfOfficer", &board, "query OfOfficer { officer(code: \"CC01\") { complaints { nodes { declarationNumber } } } }".into(), "complaints", 3),
            ("OfEnterprise", &board, "query OfEnterprise { enterprises(first: 1) { nodes { complaints { nodes { text } } } } }".into(), "enterprises", 1),
            ("Single", &board, format!("query Single {{ complaint(id: \"{id}\") {{ text }} }}"), "complaints", 1),
            ("Node", &board, format!("query Node {{ node(id: \"{id}\") {{ ... on Complaint {{ text }} }} }}"), "complaints", 1),
            ("NodeId", &board, format!("query NodeId {{ node(id: \"{id}\") {{ id }} }}"), "complaints", 1),
            ("Answers", &board, "query Answers { unitResponses { nodes { text } } }".into(), "complaints", 2),
            ("AnswersOf", &head, "query AnswersOf { complaints { nodes { responses { nodes { text } } } } }".into(), "complaints", 3),
            ("Evidence", &board, "query Evidence { flags { nodes { evidenceIds } } }".into(), "complaints", 3),
            ("Flags", &board, "query Flags { flags { nodes { id } } }".into(), "files", 1),
            ("Postings", &board, "query Postings { officers { nodes { postings { validFrom } } } }".into(), "files", 3),
            ("Unflagged", &board, "query Unflagged { officer(code: \"CC03\") { flag { id } } }".into(), "files", 1),
            ("OfficerIds", &board, "query OfficerIds { officers { nodes { id } } }".into(), "officers", 3),
            ("EnterpriseIds", &board, "query EnterpriseIds { enterprises { nodes { id } } }".into(), "enterprises", 4),
            ("Redact", &board, redact, "complaints", 1),
            ("Redacted", &head, "query Redacted { redactedComplaints { nodes { text } } }".into(), "complaints", 1),
        ];
        for (name, token, document, kind, number) in &cases {
            let answer = server.graphql(token, document, &json!({}));
            assert_eq!(answer.codes(), [""; 0], "{name}: {}", answer.text);
            let found = entries(&server, &admin, name);
            assert_eq!(found.len(), 1, "{name} on {}", database.name);
            let at_least = ["Evidence", "Flags"].contains(name);
            let has = number_of(&found[0], kind);
            assert!(has == *number || at_least && has >= 1, "{name}: {}", found[0]);
        }
        // Denied to those who may not: that they tried is noted, and cut short.
        let long = "x".repeat(1_000);
        let tried = format!(
            "query Tried {{ complaints(filter: {{officers: {{officer: {{unit: {{code: {{eq: \"{long}\"}}}}}}}}}}) {{ totalCount }} }}"
        );
        assert_eq!(server.graphql(&head, &tried, &json!({})).codes(), ["FORBIDDEN"]);
        let found = entries(&server, &admin, "Tried");
        assert_eq!(found[0]["outcome"], "DENIED", "{found:?}");
        assert!(found[0].to_string().len() < 1_000);
        // What is not text for PostgreSQL does not stop the log.
        let nul =
            server.graphql(&board, "query Nul($c: String) { officer(code: $c) { name } }", &json!({ "c": "a\u{0}b" }));
        assert_eq!(nul.codes(), ["BAD_USER_INPUT"]);
        assert_eq!(
            entries(&server, &admin, "Nul")[0]["asked"],
            json!([asked("query.officer.code", json!("a\u{fffd}b"))])
        );
        // Nor does the name that a client gives to an operation that has another, or none.
        let bearer = format!("Bearer {board}");
        let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let body = json!({ "query": "{ officer(code: \"CC01\") { name } }", "operationName": "a\u{0}\nb" }).to_string();
        server.send("POST", "/graphql", &headers, &body);
        assert_eq!(entries(&server, &admin, "anonymous").len(), 1);
        // A file with a filter, and an answer that has not changed.
        let filter = "%7B%22officers%22%3A%7B%22officer%22%3A%7B%22code%22%3A%7B%22eq%22%3A%22CC01%22%7D%7D%7D%7D";
        let file = server.send("GET", &format!("/export/complaints.csv?filter={filter}"), &headers[1..], "");
        assert_eq!(file.status, 200, "{}", file.text);
        assert_eq!(
            entries(&server, &admin, "Export")[0]["asked"],
            json!([asked("query.complaints.filter.officers.officer.code", json!({ "eq": "CC01" }))])
        );
        let question = "/graphql?query=query%20Again%7BcomplaintStatistics(filter%3A%7BofficerIn%3A%5B%22CC01%22%5D%7D)%7Btotals%7Bcomplaints%7D%7D%7D";
        let first = server.send("GET", question, &headers[1..], "");
        let known = first.header("etag").to_owned();
        let again = server.send("GET", question, &[headers[1], ("if-none-match", &known)], "");
        assert_eq!((first.status, again.status), (200, 304));
        let began = Instant::now();
        while entries(&server, &admin, "Again").len() < 2 {
            assert!(began.elapsed() < Duration::from_secs(5), "that nothing changed is an answer");
        }
    }
}

#[test]
fn what_takes_too_long_or_hides_behind_something_long_is_noted() {
    let database = Database::sqlite();
    program().run(&database, ["generate", "--complaints", "30000", "--seed", "3"]).ok();
    let (board, admin) = (program().token(&database, "BOARD", None), program().token(&database, "ADMIN", None));
    let files = Files::new();
    let settings = files.put("hasty.toml", "[api.roles.BOARD]\ndeadline_ms = 1\n");
    let server = program().serve(&database, &["--no-jobs", "--config", settings.to_str().unwrap()]);
    let late = server.graphql(
        &board,
        "query Late { complaints(filter: {search: \"không có chữ này\"}) { totalCount } }",
        &json!({}),
    );
    assert_eq!(late.codes(), ["TIMEOUT"], "{}", late.text);
    let found = entries(&server, &admin, "Late");
    assert_eq!(
        (&found[0]["asked"], &found[0]["outcome"]),
        (&json!([asked("query.complaints.filter.search", json!("không có chữ này"))]), &json!("TIMEOUT"))
    );
    let server = program().serve(&database, &["--no-jobs"]);
    // One long text many times, and what is meant behind it.
    let many: String = (0..15).map(|n| format!("a{n}: officer(code: $long) {{ code }} ")).collect();
    let behind = format!("query Behind($long: String) {{ {many} meant: officer(code: \"CB0001\") {{ code }} }}");
    let answer = server.graphql(&board, &behind, &json!({ "long": "x".repeat(50_000) }));
    assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{}", answer.text);
    let found = entries(&server, &admin, "Behind").remove(0);
    let conditions = found["asked"].as_array().unwrap();
    assert!(
        conditions.len() == 16 && conditions[15]["value"].as_str().unwrap().starts_with("CB0001"),
        "{conditions:?}"
    );
    assert!(found.to_string().len() < 300_000, "{}", found.to_string().len());
    // Lists that leave no room, and a pattern whose name stands at its end.
    let pattern = format!("{}Văn An", "%".repeat(120));
    let list: Vec<String> = (0..225).map(|n| format!("{n:06}").repeat(166)).collect();
    let hidden = "query Hidden($list: [String!], $pattern: String) {
        a: officers(filter: {code: {in: $list}}) { totalCount } b: officers(filter: {code: {in: $list}}) { totalCount }
        k: complaints(filter: {officers: {officer: {name: {like: $pattern}}}}) { totalCount } }";
    let answer = server.graphql(&board, hidden, &json!({ "list": list, "pattern": pattern }));
    assert_eq!((answer.codes(), answer.json()["data"].is_null()), (vec!["BAD_USER_INPUT".to_owned()], true));
    assert!(answer.text.contains("ask for less at once"), "{}", answer.text);
    // What runs is noted to its end.
    let once =
        hidden.replacen("b: officers(filter: {code: {in: $list}}) { totalCount }", "", 1).replace("Hidden", "Whole");
    let answer = server.graphql(&board, &once, &json!({ "list": list, "pattern": pattern }));
    assert_eq!(answer.codes(), [""; 0], "{}", answer.text);
    let noted = entries(&server, &admin, "Whole").remove(0)["asked"].to_string();
    assert!(noted.contains("Văn An") && list.iter().all(|code| noted.contains(code)), "{}", noted.len());
}
