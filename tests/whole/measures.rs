//! What heads record about their officers: measures, and what an officer said about a flag.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::{MEASURE, Mutations};
use tests::{Client, Database, Json, Role, Server, TestApp, merged};

#[test]
fn a_measure_is_recorded_by_the_officers_own_unit_and_says_whether_complaints_stopped() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let (own, other, above) = (app.as_head("02DS"), app.as_head("02CV"), app.as_head("02"));
        let himself = ["--name", "own", "--role", "UNIT_HEAD", "--unit", "02", "--officer", "CC02"];
        let himself = app.as_holder(&himself);
        let input = |more: Value| {
            let input = json!({
                "officer": "CC02", "kind": "FORMAL_REVIEW", "grounds": "Chậm trả lời doanh nghiệp.",
                "decisionMaker": "Chi cục trưởng", "decidedOn": "2024-02-08", "startsOn": "2024-02-10",
                "noBasisReason": "Kiểm tra nội bộ.",
            });
            merged(&input, &more)
        };
        for (client, more, what) in [
            (&other, json!({}), "CC02"),
            (&himself, json!({}), "CC02"),
            (&own, json!({ "officer": "XX" }), "XX"),
            (&own, json!({ "decidedOn": "2019-12-31" }), "CC02"),
            (&own, json!({ "startsOn": "2024-02-07" }), "startsOn"),
            (&own, json!({ "endsOn": "2024-02-09" }), "endsOn"),
            (&own, json!({ "decidedOn": "2199-01-01", "startsOn": null }), "future"),
            (&own, json!({ "grounds": " " }), "grounds"),
            (&own, json!({ "noBasisReason": " " }), "noBasisReason"),
            (&own, json!({ "complaintIds": ["00000000-0000-0000-0000-000000000000"] }), "complaintIds"),
            (&own, json!({ "complaintIds": vec!["00000000-0000-0000-0000-000000000000"; 101] }), "at most 100"),
            (&own, json!({ "flagId": "00000000-0000-0000-0000-000000000000" }), "flagId"),
            (&own, json!({ "endsOn": "+10000-01-01" }), "NaiveDate"),
            (&own, json!({ "endsOn": "2999-01-01" }), "endsOn"),
        ] {
            let refused = client.send("recordMeasure", MEASURE, &input(more));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{what}: {}", refused.text);
            assert!(refused.text.contains(what), "{what}: {}", refused.text);
        }
        assert_eq!(board.send("recordMeasure", MEASURE, &input(json!({}))).codes()[0], "FORBIDDEN");
        let measure = own.done("recordMeasure", MEASURE, &input(json!({})))["measure"].clone();
        assert_eq!((&measure["officer"]["code"], &measure["unit"]["code"]), (&json!("CC02"), &json!("02DS")));
        // PA-3 arrived three days before the measure started.
        assert_eq!(
            measure["outcome"]["before"],
            json!({
                "from": "2024-01-11", "until": "2024-02-09", "complaints": 1, "episodes": 1, "distinctEnterprises": 1,
            })
        );
        assert_eq!(measure["outcome"]["after"], json!({ "days": 30, "complaints": 0 }));
        // A head sees a part of the complaints, so only the Board learns whether they stopped.
        assert_eq!(
            (&measure["outcome"]["stopped"], &measure["outcome"]["lastComplaintOn"]),
            (&Value::Null, &Value::Null)
        );
        let stopped = board.data("{ measures { nodes { outcome(days: 30) { stopped } } } }");
        assert_eq!(stopped["measures"]["nodes"][0]["outcome"]["stopped"], true);
        let again = own.send("recordMeasure", MEASURE, &input(json!({})));
        assert_eq!(again.codes(), ["CONFLICT"], "a retry records nothing twice: {}", again.text);
        let listed = |client: &Client<'_>, filter: &str| {
            let query = format!("{{ measures(filter: {filter}) {{ totalCount nodes {{ grounds }} }} }}");
            client.data(&query)["measures"]["totalCount"].clone()
        };
        let seen = [&board, &own, &above, &other, &himself].map(|client| listed(client, "{}"));
        assert_eq!(seen, [1, 1, 1, 0, 0].map(|n| json!(n)));
        let node = format!("{{ node(id: {}) {{ ... on Measure {{ grounds }} }} }}", measure["id"]);
        assert_eq!(above.data(&node)["node"]["grounds"], "Chậm trả lời doanh nghiệp.");
        for client in [&other, &himself] {
            assert_eq!(client.data(&node)["node"], Value::Null);
        }
        for (filter, number) in [
            ("{officer: {code: {eq: \"CC02\"}}, kind: {in: [FORMAL_REVIEW, SUSPENSION]}}", 1),
            ("{unit: {within: \"02\"}, startsOn: {gt: \"2024-02-09\"}}", 1),
            ("{endsOn: {isNull: false}}", 0),
            ("{void: true}", 0),
            ("{void: false}", 1),
        ] {
            assert_eq!(listed(&board, filter), number, "{filter}");
        }

        // A further complaint arrives later than the 30 days that the outcome counts.
        let header = fixtures::COMPLAINTS.lines().next().unwrap();
        let row = "PN-1;15/08/2024;0100233488;Công ty A;02DS;CC02;TD1;;;;;Lại chậm;";
        let files = Files::new();
        let import = files.import("complaints", format!("{header}\n{row}\n"), fixtures::COMPLAINTS_MAP);
        program().run(&app.database, import).ok();
        let outcome = "{ measures { nodes { outcome(days: 30) { after { complaints } stopped lastComplaintOn } } } }";
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        loop {
            let found = board.data(outcome)["measures"]["nodes"][0]["outcome"].clone();
            if found["stopped"] == json!(false) {
                assert_eq!(
                    (&found["after"]["complaints"], &found["lastComplaintOn"]),
                    (&json!(0), &json!("2024-08-15"))
                );
                let own = own.data(outcome)["measures"]["nodes"][0]["outcome"].clone();
                assert_eq!((&own["stopped"], &own["lastComplaintOn"]), (&Value::Null, &json!("2024-08-15")));
                break;
            }
            assert!(std::time::Instant::now() < deadline, "{found}");
        }

        let end = |client: &Client<'_>, version: i64, day: &str| {
            let (id, reason) = (&measure["id"], "Đã khắc phục.");
            let input = json!({ "measureId": id, "expectedVersion": version, "endsOn": day, "reason": reason });
            client.send("endMeasure", MEASURE, &input)
        };
        for client in [&other, &himself] {
            assert_eq!(end(client, 1, "2024-12-31").codes(), ["NOT_FOUND"]);
        }
        assert_eq!(end(&own, 1, "2024-02-09").codes(), ["BAD_USER_INPUT"], "before it started");
        let ended = end(&own, 1, "2024-12-31").json()["data"]["endMeasure"]["measure"].clone();
        assert_eq!((&ended["endsOn"], &ended["endReason"]), (&json!("2024-12-31"), &json!("Đã khắc phục.")));
        assert_eq!(end(&own, 1, "2024-12-30").codes(), ["CONFLICT"], "an older version");
        assert!(end(&above, 2, "2025-01-31").codes().is_empty(), "it was prolonged by the level above");
        let void = |client: &Client<'_>, id: &Value, version: i64| {
            let input = json!({ "measureId": id, "expectedVersion": version, "reason": "Nhầm người." });
            client.send("voidMeasure", "measure { version voidReason recordedBy { code } }", &input)
        };
        assert_eq!(void(&other, &measure["id"], 3).codes(), ["NOT_FOUND"]);
        let gone = void(&own, &measure["id"], 3).json()["data"]["voidMeasure"]["measure"].clone();
        assert_eq!(gone, json!({ "version": 4, "voidReason": "Nhầm người.", "recordedBy": { "code": "02DS" } }));
        assert_eq!(end(&own, 4, "2025-02-28").codes(), ["CONFLICT"], "it is void");
        // The unit itself sees a measure of the level above, and may not end it.
        let from_above = above.done("recordMeasure", MEASURE, &input(json!({})))["measure"].clone();
        assert_eq!(listed(&own, "{void: false}"), 1);
        assert_eq!(void(&own, &from_above["id"], 1).codes(), ["BAD_USER_INPUT"]);
        // The history holds no grounds: they are in a side table.
        let (events, kept) = app
            .database
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
        assert_eq!((events.len(), kept), (5, 2));
        assert!(events.iter().flatten().all(|event| !event.0.to_string().contains("Chậm trả lời")));
    }
}

#[test]
fn a_measure_goes_with_the_officer_and_tells_nothing_of_flags() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--dev", "--no-jobs"]) {
        let (board, former, now) = (app.as_role(Role::Board), app.as_head("02CV"), app.as_head("03TG"));
        let flags = board.data("{ flags { nodes { id officer { code } } } }")["flags"]["nodes"].clone();
        let flag = flags.list().iter().find(|flag| flag["officer"]["code"] == "CC01").unwrap()["id"].clone();
        let input = |day: &str, flag: &Value| {
            json!({
                "officer": "CC01", "kind": "SUSPENSION", "grounds": "Gây phiền hà.", "decisionMaker": "Cục trưởng",
                "decidedOn": day, "flagId": flag, "ground": "HARASSMENT_OF_ENTERPRISES",
                "explanationRefusedOn": day, "noBasisReason": if flag.is_null() { json!("x") } else { Value::Null },
            })
        };
        // CC01 left 02CV at the end of 2023. The head of 02CV may not learn of a later flag: all ids answer the same.
        let record = |client: &Client<'_>, input: &Value| client.send("recordMeasure", MEASURE, input);
        let mut told = Vec::new();
        for id in [&flag, &json!("00000000-0000-0000-0000-000000000000")] {
            let refused = record(&former, &input("2023-12-01", id)).json()["errors"][0].clone();
            assert_eq!(refused["extensions"]["code"], "BAD_USER_INPUT", "{refused}");
            told.push(refused["message"].text().replace(id.text(), "ID"));
        }
        assert_eq!(told[0], told[1]);
        assert!(record(&former, &input("2023-12-01", &Value::Null)).codes().is_empty());
        assert!(record(&now, &input("2024-03-15", &flag)).codes().is_empty());
        // The head of the officer's present unit sees both measures, the former head only that of 02CV.
        let seen = |client: &Client<'_>| {
            let list = "{ measures(orderBy: [{field: DECIDED_ON, direction: ASC}]) \
                { nodes { decidedOn recordedBy { code } flag { id } } } }";
            client.data(list)["measures"]["nodes"].clone()
        };
        let old = json!({ "decidedOn": "2023-12-01", "recordedBy": { "code": "02CV" }, "flag": null });
        let new = json!({ "decidedOn": "2024-03-15", "recordedBy": { "code": "03TG" }, "flag": { "id": flag } });
        assert_eq!((seen(&former), seen(&now)), (json!([old]), json!([old, new])));
        let of = |first: usize| format!("{{ measures(first: {first}) {{ nodes {{ id flag {{ id }} }} }} }}");
        let statements = |first: usize| app.server().statements(&now.token, &of(first));
        assert_eq!(statements(1), statements(10), "flags are looked up together");
    }
}

#[test]
fn a_head_records_what_the_officer_said_and_the_board_upholds() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let (board, own, other) = (app.as_role(Role::Board), app.as_head("03TG"), app.as_head("02CV"));
        let flags = board.data("{ flags { nodes { id officer { code } } } }")["flags"]["nodes"].clone();
        let of = |wanted: &dyn Fn(&Value) -> bool| flags.list().iter().find(|flag| wanted(flag)).unwrap()["id"].clone();
        let (flag, branch) = (of(&|flag| flag["officer"]["code"] == "CC01"), of(&|flag| flag["officer"].is_null()));
        let seen_run = own.data("{ flags { nodes { runId } } }")["flags"]["nodes"][0]["runId"].clone();
        let explain = |client: &Client<'_>, flag: &Value, day: &str| {
            let input =
                json!({ "flagId": flag, "notifiedOn": day, "explanation": "Thừa nhận.", "seenRunId": seen_run });
            client.send("recordExplanation", "flag { state }", &input)
        };
        let stale = json!({ "flagId": flag, "notifiedOn": "2024-04-02", "explanation": "Khác.", "seenRunId": branch });
        let stale = own.send("recordExplanation", "flag { state }", &stale);
        assert_eq!(stale.codes(), ["CONFLICT"], "about other numbers: {}", stale.text);
        assert_eq!(explain(&board, &flag, "2024-04-02").codes()[0], "FORBIDDEN");
        // CC01 serves at 03TG today.
        assert_eq!(explain(&other, &flag, "2024-04-02").codes(), ["NOT_FOUND"]);
        assert_eq!(explain(&own, &flag, "2999-01-01").codes(), ["BAD_USER_INPUT"]);
        let on_branch = explain(&app.as_head("TC"), &branch, "2024-04-02");
        assert_eq!(on_branch.codes(), ["BAD_USER_INPUT"], "{}", on_branch.text);
        let uphold = |said: Option<&str>| {
            let review = "mutation ($input: ReviewFlagInput!) { reviewFlag(input: $input) \
                { flag { state reviews { fromState toState notifiedOn explanation } } } }";
            let input = json!({ "flagId": flag, "state": "UPHELD", "reason": "Đã xác minh.", "explanation": said });
            board.request_with(review, &json!({ "input": input }))
        };
        assert_eq!(uphold(None).codes(), ["BAD_USER_INPUT"], "the officer was not heard");
        assert_eq!(explain(&own, &flag, "2024-04-02").json()["data"]["recordExplanation"]["flag"]["state"], "OPEN");
        // The head reads what the head recorded, but not what the Board writes when it decides.
        let own_flags = own.data("{ flags { nodes { explanations { explanation notifiedOn } } } }");
        assert!(own_flags.to_string().contains("Thừa nhận."), "{own_flags}");
        let upheld = uphold(Some("Ban ghi nhận.")).json()["data"]["reviewFlag"]["flag"].clone();
        assert_eq!(upheld["state"], "UPHELD");
        assert_eq!(
            upheld["reviews"][0],
            json!({ "fromState": "OPEN", "toState": "OPEN", "notifiedOn": "2024-04-02", "explanation": "Thừa nhận." })
        );
        assert_eq!(explain(&own, &flag, "2024-04-03").codes(), ["CONFLICT"], "it is decided");
        let told =
            |client: &Client<'_>| client.data("{ flags { nodes { explanations { explanation } } } }").to_string();
        assert!(told(&board).contains("Ban ghi nhận.") && !told(&own).contains("Ban ghi nhận."));
        assert_eq!(own.codes("{ flags { nodes { explanations { actor } } } }")[0], "FORBIDDEN");
    }
}

#[test]
fn heads_above_record_measures_for_a_unit_that_has_ended() {
    for database in Database::both() {
        fixtures::fill(&database);
        let token = |unit: &str| program().token(&database, "UNIT_HEAD", Some(unit));
        let (own, next, stranger) = (token("02DS"), token("02CV"), token("03TG"));
        let input = json!({
            "officer": "CC02", "kind": "REASSIGNMENT", "grounds": "Chậm trả lời.", "decisionMaker": "Chi cục trưởng",
            "decidedOn": "2024-02-08", "noBasisReason": "Theo kế hoạch luân chuyển.",
        });
        let import = |kind: &str, csv: String, mapping: &str| {
            fixtures::import(&database, kind, csv, mapping);
        };
        // The officer goes to another branch. The measure stays with the branch that recorded it.
        let moved = "CC02,02DS,01/01/2020,30/06/2024\nCC02,02CV,01/07/2024,\n";
        let server = program().serve(&database, &["--no-jobs"]);
        let own = Client { server: &server, token: own };
        let measure = own.done("recordMeasure", MEASURE, &input)["measure"].clone();
        import("postings", fixtures::POSTINGS.replace("CC02,02DS,01/01/2020,\n", moved), fixtures::POSTINGS_MAP);
        let end = |server: &Server, token: &str| {
            let id = &measure["id"];
            let input = json!({ "measureId": id, "expectedVersion": 1, "endsOn": "2024-12-31", "reason": "Đã xong." });
            Client { server, token: token.to_owned() }.send("endMeasure", MEASURE, &input)
        };
        let server = program().serve(&database, &["--no-jobs"]);
        assert_eq!(end(&server, &stranger).codes(), ["NOT_FOUND"]);
        assert_eq!(end(&server, &next).codes(), ["BAD_USER_INPUT"], "the unit that recorded it has a head");
        let open = "02DS,Chi cục HQ Chuyển phát nhanh,BRANCH,02,AIRPORT,,\n";
        assert!(fixtures::UNITS.contains(open));
        import("units", fixtures::UNITS.replace(open, &open.replace(",,\n", ",,30/06/2024\n")), fixtures::UNITS_MAP);
        let server = program().serve(&database, &["--no-jobs"]);
        assert_eq!(end(&server, &stranger).codes(), ["NOT_FOUND"]);
        let ended = end(&server, &next);
        assert_eq!(ended.json()["data"]["endMeasure"]["measure"]["endsOn"], "2024-12-31", "{}", ended.text);
    }
}
