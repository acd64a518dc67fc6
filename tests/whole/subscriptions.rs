//! Subscriptions over WebSockets, with the client of the protocol's authors.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures;
use tests::{Database, Json, Role, TestApp, node};

#[test]
fn a_socket_is_closed_with_the_code_of_what_went_wrong() {
    let app = TestApp::sqlite().start();
    let board = app.as_role(Role::Board);
    let url = format!("{}/graphql/ws", board.server.address.replace("http", "ws"));
    let codes: Value = serde_json::from_str(&node("codes.js", &[&url, &board.token])).unwrap();
    let expected = json!({
        "no JSON": 4400, "an unknown type": 4400, "no id": 4400, "subscribe before init": 4401,
        "a wrong token": 4403, "no token": 4403, "no protocol": 4406, "no init": 4408,
        "the same id twice": 4409, "init twice": 4429,
    });
    assert_eq!(codes, expected);
}

#[test]
fn what_happens_at_one_node_is_heard_at_another_by_those_who_may_see_it() {
    for database in Database::both() {
        fixtures::fill(&database);
        fixtures::run_counting(&database, "2024-03-31");
        let token = |role: &str, unit: Option<&str>| program().token(&database, role, unit);
        let member = program().token_by(&database, &["--name", "An", "--role", "BOARD", "--officer", "CC01"]);
        let board = token("BOARD", None);
        let [listening, writing] = [0, 1].map(|_| program().serve(&database, &["--no-jobs"]));
        let flag =
            writing.data(&board, "{ flags { nodes { id officer { code } } } }")["flags"]["nodes"][0]["id"].clone();
        let given = json!({
            "ws": format!("{}/graphql/ws", listening.address.replace("http", "ws")),
            "http": format!("{}/graphql", writing.address),
            "program": program().0, "database": database.url, "flag": flag,
            "tokens": {
                "board": board, "intake": token("INTAKE", None), "member": member,
                "saigon": token("UNIT_HEAD", Some("02CV")), "haiphong": token("UNIT_HEAD", Some("03TG")),
            },
        });
        let outcome: Value = serde_json::from_str(&node("subscribe.js", &[&given.to_string()])).unwrap();
        let heard = |who: &str| -> Vec<String> {
            let all = outcome["heard"][who].list();
            all.iter().map(|data| data["complaintReceived"]["text"].text().to_owned()).collect()
        };
        assert_eq!(heard("board"), ["saigon", "haiphong", "nowhere"], "{}: {outcome}", database.name);
        assert_eq!(heard("saigon"), ["saigon"]);
        assert_eq!(heard("haiphong"), ["haiphong"]);
        assert_eq!(heard("member"), ["haiphong", "nowhere"], "not what names the member itself");
        assert_eq!(heard("filtered"), ["haiphong"]);
        assert_eq!(
            outcome["heard"]["board"][0]["complaintReceived"]["officers"],
            json!([{ "officer": { "code": "CC01" } }])
        );
        assert_eq!(outcome["heard"]["flags"], json!([{ "flagChanged": { "id": flag, "state": "ACKNOWLEDGED" } }]));
        assert_eq!(outcome["heard"]["denied"][0]["error"][0]["extensions"]["code"], "FORBIDDEN");
        assert_eq!(outcome["heard"]["wrong"][0]["error"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        assert_eq!(outcome["heard"]["query"], json!([{ "units": { "totalCount": 7 } }]));
        assert_eq!(outcome["closed"]["haiphong"], 4401, "its token was revoked: {outcome}");
        assert!(outcome["closed"].get("board").is_none());
        // The audit log has a look for each complaint that somebody heard of, and for each flag.
        let admin = token("ADMIN", None);
        let looks = listening
            .data(&admin, "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { actor objects } } }");
        let number = |actor: &str, kind: &str| -> usize {
            let all = looks["auditLog"]["nodes"].list().iter().filter(|entry| entry["actor"] == actor);
            // Without a key file the log has numbers alone.
            all.map(|entry| entry["objects"][kind]["count"].as_u64().unwrap_or(0) as usize).sum()
        };
        assert_eq!((number("token:UNIT_HEAD-02CV", "complaints"), number("token:An", "complaints")), (1, 2), "{looks}");
        assert_eq!(number("token:BOARD-all", "complaints"), 3 + 1, "{looks}");
        assert!(number("token:BOARD-all", "files") >= 1, "{looks}");
        let began = std::time::Instant::now();
        assert_eq!(listening.end_by("TERM"), Some(0));
        assert!(began.elapsed() < std::time::Duration::from_secs(15), "open sockets do not hold it up");
    }
}

#[test]
fn an_escalation_is_heard_by_the_head_whom_it_names_and_by_those_above() {
    for database in Database::both() {
        fixtures::fill(&database);
        let server = program().serve(&database, &["--no-jobs"]);
        let token = |role: &str, unit: Option<&str>| json!(program().token(&database, role, unit));
        let mut tokens = json!({ "board": token("BOARD", None), "dashboard": token("DASHBOARD", None) });
        for unit in ["TC", "02", "03", "02CV", "03TG"] {
            tokens[unit] = token("UNIT_HEAD", Some(unit));
        }
        let member = ["--name", "An", "--role", "BOARD", "--officer", "CC01"];
        tokens["member"] = json!(program().token_by(&database, &member));
        let given = json!({
            "ws": format!("{}/graphql/ws", server.address.replace("http", "ws")),
            "program": program().0, "database": database.url, "tokens": tokens,
            "days": [
                { "day": "2024-01-27", "escalations": 1 },
                { "day": "2024-02-22", "escalations": 2 },
                { "day": "2024-04-02", "escalations": 4 },
            ],
        });
        let outcome: Value = serde_json::from_str(&node("escalated.js", &[&given.to_string()])).unwrap();
        let heard = |run: usize, who: &str| -> Vec<String> {
            let line = |one: &Value| {
                let reference = one["complaint"]["sources"][0]["reference"].text();
                let (unit, level, round) = (one["unit"]["code"].text(), &one["level"], &one["round"]);
                format!("{reference} to {unit}, level {level} of round {round}, due {}", one["dueOn"].text())
            };
            outcome["runs"][run][who].list().iter().map(line).collect()
        };
        let nothing: [&str; 0] = [];
        let late = "PA-2 to 02, level 1 of round 1, due 2024-01-26";
        for who in ["board", "TC", "02"] {
            assert_eq!(heard(0, who), [late], "{who} on {}", database.name);
        }
        let twice = "PA-2 to TC, level 2 of round 1, due 2024-01-26";
        let other = "PA-4 to 03, level 1 of round 1, due 2024-02-21";
        for who in ["board", "TC"] {
            assert_eq!(heard(1, who), [twice, other], "{who} on {}", database.name);
        }
        assert_eq!((heard(1, "02"), heard(1, "03")), (vec![], vec![other.to_owned()]), "{}", database.name);
        // PA-6 is confidential: only the Board hears of it.
        let third = [
            "PA-3 to 02, level 1 of round 1, due 2024-03-06",
            "PA-4 to TC, level 2 of round 1, due 2024-02-21",
            "PA-5 to 02, level 1 of round 2, due 2024-03-25",
            "PA-6 to 02, level 1 of round 1, due 2024-04-01",
        ];
        assert_eq!(heard(2, "board"), third);
        assert_eq!(heard(2, "TC"), &third[..3]);
        assert_eq!(heard(2, "02"), [third[0], third[2]]);
        // Neither the heads of other units nor those of the late branches hear anything.
        for (run, who) in [(0, "03"), (2, "03"), (0, "02CV"), (1, "02CV"), (2, "02CV"), (1, "03TG"), (2, "03TG")] {
            assert_eq!(heard(run, who), nothing, "{who} in run {run} on {}", database.name);
        }
        // A member of the Board hears nothing of complaints that name the member: PA-2 and PA-6.
        let of_member = [0, 1, 2].map(|run| heard(run, "member"));
        assert_eq!(of_member, [vec![], vec![other.to_owned()], third[..3].iter().map(ToString::to_string).collect()]);
        assert_eq!(outcome["refused"].object().len(), 1, "{outcome}");
        assert_eq!(outcome["refused"]["dashboard"][0]["extensions"]["code"], "FORBIDDEN");
        // The audit log has a look for each complaint that somebody heard of.
        let admin = program().token(&database, "ADMIN", None);
        let looks = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { actor objects } } }";
        let looks = server.data(&admin, looks)["auditLog"]["nodes"].clone();
        for (actor, number) in [("BOARD-all", 7), ("UNIT_HEAD-TC", 6), ("UNIT_HEAD-02", 3), ("UNIT_HEAD-02CV", 0)] {
            let of_actor = looks.list().iter().filter(|entry| entry["actor"] == format!("token:{actor}"));
            let seen: u64 = of_actor.filter_map(|entry| entry["objects"]["complaints"]["count"].as_u64()).sum();
            assert_eq!(seen, number, "{actor} on {}: {looks}", database.name);
        }
    }
}
