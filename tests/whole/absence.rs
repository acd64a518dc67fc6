//! What is not there for somebody answers as what is not there at all: no error, count or number tells the difference.

use crate::program;
use crate::transport::configured;
use crate::world::{self, Files};
use serde_json::{Value, json};
use std::net::TcpListener;
use tests::{Database, Server};

#[test]
fn nobody_learns_from_what_the_service_says_of_itself() {
    let database = Database::sqlite();
    world::fill(&database);
    let token = |role: &str| program().token(&database, role, (role == "UNIT_HEAD").then_some("02CV"));
    let member = ["token", "create", "--name", "An", "--role", "BOARD", "--officer", "CC01"];
    let member = program().json(&database, &member)["token"].as_str().unwrap().to_owned();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = configured(&database, &format!("[api]\nmetrics_listen = \"{free}\"\n"));
    let ask = |path: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        server.send("GET", path, if token.is_empty() { &[] } else { &headers }, "")
    };
    for (token, status) in [
        (String::new(), 401),
        ("pa_wrong".into(), 401),
        (token("DASHBOARD"), 403),
        (token("DATA_TEAM"), 403),
        (token("INTAKE"), 403),
        (token("UNIT_HEAD"), 403),
        // The number of complaints less those that he sees is that of complaints that name him.
        (member, 403),
        (token("ADMIN"), 200),
        (token("BOARD"), 200),
    ] {
        let answer = ask("/metrics", &token);
        assert_eq!((answer.status, answer.text.contains("phananh_")), (status, status == 200), "{}", answer.text);
        let ready = ask("/readyz", &token);
        let said = ready.json();
        let said: Vec<&String> = said.as_object().unwrap().keys().collect();
        let all = ["asOf", "position", "status"];
        assert_eq!(
            (ready.status, said),
            (
                200,
                all[if status == 200 { 0 } else { 2 }..]
                    .iter()
                    .map(|s| (*s).to_owned())
                    .collect::<Vec<_>>()
                    .iter()
                    .collect()
            )
        );
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let inside = agent.get(format!("http://{free}/metrics")).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(inside.contains("phananh_snapshot_rows 6"), "{inside}");
    for other in ["/graphql", "/readyz", "/healthz"] {
        assert_eq!(
            agent.get(format!("http://{free}{other}")).call().unwrap().status(),
            404,
            "nothing else is told there"
        );
    }
}

#[test]
fn who_submits_does_not_learn_which_officers_there_are() {
    for database in Database::both() {
        world::fill(&database);
        let token = |role: &str| program().token(&database, role, None);
        let (intake, board) = (token("INTAKE"), token("BOARD"));
        let other = program().json(&database, &["token", "create", "--name", "khac", "--role", "INTAKE"]);
        let other = other["token"].as_str().unwrap().to_owned();
        let server = program().serve(&database, &["--no-jobs"]);
        let submit = "mutation($i: SubmitComplaintInput!) { submitComplaint(input: $i) { created state version id reference position receivedAt } }";
        let answer = |key: &str, more: Value| -> (u16, Value) {
            let mut input = json!({ "idempotencyKey": key, "text": "x", "receivedAt": "2024-05-01T00:00:00Z" });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let answer = server.graphql(&intake, submit, &json!({ "i": input }));
            let mut json = answer.json();
            if let Some(receipt) = json.pointer_mut("/data/submitComplaint").and_then(Value::as_object_mut) {
                receipt.retain(|name, _| !["id", "reference", "position"].contains(&name.as_str()));
            }
            (answer.status, json)
        };
        let known = answer("1", json!({ "officers": ["CC01"] }));
        assert_eq!(known.0, 200);
        assert!(known.1.get("errors").is_none(), "{}", known.1);
        // What there is, what there is not, both, and both again.
        for (key, officers) in [
            ("2", json!(["CC77"])),
            ("3", json!(["CC01", "CC78"])),
            ("4", json!(["CC77"])),
            ("5", json!([" CC01 "])),
            ("6", json!(["không rõ tên"])),
        ] {
            assert_eq!(answer(key, json!({ "officers": officers })), known, "{officers}");
        }
        assert_eq!(
            answer("7", json!({ "officers": ["CC01"], "taxCode": "0100233488", "enterpriseName": "x" })),
            answer("8", json!({ "officers": ["CC79"], "taxCode": "0106784499", "enterpriseName": "x" }))
        );
        // What is no code is refused whatever there is, and before anything is looked up.
        let too_many: Vec<String> = (0..51).map(|n| format!("CC{n:02}")).collect();
        for wrong in [json!([""]), json!(["a\nb"]), json!(["x".repeat(201)]), json!(too_many)] {
            let (_, refused) = answer("9", json!({ "officers": wrong }));
            assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
        }
        // Sent again, and with another content: the same for both.
        let again = |key: &str, code: &str| {
            (answer(key, json!({ "officers": [code] })), answer(key, json!({ "officers": ["CC02"] })))
        };
        assert_eq!(again("1", "CC01"), again("2", "CC77"));
        // The Board finds each code word for word, and who is meant once somebody describes it.
        let unknown = "{ officers(filter: {unknown: {eq: true}}) { nodes { code name } } complaints(filter: {officers: {officer: {code: {eq: \"CC77\"}}}}) { totalCount } }";
        let found = server.data(&board, unknown);
        let codes: Vec<&str> =
            found["officers"]["nodes"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
        assert_eq!(
            (codes, &found["complaints"]["totalCount"]),
            (vec!["CC77", "CC78", "CC79", "không rõ tên"], &json!(2))
        );
        let files = Files::new();
        program()
            .run(&database, files.import("officers", "so_hieu,ho_ten\nCC77,Người Mới\n", world::OFFICERS_MAP))
            .ok();
        let named = server.data(&board, "{ officer(code: \"CC77\") { name unknown complaints { totalCount } } }");
        assert_eq!(
            named["officer"],
            json!({ "name": "Người Mới", "unknown": false, "complaints": { "totalCount": 2 } })
        );
        // Keys are each sender's own.
        let receipt = |token: &str, key: &str| {
            server.graphql(token, &format!("{{ receipt(idempotencyKey: \"{key}\") {{ id }} }}"), &json!({})).text
        };
        assert_eq!(receipt(&other, "1"), receipt(&other, "no such key"));
        let theirs = server.graphql(&other, submit, &json!({ "i": { "idempotencyKey": "1", "text": "y" } }));
        assert_eq!(theirs.json()["data"]["submitComplaint"]["created"], true, "{}", theirs.text);
    }
}

/// A request in which `%` stands for what is there, hidden from whoever asks, or not there at all.
struct Pair<'p> {
    token: &'p str,
    request: String,
    hidden: String,
    nothing: String,
}

fn check(server: &Server, pair: &Pair<'_>) {
    let answer = |value: &str| {
        let answer = server.graphql(pair.token, &pair.request.replace('%', value), &json!({}));
        (answer.status, answer.header("etag").is_empty(), answer.text.replace(value, "%"))
    };
    let (hidden, nothing) = (answer(&pair.hidden), answer(&pair.nothing));
    assert_eq!(hidden, nothing, "{}", pair.request.replace('%', &pair.hidden));
}

/// Somebody's id that there is not.
const NOTHING: &str = "018cd7c2-6000-8abc-8def-0123456789ab";

#[test]
fn what_is_hidden_answers_as_what_is_not_there() {
    for database in Database::both() {
        world::fill(&database);
        let files = Files::new();
        let units = format!("{}HQ,Cục Giám sát,HEADQUARTERS_UNIT,TC,,,\n", world::UNITS);
        program().run(&database, files.import("units", units, world::UNITS_MAP)).ok();
        world::run_counting(&database, "2024-03-31");
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        let token = |role: &str, unit: Option<&str>| program().token(&database, role, unit);
        let (board, admin, team, dashboard) =
            (token("BOARD", None), token("ADMIN", None), token("DATA_TEAM", None), token("DASHBOARD", None));
        let [saigon, express, haiphong, headquarters] =
            ["02CV", "02DS", "03TG", "HQ"].map(|unit| token("UNIT_HEAD", Some(unit)));
        let intake = token("INTAKE", None);
        let member = ["token", "create", "--name", "An", "--role", "BOARD", "--officer", "CC01"];
        let member = program().json(&database, &member)["token"].as_str().unwrap().to_owned();
        let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let all = server.data(&board, "{ complaints { nodes { id reference text confidential version } } flags { nodes { id officer { id } unit { code } } } officers { nodes { id code } } enterprises { nodes { id taxCode } } }");
        let of = |list: &str, is: &dyn Fn(&Value) -> bool| {
            all[list]["nodes"].as_array().unwrap().iter().find(|one| is(one)).unwrap().clone()
        };
        let theirs = of("complaints", &|one| one["text"] == "Cán bộ đòi tiền");
        let secret = of("complaints", &|one| one["confidential"] == true);
        let flag = text(&of("flags", &|one| !one["officer"].is_null())["id"]);
        let branch = text(&of("flags", &|one| one["unit"]["code"] == "02CV")["id"]);
        let officer = text(&of("officers", &|one| one["code"] == "CC02")["id"]);
        let own_only = of("enterprises", &|one| one["taxCode"] == "0314409058");
        let redact = format!(
            "mutation {{ redactComplaint(input: {{complaintId: {}, expectedVersion: {}, text: \"…\"}}) {{ complaint {{ pseudonym }} }} }}",
            secret["id"], secret["version"]
        );
        let pseudonym = text(&server.data(&board, &redact)["redactComplaint"]["complaint"]["pseudonym"]);
        let draft = "mutation { requestOpinion(input: {title: \"x\", text: \"x\"}) { document { id } } }";
        let draft = text(&server.data(&headquarters, draft)["requestOpinion"]["document"]["id"]);
        let measure = |of: &str, head: &str| {
            let record = format!(
                "mutation {{ recordMeasure(input: {{officer: \"{of}\", kind: FORMAL_REVIEW, decidedOn: \"2024-03-01\", grounds: \"x\", decisionMaker: \"x\"}}) {{ measure {{ id }} }} }}"
            );
            text(&server.data(head, &record)["recordMeasure"]["measure"]["id"])
        };
        let (measure, of_member) = (measure("CC03", &haiphong), measure("CC01", &haiphong));
        let (theirs_id, theirs_reference, secret_id) =
            (text(&theirs["id"]), text(&theirs["reference"]), text(&secret["id"]));
        let reference = "PA-20240105-7F3KQ2M9ZX";

        let mut pairs = Vec::new();
        let mut pair = |token: &'static str, request: String, hidden: &str, nothing: &str| {
            pairs.push((token, request, hidden.to_owned(), nothing.to_owned()));
        };
        let by_id = [
            "complaint(id: \"%\") { id text }",
            "node(id: \"%\") { id __typename }",
            "complaints(filter: {id: {eq: \"%\"}}) { totalCount nodes { id } }",
            "complaints(filter: {id: {in: [\"%\"]}}) { pageInfo { hasNextPage endCursor } }",
            "unitResponses(filter: {complaintId: {eq: \"%\"}}) { totalCount }",
        ];
        for request in by_id {
            pair("express", format!("{{ {request} }}"), &theirs_id, NOTHING);
            pair("saigon", format!("{{ {request} }}"), &secret_id, NOTHING);
            pair("member", format!("{{ {request} }}"), &theirs_id, NOTHING);
        }
        pair(
            "express",
            "{ complaints(filter: {reference: \"%\"}) { totalCount } }".into(),
            &theirs_reference,
            reference,
        );
        pair(
            "member",
            "{ complaints(filter: {reference: \"%\"}) { totalCount } }".into(),
            &theirs_reference,
            reference,
        );
        for version in [1, 2, 99] {
            let respond = format!(
                "mutation {{ respondToComplaint(input: {{complaintId: \"%\", expectedVersion: {version}, action: EXPLANATION, text: \"x\"}}) {{ position }} }}"
            );
            pair("express", respond.clone(), &theirs_id, NOTHING);
            pair("saigon", respond, &secret_id, NOTHING);
            for handle in [
                "classifyComplaint(input: {complaintId: \"%\", category: \"TD1\", expectedVersion: V, attributions: [{officer: \"CC01\", attribution: CONFIRMED}]})",
                "assignComplaint(input: {complaintId: \"%\", expectedVersion: V})",
                "changeComplaintState(input: {complaintId: \"%\", expectedVersion: V, state: WITHDRAWN})",
                "recordFinding(input: {complaintId: \"%\", expectedVersion: V, officer: \"CC01\", finding: SUSTAINED, decidedOn: \"2024-03-01\"})",
                "redactComplaint(input: {complaintId: \"%\", expectedVersion: V, text: \"x\"})",
            ] {
                let request = format!("mutation {{ {} {{ position }} }}", handle.replace('V', &version.to_string()));
                pair("member", request, &theirs_id, NOTHING);
            }
            for change in [
                "endMeasure(input: {measureId: \"%\", expectedVersion: V, endsOn: \"2024-05-01\", reason: \"x\"})",
                "voidMeasure(input: {measureId: \"%\", expectedVersion: V, reason: \"x\"})",
            ] {
                pair(
                    "saigon",
                    format!("mutation {{ {} {{ position }} }}", change.replace('V', &version.to_string())),
                    &measure,
                    NOTHING,
                );
            }
            for change in [
                "reviseGuidance(input: {documentId: \"%\", expectedVersion: V, text: \"x\"})",
                "withdrawGuidance(input: {documentId: \"%\", expectedVersion: V})",
                "issueGuidance(input: {documentId: \"%\", expectedVersion: V, number: \"1\", issuedOn: \"2024-05-01\"})",
            ] {
                pair(
                    "saigon",
                    format!("mutation {{ {} {{ position }} }}", change.replace('V', &version.to_string())),
                    &draft,
                    NOTHING,
                );
            }
            let respond = format!(
                "mutation {{ respondToRedactedComplaint(input: {{pseudonym: \"%\", expectedVersion: {version}, action: EXPLANATION, text: \"x\"}}) {{ position }} }}"
            );
            pair("express", respond, &pseudonym, &pseudonym.chars().rev().collect::<String>());
        }
        for state in ["ACKNOWLEDGED", "UPHELD", "DISMISSED"] {
            let review = format!(
                "mutation {{ reviewFlag(input: {{flagId: \"%\", state: {state}, reason: \"x\"}}) {{ flag {{ id }} }} }}"
            );
            pair("member", review.clone(), &flag, NOTHING);
            pair("member", review, &branch, NOTHING);
        }
        for who in ["express", "member"] {
            for request in [
                "flag(id: \"%\") { id tier }",
                "node(id: \"%\") { id }",
                "flags(filter: {id: {eq: \"%\"}}) { totalCount }",
            ] {
                pair(who, format!("{{ {request} }}"), &flag, NOTHING);
                pair(who, format!("{{ {request} }}"), &branch, NOTHING);
            }
        }
        pair("express", "mutation { recordExplanation(input: {flagId: \"%\", notifiedOn: \"2024-05-01\", explanation: \"x\"}) { flag { id } } }".into(), &flag, NOTHING);
        // Officers and enterprises that are somewhere else.
        let record = "mutation { recordMeasure(input: {officer: \"%\", kind: FORMAL_REVIEW, decidedOn: \"2024-03-01\", grounds: \"x\", decisionMaker: \"x\"}) { position } }";
        let record_for = "mutation { recordMeasure(input: {officer: \"CC02\", kind: SUSPENSION, decidedOn: \"2024-03-01\", grounds: \"x\", decisionMaker: \"x\", flagId: \"%\"}) { position } }";
        pair("saigon", record.into(), "CC02", "CC99");
        pair("express", record.into(), "CC03", "CC99");
        pair("express", record_for.into(), &flag, NOTHING);
        for request in [
            "complaints(filter: {officers: {officer: {code: {eq: \"%\"}}}}) { totalCount nodes { id } }",
            "complaintStatistics(filter: {officerIn: [\"%\"]}, groupBy: [MONTH]) { groupCount totals { complaints distinctEnterprises } rows { month } }",
            "units(orderBy: [{measure: COMPLAINTS, filter: {officerIn: [\"%\"]}}]) { nodes { code } }",
            "flags(filter: {officer: {code: {eq: \"%\"}}}) { totalCount }",
            "measures(filter: {officer: {code: {eq: \"%\"}}}) { totalCount }",
        ] {
            pair("saigon", format!("{{ {request} }}"), "CC02", "CC99");
            pair("express", format!("{{ {request} }}"), "CC01", "CC99");
        }
        for request in [
            "complaints(filter: {enterprise: {taxCode: {eq: \"%\"}}}) { totalCount }",
            "complaintStatistics(filter: {enterpriseIn: [\"%\"]}) { groupCount totals { complaints } }",
        ] {
            pair("express", format!("{{ {request} }}"), "001099012345", "0106784499");
            pair("member", format!("{{ {request} }}"), "0314409058", "0106784499");
        }
        pair(
            "member",
            "{ enterprises(filter: {taxCode: {eq: \"%\"}}) { totalCount nodes { id } } }".into(),
            "0314409058",
            "0106784499",
        );
        pair("member", "{ node(id: \"%\") { id } }".into(), own_only["id"].as_str().unwrap(), NOTHING);
        for request in ["node(id: \"%\") { id }", "measures(filter: {id: {eq: \"%\"}}) { totalCount }"] {
            pair("saigon", format!("{{ {request} }}"), &measure, NOTHING);
            pair("member", format!("{{ {request} }}"), &of_member, NOTHING);
        }
        for request in ["node(id: \"%\") { id }", "guidanceDocuments(filter: {id: {eq: \"%\"}}) { totalCount }"] {
            pair("saigon", format!("{{ {request} }}"), &draft, NOTHING);
        }
        for who in ["saigon", "team", "dashboard", "intake", "admin"] {
            pair(who, "{ node(id: \"%\") { id __typename } }".into(), &officer, NOTHING);
        }
        for who in ["team", "dashboard", "intake", "admin"] {
            for hidden in [&theirs_id, &flag, &measure, &draft] {
                pair(who, "{ node(id: \"%\") { id __typename } }".into(), hidden, NOTHING);
            }
        }
        assert!(pairs.len() > 100, "{}", pairs.len());
        let tokens = [
            ("saigon", &saigon),
            ("express", &express),
            ("member", &member),
            ("team", &team),
            ("dashboard", &dashboard),
            ("intake", &intake),
            ("admin", &admin),
        ];
        for (who, request, hidden, nothing) in pairs {
            let (_, token) = tokens.iter().find(|(name, _)| *name == who).unwrap();
            check(&server, &Pair { token, request, hidden, nothing });
        }
    }
}
