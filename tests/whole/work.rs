//! What the Board and the units do about what is complained about: guidance, proposals, measures, explanations.

use crate::program;
use crate::world::{self, Files};
use serde_json::{Value, json};
use tests::{Answer, Database, Server};

/// A mutation with its input; it answers with the fields given.
fn send(server: &Server, token: &str, mutation: &str, fields: &str, input: &Value) -> Answer {
    let of = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let query = format!("mutation ($input: {of}!) {{ {mutation}(input: $input) {{ {fields} }} }}");
    server.graphql(token, &query, &json!({ "input": input }))
}

/// What became of it.
fn done(server: &Server, token: &str, mutation: &str, fields: &str, input: &Value) -> Value {
    let answer = send(server, token, mutation, fields, input).json();
    assert!(answer.get("errors").is_none(), "{mutation}: {answer}");
    answer["data"][mutation].clone()
}

fn with_headquarters(database: &Database) {
    world::fill(database);
    let units = "ma,ten,cap,cha,nhom,tu,den
HQ1,Cục Giám sát quản lý,HEADQUARTERS_UNIT,TC,,,
HQ2,Cục Thuế XNK,HEADQUARTERS_UNIT,TC,,,
";
    program().run(database, Files::new().import("units", units, world::UNITS_MAP)).ok();
}

const DOCUMENT: &str = "document { id version revision state number issuedOn reason unit { code } category { code } opinions { revision verdict text } } position";

#[test]
fn no_guidance_is_issued_without_the_boards_opinion_about_its_text() {
    for database in Database::both() {
        with_headquarters(&database);
        let files = Files::new();
        let key = files.path().join("key").display().to_string();
        program().run(&database, ["key", "create", &key]).ok();
        let token = |role: &str, unit: Option<&str>| program().token(&database, role, unit);
        let (board, own, other) =
            (token("BOARD", None), token("UNIT_HEAD", Some("HQ1")), token("UNIT_HEAD", Some("HQ2")));
        let (branch, above) = (token("UNIT_HEAD", Some("02CV")), token("UNIT_HEAD", Some("TC")));
        let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
        let send = |token: &str, mutation: &str, input: &Value| send(&server, token, mutation, DOCUMENT, input);
        let done = |token: &str, mutation: &str, input: &Value| {
            done(&server, token, mutation, DOCUMENT, input)["document"].clone()
        };
        let listed = |token: &str| {
            server.data(token, "{ guidanceDocuments { totalCount } }")["guidanceDocuments"]["totalCount"].clone()
        };

        let draft = json!({ "title": "Hướng dẫn khai báo", "text": "Bước một.", "category": "TD1" });
        let from_branch = send(&branch, "requestOpinion", &draft);
        assert_eq!(from_branch.codes(), ["BAD_USER_INPUT"], "{}", from_branch.text);
        let blank = send(&own, "requestOpinion", &json!({ "title": " ", "text": "Bước một." }));
        assert!(blank.codes() == ["BAD_USER_INPUT"] && blank.text.contains("title"), "{}", blank.text);
        let document = done(&own, "requestOpinion", &draft);
        assert_eq!(
            (&document["state"], &document["unit"]["code"], &document["category"]["code"], &document["opinions"]),
            (&json!("OPINION_REQUESTED"), &json!("HQ1"), &json!("TD1"), &json!([]))
        );
        // A draft is there for the unit, those above it and the Board.
        let seen = [&board, &own, &above, &other, &branch].map(|token| listed(token));
        assert_eq!(seen, [1, 1, 1, 0, 0].map(|n| json!(n)));
        let node = format!("{{ node(id: {}) {{ ... on GuidanceDocument {{ title }} }} }}", document["id"]);
        assert_eq!(server.data(&own, &node)["node"]["title"], "Hướng dẫn khai báo");
        assert_eq!(server.data(&other, &node)["node"], Value::Null);

        let at = |version: i64, more: Value| {
            let mut input = json!({ "documentId": document["id"], "expectedVersion": version });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let today = schema::domain::calendar::local_date(schema::Timestamp::now()).to_string();
        let issue = json!({ "number": "123/HD-TCHQ", "issuedOn": today });
        assert_eq!(send(&own, "issueGuidance", &at(1, issue.clone())).codes(), ["CONFLICT"], "nobody was heard");
        let opinion = json!({ "verdict": "NOT_AGREED", "text": "Chưa rõ bước hai." });
        assert_eq!(send(&own, "giveOpinion", &at(1, opinion.clone())).codes()[0], "FORBIDDEN");
        assert_eq!(send(&other, "withdrawGuidance", &at(1, json!({}))).codes(), ["NOT_FOUND"]);
        let heard = done(&board, "giveOpinion", &at(1, opinion.clone()));
        assert_eq!((&heard["state"], &heard["version"]), (&json!("OPINION_GIVEN"), &json!(2)));
        assert_eq!(send(&board, "giveOpinion", &at(2, opinion.clone())).codes(), ["CONFLICT"], "once for each text");
        assert_eq!(send(&own, "issueGuidance", &at(1, issue.clone())).codes(), ["CONFLICT"], "an older version");
        let against = send(&own, "issueGuidance", &at(2, issue.clone()));
        assert!(against.codes() == ["BAD_USER_INPUT"] && against.text.contains("reason"), "{}", against.text);

        // Another text is another question.
        let revised = done(&own, "reviseGuidance", &at(2, json!({ "text": "Bước một, bước hai." })));
        assert_eq!((&revised["revision"], &revised["state"]), (&json!(2), &json!("OPINION_REQUESTED")));
        assert_eq!(send(&own, "issueGuidance", &at(3, issue.clone())).codes(), ["CONFLICT"], "not about this text");
        // Nor by going around us.
        let by_hand = database.open().read(|conn| {
            use diesel::prelude::*;
            Ok(match conn {
                schema::Conn::Sqlite(c) => {
                    diesel::sql_query("UPDATE guidance_documents SET state = 'ISSUED'").execute(c)
                }
                schema::Conn::Pg(c) => diesel::sql_query("UPDATE guidance_documents SET state = 'ISSUED'").execute(c),
            })
        });
        assert!(by_hand.unwrap().is_err());
        done(&board, "giveOpinion", &at(3, json!({ "verdict": "AGREED", "text": "Đồng ý." })));
        let early = json!({ "number": "123/HD-TCHQ", "issuedOn": "2024-01-01" });
        assert_eq!(send(&own, "issueGuidance", &at(4, early)).codes(), ["BAD_USER_INPUT"], "before the opinion");
        let issued = done(&own, "issueGuidance", &at(4, issue));
        assert_eq!((&issued["state"], &issued["number"]), (&json!("ISSUED"), &json!("123/HD-TCHQ")));
        assert_eq!(
            issued["opinions"],
            json!([
                { "revision": 1, "verdict": "NOT_AGREED", "text": "Chưa rõ bước hai." },
                { "revision": 2, "verdict": "AGREED", "text": "Đồng ý." },
            ])
        );
        assert_eq!(send(&own, "withdrawGuidance", &at(5, json!({}))).codes(), ["CONFLICT"], "it is over");
        // What was issued is for everybody who has to follow it.
        assert_eq!([&other, &branch].map(|token| listed(token)), [json!(1), json!(1)]);
        for (filter, number) in [
            ("{state: {eq: ISSUED}}", 1),
            ("{search: \"BUOC HAI\"}", 1),
            ("{search: \"bước ba\"}", 0),
            ("{unit: {code: {eq: \"HQ1\"}}, category: {code: {eq: \"TD1\"}}}", 1),
            ("{not: {number: {like: \"123%\"}}}", 0),
            ("{issuedOn: {gte: \"2999-01-01\"}}", 0),
        ] {
            let query = format!("{{ guidanceDocuments(filter: {filter}) {{ totalCount nodes {{ id }} }} }}");
            assert_eq!(server.data(&branch, &query)["guidanceDocuments"]["totalCount"], number, "{filter}");
        }
        // Every step is an event that is sealed.
        program().run(&database, ["audit", "seal", "--key-file", &key]).ok();
        program().run(&database, ["audit", "verify", "--key-file", &key]).ok();
    }
}

const PROPOSAL: &str = "proposal { id version state implementedOn categories { code } units { code } effect(days: 40) {
    before { from until days complaints complaintsElsewhere } after { from until days complaints complaintsElsewhere }
    rateRatio { ratio lower upper } rateRatioElsewhere { ratio upper } } }";

#[test]
fn a_proposal_is_measured_from_the_day_it_is_in_force() {
    for database in Database::both() {
        world::fill(&database);
        let (board, head) =
            (program().token(&database, "BOARD", None), program().token(&database, "UNIT_HEAD", Some("02")));
        let server = program().serve(&database, &["--no-jobs"]);
        let new = json!({ "title": "Tập huấn", "text": "Tập huấn về thái độ.", "categories": ["TD"], "units": ["02"] });
        assert_eq!(send(&server, &head, "propose", PROPOSAL, &new).codes()[0], "FORBIDDEN");
        for (wrong, what) in [
            (json!({ "title": "a", "text": "b" }), "categories"),
            (json!({ "title": "a", "text": "b", "categories": ["XX"] }), "XX"),
            (json!({ "title": "a", "text": "b", "units": ["99"] }), "99"),
        ] {
            let refused = send(&server, &board, "propose", PROPOSAL, &wrong);
            assert!(refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains(what), "{}", refused.text);
        }
        let made = done(&server, &board, "propose", PROPOSAL, &new)["proposal"].clone();
        assert_eq!((&made["state"], &made["effect"]), (&json!("PROPOSED"), &Value::Null));
        assert_eq!((&made["categories"], &made["units"]), (&json!([{ "code": "TD" }]), &json!([{ "code": "02" }])));
        let change = |version: i64, more: Value| {
            let mut input = json!({ "proposalId": made["id"], "expectedVersion": version });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            send(&server, &board, "changeProposalState", PROPOSAL, &input)
        };
        let in_force = json!({ "state": "IMPLEMENTED", "implementedOn": "2024-02-07" });
        assert_eq!(change(1, in_force.clone()).codes(), ["CONFLICT"], "it was not accepted");
        assert_eq!(change(1, json!({ "state": "REJECTED" })).codes(), ["BAD_USER_INPUT"], "no reason");
        assert!(change(1, json!({ "state": "ACCEPTED" })).codes().is_empty());
        assert_eq!(change(1, in_force.clone()).codes(), ["CONFLICT"], "an older version");
        assert_eq!(change(2, json!({ "state": "IMPLEMENTED" })).codes(), ["BAD_USER_INPUT"], "since when?");
        assert_eq!(
            change(2, json!({ "state": "IMPLEMENTED", "implementedOn": "2999-01-01" })).codes(),
            ["BAD_USER_INPUT"]
        );
        let now = change(2, in_force).json()["data"]["changeProposalState"]["proposal"].clone();
        // By hand: PA-1 and PA-2 before, PA-3 and PA-6 since; elsewhere PA-4 and PA-5 since.
        let effect = &now["effect"];
        assert_eq!(
            (&effect["before"], &effect["after"]),
            (
                &json!({ "from": "2023-12-29", "until": "2024-02-06", "days": 40, "complaints": 2, "complaintsElsewhere": 0 }),
                &json!({ "from": "2024-02-07", "until": "2024-03-17", "days": 40, "complaints": 2, "complaintsElsewhere": 2 }),
            )
        );
        let ratio = |field: &str| effect["rateRatio"][field].as_f64().unwrap();
        assert!((ratio("ratio") - 1.0).abs() < 1e-12, "{effect}");
        // scipy: the exact limits of two in four.
        assert!((ratio("lower") - 0.072_484_954).abs() < 1e-6 && (ratio("upper") - 13.795_967).abs() < 1e-4, "{effect}");
        assert_eq!(effect["rateRatioElsewhere"], json!({ "ratio": null, "upper": null }), "there were none before");
        for (filter, number) in [
            ("{state: {eq: IMPLEMENTED}, implementedOn: {lte: \"2024-02-07\"}}", 1),
            ("{category: {code: {eq: \"TD\"}}, unit: {within: \"TC\"}}", 1),
            ("{unit: {within: \"03\"}}", 0),
            ("{search: \"tap huan\"}", 1),
        ] {
            let query = format!("{{ proposals(filter: {filter}) {{ totalCount }} }}");
            assert_eq!(server.data(&board, &query)["proposals"]["totalCount"], number, "{filter}");
        }
    }
}

const MEASURE: &str = "measure { id version kind grounds decisionMaker decidedOn startsOn endsOn endReason officer { code } unit { code }
    outcome(days: 30) { before { from until complaints episodes distinctEnterprises } after { days complaints } stopped lastComplaintOn } } position";

#[test]
fn a_measure_is_recorded_by_the_officers_own_unit_and_says_whether_complaints_stopped() {
    for database in Database::both() {
        world::fill(&database);
        let token = |role: &str, unit: Option<&str>| program().token(&database, role, unit);
        let (board, own) = (token("BOARD", None), token("UNIT_HEAD", Some("02DS")));
        let (other, above) = (token("UNIT_HEAD", Some("02CV")), token("UNIT_HEAD", Some("02")));
        let himself = ["token", "create", "--name", "own", "--role", "UNIT_HEAD", "--unit", "02", "--officer", "CC02"];
        let himself = program().json(&database, &himself)["token"].as_str().unwrap().to_owned();
        let server = program().serve(&database, &["--no-jobs"]);
        let input = |more: Value| {
            let mut input = json!({
                "officer": "CC02", "kind": "FORMAL_REVIEW", "grounds": "Chậm trả lời doanh nghiệp.",
                "decisionMaker": "Chi cục trưởng", "decidedOn": "2024-02-08", "startsOn": "2024-02-10",
            });
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        for (token, more, what) in [
            (&other, json!({}), "CC02"),
            (&himself, json!({}), "CC02"),
            (&own, json!({ "officer": "XX" }), "XX"),
            (&own, json!({ "decidedOn": "2019-12-31" }), "CC02"),
            (&own, json!({ "startsOn": "2024-02-07" }), "startsOn"),
            (&own, json!({ "endsOn": "2024-02-09" }), "endsOn"),
            (&own, json!({ "decidedOn": "2999-01-01", "startsOn": null }), "future"),
            (&own, json!({ "grounds": " " }), "grounds"),
            (&own, json!({ "flagId": "00000000-0000-0000-0000-000000000000" }), "flagId"),
        ] {
            let refused = send(&server, token, "recordMeasure", MEASURE, &input(more));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{what}: {}", refused.text);
            assert!(refused.text.contains(what), "{what}: {}", refused.text);
        }
        assert_eq!(send(&server, &board, "recordMeasure", MEASURE, &input(json!({}))).codes()[0], "FORBIDDEN");
        let measure = done(&server, &own, "recordMeasure", MEASURE, &input(json!({})))["measure"].clone();
        assert_eq!((&measure["officer"]["code"], &measure["unit"]["code"]), (&json!("CC02"), &json!("02DS")));
        // PA-3 was received three days before it started.
        assert_eq!(
            measure["outcome"]["before"],
            json!({ "from": "2024-01-11", "until": "2024-02-09", "complaints": 1, "episodes": 1, "distinctEnterprises": 1 })
        );
        assert_eq!(measure["outcome"]["after"], json!({ "days": 30, "complaints": 0 }));
        assert_eq!(
            (&measure["outcome"]["stopped"], &measure["outcome"]["lastComplaintOn"]),
            (&json!(true), &Value::Null)
        );
        let listed = |token: &str, filter: &str| {
            let query = format!("{{ measures(filter: {filter}) {{ totalCount nodes {{ grounds }} }} }}");
            server.data(token, &query)["measures"]["totalCount"].clone()
        };
        let seen = [&board, &own, &above, &other, &himself].map(|token| listed(token, "{}"));
        assert_eq!(seen, [1, 1, 1, 0, 0].map(|n| json!(n)));
        let node = format!("{{ node(id: {}) {{ ... on Measure {{ grounds }} }} }}", measure["id"]);
        assert_eq!(server.data(&above, &node)["node"]["grounds"], "Chậm trả lời doanh nghiệp.");
        for token in [&other, &himself] {
            assert_eq!(server.data(token, &node)["node"], Value::Null);
        }
        for (filter, number) in [
            ("{officer: {code: {eq: \"CC02\"}}, kind: {in: [FORMAL_REVIEW, SUSPENSION]}}", 1),
            ("{unit: {within: \"02\"}, startsOn: {gt: \"2024-02-09\"}}", 1),
            ("{endsOn: {isNull: false}}", 0),
        ] {
            assert_eq!(listed(&board, filter), number, "{filter}");
        }

        // A further complaint, later than the days looked at.
        let header = world::COMPLAINTS.lines().next().unwrap();
        let row = "PN-1;15/08/2024;0100233488;Công ty A;02DS;CC02;TD1;;;;;Lại chậm;";
        program()
            .run(&database, Files::new().import("complaints", format!("{header}\n{row}\n"), world::COMPLAINTS_MAP))
            .ok();
        let outcome = "{ measures { nodes { outcome(days: 30) { after { complaints } stopped lastComplaintOn } } } }";
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        loop {
            let found = server.data(&own, outcome)["measures"]["nodes"][0]["outcome"].clone();
            if found["stopped"] == json!(false) {
                assert_eq!(
                    (&found["after"]["complaints"], &found["lastComplaintOn"]),
                    (&json!(0), &json!("2024-08-15"))
                );
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{found}");
        }

        let end = |token: &str, version: i64, day: &str| {
            let input = json!({ "measureId": measure["id"], "expectedVersion": version, "endsOn": day, "reason": "Đã khắc phục." });
            send(&server, token, "endMeasure", MEASURE, &input)
        };
        for token in [&other, &himself] {
            assert_eq!(end(token, 1, "2024-12-31").codes(), ["NOT_FOUND"]);
        }
        assert_eq!(end(&own, 1, "2024-02-09").codes(), ["BAD_USER_INPUT"], "before it started");
        let ended = end(&own, 1, "2024-12-31").json()["data"]["endMeasure"]["measure"].clone();
        assert_eq!((&ended["endsOn"], &ended["endReason"]), (&json!("2024-12-31"), &json!("Đã khắc phục.")));
        assert_eq!(end(&own, 1, "2024-12-30").codes(), ["CONFLICT"], "an older version");
        assert_eq!(end(&own, 2, "2025-01-31").codes(), ["CONFLICT"], "it ended before");
        // Grounds stand beside the history and not in it.
        let (events, kept) = database
            .open()
            .read(|conn| {
                use diesel::prelude::*;
                use schema::tables::{reference_event_values as values, reference_events as events};
                let all = events::table.filter(events::entity.eq("measure")).select(events::after);
                let all: Vec<Option<schema::JsonValue>> = all.load(conn)?;
                let kept = values::table.filter(values::field.eq("grounds")).count().get_result::<i64>(conn)?;
                Ok((all, kept))
            })
            .unwrap();
        assert_eq!((events.len(), kept), (2, 1));
        assert!(events.iter().flatten().all(|event| !event.0.to_string().contains("Chậm trả lời")));
    }
}

#[test]
fn a_head_records_what_the_officer_said_and_the_board_upholds() {
    for database in Database::both() {
        world::fill(&database);
        world::run_counting(&database, "2024-03-31");
        let token = |role: &str, unit: Option<&str>| program().token(&database, role, unit);
        let (board, own, other) =
            (token("BOARD", None), token("UNIT_HEAD", Some("03TG")), token("UNIT_HEAD", Some("02CV")));
        let server = program().serve(&database, &["--no-jobs"]);
        let flags = server.data(&board, "{ flags { nodes { id officer { code } } } }")["flags"]["nodes"].clone();
        let of = |wanted: &dyn Fn(&Value) -> bool| {
            flags.as_array().unwrap().iter().find(|flag| wanted(flag)).unwrap()["id"].clone()
        };
        let (flag, branch) = (of(&|flag| flag["officer"]["code"] == "CC01"), of(&|flag| flag["officer"].is_null()));
        let explain = |token: &str, flag: &Value, day: &str| {
            let input = json!({ "flagId": flag, "notifiedOn": day, "explanation": "Thừa nhận." });
            send(&server, token, "recordExplanation", "flag { state }", &input)
        };
        assert_eq!(explain(&board, &flag, "2024-04-02").codes()[0], "FORBIDDEN");
        // CC01 serves at 03TG today.
        assert_eq!(explain(&other, &flag, "2024-04-02").codes(), ["NOT_FOUND"]);
        assert_eq!(explain(&own, &flag, "2999-01-01").codes(), ["BAD_USER_INPUT"]);
        let on_branch = explain(&token("UNIT_HEAD", Some("TC")), &branch, "2024-04-02");
        assert_eq!(on_branch.codes(), ["BAD_USER_INPUT"], "{}", on_branch.text);
        let uphold = || {
            let review = "mutation ($input: ReviewFlagInput!) { reviewFlag(input: $input) { flag { state reviews { fromState toState notifiedOn explanation } } } }";
            let input = json!({ "flagId": flag, "state": "UPHELD", "reason": "Đã xác minh." });
            server.graphql(&board, review, &json!({ "input": input }))
        };
        assert_eq!(uphold().codes(), ["BAD_USER_INPUT"], "the officer was not heard");
        assert_eq!(explain(&own, &flag, "2024-04-02").json()["data"]["recordExplanation"]["flag"]["state"], "OPEN");
        let upheld = uphold().json()["data"]["reviewFlag"]["flag"].clone();
        assert_eq!(upheld["state"], "UPHELD");
        assert_eq!(
            upheld["reviews"][0],
            json!({ "fromState": "OPEN", "toState": "OPEN", "notifiedOn": "2024-04-02", "explanation": "Thừa nhận." })
        );
        assert_eq!(explain(&own, &flag, "2024-04-03").codes(), ["CONFLICT"], "it is decided");
    }
}
