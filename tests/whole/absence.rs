//! What is hidden from somebody answers as what does not exist: no error, count or number tells the difference.

use crate::program;
use serde_json::{Value, json};
use std::net::TcpListener;
use tests::fixtures::{self, Files};
use tests::{Client, Json, Role, TestApp, merged};

#[test]
fn health_and_metrics_reveal_no_data() {
    let files = Files::new();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = files.put("phananh.toml", format!("[api]\nmetrics_listen = \"{free}\"\n"));
    let app = TestApp::sqlite().world().arguments(&["--config", settings.to_str().unwrap()]).start();
    let token = |role: Role| app.as_any(role, "02CV").token;
    let ask = |path: &str, token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        app.server().send("GET", path, if token.is_empty() { &[] } else { &headers }, "")
    };
    for (token, status) in [
        (String::new(), 401),
        ("pa_wrong".into(), 401),
        (token(Role::Dashboard), 403),
        (token(Role::DataTeam), 403),
        (token(Role::Intake), 403),
        (token(Role::UnitHead), 403),
        // The member does not see complaints that name the member. The number of all would tell how many those are.
        (app.as_member("An", "CC01").token, 403),
        (token(Role::Admin), 200),
        (token(Role::Board), 200),
    ] {
        let answer = ask("/metrics", &token);
        assert_eq!((answer.status, answer.text.contains("phananh_")), (status, status == 200), "{}", answer.text);
        let ready = ask("/readyz", &token);
        let said = ready.json();
        let said: Vec<&str> = said.object().keys().map(String::as_str).collect();
        let all = ["asOf", "jobs", "position", "snapshotAgeSeconds", "status", "undelivered"];
        let told = if status == 200 { all.to_vec() } else { vec!["status"] };
        assert_eq!((ready.status, said), (200, told));
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
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (intake, board) = (app.as_role(Role::Intake), app.as_role(Role::Board));
        let other = app.as_holder(&["--name", "khac", "--role", "INTAKE"]);
        let submit = "mutation($i: SubmitComplaintInput!) { submitComplaint(input: $i) \
            { created state version id reference position receivedAt } }";
        let answer = |key: &str, more: Value| -> (u16, Value) {
            let input = json!({ "idempotencyKey": key, "text": "x", "receivedAt": "2024-05-01T00:00:00Z" });
            let input = merged(&input, &more);
            let answer = intake.request_with(submit, &json!({ "i": input }));
            let mut json = answer.json();
            if let Some(receipt) = json.pointer_mut("/data/submitComplaint").and_then(Value::as_object_mut) {
                receipt.retain(|name, _| !["id", "reference", "position"].contains(&name.as_str()));
            }
            (answer.status, json)
        };
        let for_existing_officer = answer("1", json!({ "officers": ["CC01"] }));
        assert_eq!(for_existing_officer.0, 200);
        assert!(for_existing_officer.1.get("errors").is_none(), "{}", for_existing_officer.1);
        // Codes of officers that exist or not: the answer is the same.
        for (key, officers) in [
            ("2", json!(["CC77"])),
            ("3", json!(["CC01", "CC78"])),
            ("4", json!(["CC77"])),
            ("5", json!([" CC01 "])),
            ("6", json!(["không rõ tên"])),
        ] {
            assert_eq!(answer(key, json!({ "officers": officers })), for_existing_officer, "{officers}");
        }
        assert_eq!(
            answer("7", json!({ "officers": ["CC01"], "taxCode": "0100233488", "enterpriseName": "x" })),
            answer("8", json!({ "officers": ["CC79"], "taxCode": "0106784499", "enterpriseName": "x" }))
        );
        // A text that cannot be a code is refused before the program looks it up.
        let too_many: Vec<String> = (0..51).map(|n| format!("CC{n:02}")).collect();
        for wrong in [json!([""]), json!(["a\nb"]), json!(["x".repeat(201)]), json!(too_many)] {
            let (_, refused) = answer("9", json!({ "officers": wrong }));
            assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
        }
        // A repeated key with the same content, and with another content: the answers are the same for both officers.
        let again = |key: &str, code: &str| {
            (answer(key, json!({ "officers": [code] })), answer(key, json!({ "officers": ["CC02"] })))
        };
        assert_eq!(again("1", "CC01"), again("2", "CC77"));
        // The Board finds each code word for word, and the officer once an import names the code.
        let unknown = "{ officers(filter: {unknown: {eq: true}}) { nodes { code name } } \
            complaints(filter: {officers: {officer: {code: {eq: \"CC77\"}}}}) { totalCount } }";
        let found = board.data(unknown);
        let codes: Vec<&str> = found["officers"]["nodes"].list().iter().map(|one| one["code"].text()).collect();
        assert_eq!(
            (codes, &found["complaints"]["totalCount"]),
            (vec!["CC77", "CC78", "CC79", "không rõ tên"], &json!(2))
        );
        let files = Files::new();
        let import = files.import("officers", "so_hieu,ho_ten\nCC77,Người Mới\n", fixtures::OFFICERS_MAP);
        program().run(&app.database, import).ok();
        let named = board.data("{ officer(code: \"CC77\") { name unknown complaints { totalCount } } }");
        assert_eq!(
            named["officer"],
            json!({ "name": "Người Mới", "unknown": false, "complaints": { "totalCount": 2 } })
        );
        // Each sender has idempotency keys of its own.
        let receipt = |key: &str| other.request(&format!("{{ receipt(idempotencyKey: \"{key}\") {{ id }} }}")).text;
        assert_eq!(receipt("1"), receipt("no such key"));
        let theirs = other.request_with(submit, &json!({ "i": { "idempotencyKey": "1", "text": "y" } }));
        assert_eq!(theirs.json()["data"]["submitComplaint"]["created"], true, "{}", theirs.text);
    }
}

/// A request in which `%` stands for something that is hidden from the client, or for something that does not exist.
struct Pair<'p> {
    client: &'p Client<'p>,
    request: String,
    hidden: String,
    nothing: String,
}

impl Pair<'_> {
    /// Asserts that the client gets the same answer for both.
    fn check(&self) {
        let answer = |value: &str| {
            let answer = self.client.request(&self.request.replace('%', value));
            (answer.status, answer.header("etag").is_empty(), answer.text.replace(value, "%"))
        };
        let (hidden, nothing) = (answer(&self.hidden), answer(&self.nothing));
        assert_eq!(hidden, nothing, "{}", self.request.replace('%', &self.hidden));
    }
}

/// An id that nothing has.
const NOTHING: &str = "018cd7c2-6000-8abc-8def-0123456789ab";

#[test]
fn what_is_hidden_answers_as_what_is_not_there() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.world().keyed(&files).arguments(&["--no-jobs"]).start();
        let units = format!("{}HQ,Cục Giám sát,HEADQUARTERS_UNIT,TC,,,\n", fixtures::UNITS);
        app.import("units", units, fixtures::UNITS_MAP);
        fixtures::run_counting(&app.database, "2024-03-31");
        let [board, admin, team, dashboard, intake] =
            [Role::Board, Role::Admin, Role::DataTeam, Role::Dashboard, Role::Intake].map(|role| app.as_role(role));
        let [saigon, express, haiphong, headquarters] = ["02CV", "02DS", "03TG", "HQ"].map(|unit| app.as_head(unit));
        let member = app.as_member("An", "CC01");
        let text = |value: &Value| value.text().to_owned();
        let all = board.data(
            "{ complaints { nodes { id reference text confidential version } } \
            flags { nodes { id officer { id } unit { code } } } officers { nodes { id code } } \
            enterprises { nodes { id taxCode } } }",
        );
        let of = |list: &str, is: &dyn Fn(&Value) -> bool| {
            all[list]["nodes"].list().iter().find(|one| is(one)).unwrap().clone()
        };
        let theirs = of("complaints", &|one| one["text"] == "Cán bộ đòi tiền");
        let secret = of("complaints", &|one| one["confidential"] == true);
        let flag = text(&of("flags", &|one| !one["officer"].is_null())["id"]);
        let branch = text(&of("flags", &|one| one["unit"]["code"] == "02CV")["id"]);
        let officer = text(&of("officers", &|one| one["code"] == "CC02")["id"]);
        let own_only = of("enterprises", &|one| one["taxCode"] == "0314409058");
        let redact = format!(
            "mutation {{ redactComplaint(input: {{complaintId: {}, expectedVersion: {}, text: \"…\"}}) \
                {{ complaint {{ pseudonym }} }} }}",
            secret["id"], secret["version"]
        );
        let pseudonym = text(&board.data(&redact)["redactComplaint"]["complaint"]["pseudonym"]);
        let draft = "mutation { requestOpinion(input: {title: \"x\", text: \"x\"}) { document { id } } }";
        let draft = text(&headquarters.data(draft)["requestOpinion"]["document"]["id"]);
        let measure = |of: &str| {
            let record = format!(
                "mutation {{ recordMeasure(input: {{officer: \"{of}\", kind: FORMAL_REVIEW, decidedOn: \"2024-03-01\", \
                    grounds: \"x\", decisionMaker: \"x\", noBasisReason: \"x\"}}) {{ measure {{ id }} }} }}"
            );
            text(&haiphong.data(&record)["recordMeasure"]["measure"]["id"])
        };
        let (measure, of_member) = (measure("CC03"), measure("CC01"));
        let (theirs_id, theirs_reference, secret_id) =
            (text(&theirs["id"]), text(&theirs["reference"]), text(&secret["id"]));
        let reference = "PA-20240105-7F3KQ2M9ZX";

        let mut pairs = Vec::new();
        let mut pair = |client, request: String, hidden: &str, nothing: &str| {
            pairs.push(Pair { client, request, hidden: hidden.to_owned(), nothing: nothing.to_owned() });
        };
        let by_id = [
            "complaint(id: \"%\") { id text }",
            "node(id: \"%\") { id __typename }",
            "complaints(filter: {id: {eq: \"%\"}}) { totalCount nodes { id } }",
            "complaints(filter: {id: {in: [\"%\"]}}) { pageInfo { hasNextPage endCursor } }",
            "unitResponses(filter: {complaintId: {eq: \"%\"}}) { totalCount }",
        ];
        for request in by_id {
            pair(&express, format!("{{ {request} }}"), &theirs_id, NOTHING);
            pair(&saigon, format!("{{ {request} }}"), &secret_id, NOTHING);
            pair(&member, format!("{{ {request} }}"), &theirs_id, NOTHING);
        }
        pair(
            &express,
            "{ complaints(filter: {reference: \"%\"}) { totalCount } }".into(),
            &theirs_reference,
            reference,
        );
        pair(&member, "{ complaints(filter: {reference: \"%\"}) { totalCount } }".into(), &theirs_reference, reference);
        for version in [1, 2, 99] {
            let respond = format!(
                "mutation {{ respondToComplaint(input: {{complaintId: \"%\", expectedVersion: {version}, \
                    action: EXPLANATION, text: \"x\"}}) {{ position }} }}"
            );
            pair(&express, respond.clone(), &theirs_id, NOTHING);
            pair(&saigon, respond, &secret_id, NOTHING);
            for handle in [
                "classifyComplaint(input: {complaintId: \"%\", category: \"TD1\", expectedVersion: V, \
                    attributions: [{officer: \"CC01\", attribution: CONFIRMED}]})",
                "assignComplaint(input: {complaintId: \"%\", expectedVersion: V})",
                "changeComplaintState(input: {complaintId: \"%\", expectedVersion: V, state: WITHDRAWN})",
                "recordFinding(input: {complaintId: \"%\", expectedVersion: V, officer: \"CC01\", finding: SUSTAINED, \
                    decidedOn: \"2024-03-01\"})",
                "redactComplaint(input: {complaintId: \"%\", expectedVersion: V, text: \"x\"})",
            ] {
                let request = format!("mutation {{ {} {{ position }} }}", handle.replace('V', &version.to_string()));
                pair(&member, request, &theirs_id, NOTHING);
            }
            for change in [
                "endMeasure(input: {measureId: \"%\", expectedVersion: V, endsOn: \"2024-05-01\", reason: \"x\"})",
                "voidMeasure(input: {measureId: \"%\", expectedVersion: V, reason: \"x\"})",
                "liftMeasure(input: {measureId: \"%\", expectedVersion: V, liftedOn: \"2024-05-01\", reason: \"x\"})",
                "extendMeasure(input: {measureId: \"%\", expectedVersion: V, decidedOn: \"2024-05-01\", \
                    reason: \"x\"})",
            ] {
                pair(
                    &saigon,
                    format!("mutation {{ {} {{ position }} }}", change.replace('V', &version.to_string())),
                    &measure,
                    NOTHING,
                );
            }
            for change in [
                "reviseGuidance(input: {documentId: \"%\", expectedVersion: V, text: \"x\"})",
                "withdrawGuidance(input: {documentId: \"%\", expectedVersion: V})",
                "issueGuidance(input: {documentId: \"%\", expectedVersion: V, number: \"1\", \
                    issuedOn: \"2024-05-01\"})",
            ] {
                pair(
                    &saigon,
                    format!("mutation {{ {} {{ position }} }}", change.replace('V', &version.to_string())),
                    &draft,
                    NOTHING,
                );
            }
            let respond = format!(
                "mutation {{ respondToRedactedComplaint(input: {{pseudonym: \"%\", expectedVersion: {version}, \
                    action: EXPLANATION, text: \"x\"}}) {{ position }} }}"
            );
            pair(&express, respond, &pseudonym, &pseudonym.chars().rev().collect::<String>());
        }
        for state in ["ACKNOWLEDGED", "UPHELD", "DISMISSED"] {
            let review = format!(
                "mutation {{ reviewFlag(input: {{flagId: \"%\", state: {state}, reason: \"x\"}}) {{ flag {{ id }} }} }}"
            );
            pair(&member, review.clone(), &flag, NOTHING);
            pair(&member, review, &branch, NOTHING);
        }
        for client in [&express, &member] {
            for request in [
                "flag(id: \"%\") { id tier }",
                "node(id: \"%\") { id }",
                "flags(filter: {id: {eq: \"%\"}}) { totalCount }",
            ] {
                pair(client, format!("{{ {request} }}"), &flag, NOTHING);
                pair(client, format!("{{ {request} }}"), &branch, NOTHING);
            }
        }
        pair(
            &express,
            "mutation { recordExplanation(input: {flagId: \"%\", notifiedOn: \"2024-05-01\", \
            explanation: \"x\"}) { flag { id } } }"
                .into(),
            &flag,
            NOTHING,
        );
        // Officers and enterprises of other units.
        let record = "mutation { recordMeasure(input: {officer: \"%\", kind: FORMAL_REVIEW, decidedOn: \"2024-03-01\", \
            grounds: \"x\", decisionMaker: \"x\", noBasisReason: \"x\"}) { position } }";
        let record_for = "mutation { recordMeasure(input: {officer: \"CC02\", kind: SUSPENSION, \
            decidedOn: \"2024-03-01\", grounds: \"x\", decisionMaker: \"x\", flagId: \"%\"}) { position } }";
        let record_by = "mutation { recordMeasure(input: {officer: \"CC02\", kind: FORMAL_REVIEW, \
            decidedOn: \"2024-03-01\", grounds: \"x\", decisionMaker: \"x\", complaintIds: [\"%\"]}) { position } }";
        pair(&saigon, record.into(), "CC02", "CC99");
        pair(&express, record.into(), "CC03", "CC99");
        pair(&express, record_for.into(), &flag, NOTHING);
        for client in [&express, &saigon] {
            pair(client, record_by.into(), &secret_id, NOTHING);
        }
        for request in [
            "complaints(filter: {officers: {officer: {code: {eq: \"%\"}}}}) { totalCount nodes { id } }",
            "complaintStatistics(filter: {officerIn: [\"%\"]}, groupBy: [MONTH]) \
                { groupCount totals { complaints distinctEnterprises } rows { month } }",
            "units(orderBy: [{measure: COMPLAINTS, filter: {officerIn: [\"%\"]}}]) { nodes { code } }",
            "flags(filter: {officer: {code: {eq: \"%\"}}}) { totalCount }",
            "measures(filter: {officer: {code: {eq: \"%\"}}}) { totalCount }",
        ] {
            pair(&saigon, format!("{{ {request} }}"), "CC02", "CC99");
            pair(&express, format!("{{ {request} }}"), "CC01", "CC99");
        }
        for request in [
            "complaints(filter: {enterprise: {taxCode: {eq: \"%\"}}}) { totalCount }",
            "complaintStatistics(filter: {enterpriseIn: [\"%\"]}) { groupCount totals { complaints } }",
        ] {
            pair(&express, format!("{{ {request} }}"), "001099012345", "0106784499");
            pair(&member, format!("{{ {request} }}"), "0314409058", "0106784499");
        }
        pair(
            &member,
            "{ enterprises(filter: {taxCode: {eq: \"%\"}}) { totalCount nodes { id } } }".into(),
            "0314409058",
            "0106784499",
        );
        pair(&member, "{ node(id: \"%\") { id } }".into(), own_only["id"].text(), NOTHING);
        for request in ["node(id: \"%\") { id }", "measures(filter: {id: {eq: \"%\"}}) { totalCount }"] {
            pair(&saigon, format!("{{ {request} }}"), &measure, NOTHING);
            pair(&member, format!("{{ {request} }}"), &of_member, NOTHING);
        }
        for request in ["node(id: \"%\") { id }", "guidanceDocuments(filter: {id: {eq: \"%\"}}) { totalCount }"] {
            pair(&saigon, format!("{{ {request} }}"), &draft, NOTHING);
        }
        // An ADMIN reads officers, because it keeps them.
        for client in [&saigon, &team, &dashboard, &intake] {
            pair(client, "{ node(id: \"%\") { id __typename } }".into(), &officer, NOTHING);
        }
        for client in [&team, &dashboard, &intake, &admin] {
            for hidden in [&theirs_id, &flag, &measure, &draft] {
                pair(client, "{ node(id: \"%\") { id __typename } }".into(), hidden, NOTHING);
            }
        }
        assert!(pairs.len() > 100, "{}", pairs.len());
        pairs.iter().for_each(Pair::check);
    }
}
