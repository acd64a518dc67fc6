//! Saved questions: versions, parameters, who may run and change them, and the command line.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp};

const FIELDS: &str = "query { name version description text roles mine parameters { name type required default } }";
const COUNT: &str =
    "SELECT COUNT(*) AS n FROM complaints WHERE received_on >= $since AND ($kind IS NULL OR kind = $kind)";

/// The question how many complaints came in.
fn counting(expected: i32, roles: &[&str]) -> Value {
    json!({
        "name": "How-Many", "expectedVersion": expected, "description": " Complaints since a day ", "text": COUNT,
        "roles": roles,
        "parameters": [
            { "name": "since", "type": "DATE" },
            { "name": "kind", "type": "TEXT", "default": null },
        ],
    })
}

fn run(client: &Client<'_>, variables: &Value) -> Value {
    let query = "query ($name: String = \"how-many\", $version: Int, $parameters: JSON) {
        runSavedQuery(name: $name, version: $version, parameters: $parameters) { name version answer { rows } } }";
    client.request_with(query, variables).json()
}

fn counted(client: &Client<'_>, variables: &Value) -> i64 {
    let answer = run(client, variables);
    assert!(answer.get("errors").is_none(), "{answer}");
    answer["data"]["runSavedQuery"]["answer"]["rows"][0]["n"].integer()
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or("none")
}

#[test]
fn a_question_is_saved_run_changed_and_deleted() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(1_500, 11).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let board = app.as_role(Role::Board);
        let colleague = app.as_holder(&["--name", "colleague", "--role", "DATA_TEAM"]);

        let saved = team.done("saveQuery", FIELDS, &counting(0, &[]))["query"].clone();
        let parameters = json!([
            { "name": "since", "type": "DATE", "required": true, "default": null },
            { "name": "kind", "type": "TEXT", "required": false, "default": null },
        ]);
        assert_eq!(
            saved,
            json!({ "name": "How-Many", "version": 1, "description": "Complaints since a day", "text": COUNT,
                "roles": [], "mine": true, "parameters": parameters })
        );
        // The name is the same in another case, and the answer that of `sql`.
        let since = json!({ "parameters": { "since": "2025-01-01" } });
        let of_year = counted(&team, &since);
        let by_sql = team.data(
            "{ sql(query: \"SELECT COUNT(*) AS n FROM complaints WHERE received_on >= '2025-01-01'\") { rows } }",
        );
        assert_eq!(of_year, by_sql["sql"]["rows"][0]["n"].integer());
        let conduct = counted(&team, &json!({ "parameters": { "since": "2025-01-01", "kind": "CONDUCT" } }));
        assert!(0 < conduct && conduct < of_year, "{conduct} of {of_year}");
        // No other user may see it.
        for other in [&colleague, &board] {
            assert_eq!(code(&run(other, &since)), "NOT_FOUND");
            assert_eq!(other.data("{ savedQuery(name: \"how-many\") { name } }")["savedQuery"], Value::Null);
            assert_eq!(other.data("{ savedQueries { totalCount } }")["savedQueries"]["totalCount"], 0);
        }
        // Values are checked.
        for wrong in
            [json!({}), json!({ "since": "yesterday" }), json!({ "since": "2025-01-01", "unit": "02" }), json!([1])]
        {
            let answer = run(&team, &json!({ "parameters": wrong }));
            assert_eq!(code(&answer), "BAD_USER_INPUT", "{answer}");
        }
        // A value is never a part of the text.
        let hostile = json!({ "parameters": { "since": "2025-01-01", "kind": "x' OR 'a' = 'a" } });
        assert_eq!(counted(&team, &hostile), 0);

        // The same again is no version; for others to run it is one.
        assert_eq!(team.done("saveQuery", "query { version }", &counting(1, &[]))["query"]["version"], 1);
        let shared = team.done("saveQuery", FIELDS, &counting(1, &["DATA_TEAM"]))["query"].clone();
        assert_eq!((&shared["version"], &shared["roles"]), (&json!(2), &json!(["DATA_TEAM"])));
        assert_eq!(counted(&colleague, &since), of_year);
        let seen = colleague.data("{ savedQuery(name: \"HOW-MANY\") { mine version } }");
        assert_eq!(seen["savedQuery"], json!({ "mine": false, "version": 2 }));
        assert_eq!(code(&run(&board, &since)), "NOT_FOUND");
        // Another version, or another owner.
        let refused = |client: &Client<'_>, input: &Value| client.send("saveQuery", "query { version }", input).codes();
        assert_eq!(refused(&team, &counting(1, &[])), ["CONFLICT"]);
        assert_eq!(refused(&colleague, &counting(2, &[])), ["CONFLICT"]);
        assert_eq!(refused(&board, &counting(0, &["BOARD"])), ["CONFLICT"]);

        // A new text; the earlier version still runs, for whom the newest is.
        let mut all = counting(2, &["BOARD"]);
        all["text"] = "SELECT 7 AS n".into();
        all["parameters"] = json!([]);
        assert_eq!(team.done("saveQuery", "query { version }", &all)["query"]["version"], 3);
        assert_eq!(counted(&board, &json!({})), 7);
        assert_eq!(counted(&board, &json!({ "version": 1, "parameters": { "since": "2025-01-01" } })), of_year);
        assert_eq!(
            code(&run(&colleague, &json!({ "version": 2, "parameters": { "since": "2025-01-01" } }))),
            "NOT_FOUND"
        );
        assert_eq!(code(&run(&board, &json!({ "version": 4 }))), "NOT_FOUND");
        let first = board.data("{ savedQuery(name: \"how-many\", version: 1) { text owner } }")["savedQuery"].clone();
        assert_eq!(first["text"], COUNT);
        assert!(first["owner"].text().starts_with("token:"), "{first}");

        // The Board deletes what the Board may run.
        let delete = |version: i32| json!({ "name": "how-many", "expectedVersion": version });
        assert_eq!(colleague.send("deleteQuery", "query { name }", &delete(3)).codes(), ["NOT_FOUND"]);
        assert_eq!(board.send("deleteQuery", "query { name }", &delete(2)).codes(), ["CONFLICT"]);
        board.done("deleteQuery", "query { name }", &delete(3));
        assert_eq!(code(&run(&team, &json!({}))), "NOT_FOUND");
        // The name is free again, and versions go on.
        assert_eq!(
            colleague.done("saveQuery", "query { version mine }", &counting(0, &[]))["query"],
            json!({ "version": 4, "mine": true })
        );
        // The present holder of the name does not read what the previous one shared with no role.
        for (version, text) in [(1, Value::Null), (2, json!(COUNT)), (4, json!(COUNT))] {
            let asked = format!("{{ savedQuery(name: \"how-many\", version: {version}) {{ text }} }}");
            assert_eq!(colleague.data(&asked)["savedQuery"]["text"], text, "{version}");
        }
        assert_eq!(
            code(&run(&colleague, &json!({ "version": 1, "parameters": { "since": "2025-01-01" } }))),
            "NOT_FOUND"
        );
        let key = files.key();
        app.run(&["audit", "seal", "--key-file", &key]);
        app.run(&["audit", "verify", "--key-file", &key]);
    }
}

#[test]
fn what_cannot_be_run_is_not_saved() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    let question = |text: &str| json!({ "name": "q", "expectedVersion": 0, "text": text });
    for (input, said) in [
        (question("SELECT nothing FROM complaints"), "nothing"),
        (question("DROP TABLE complaints"), "SELECT"),
        (question("SELECT reference FROM sources"), "sources"),
        (question("SELECT $1"), "$1"),
        (question("SELECT $day"), "$day"),
        (question(" "), "SELECT"),
        (json!({ "name": "a b", "expectedVersion": 0, "text": "SELECT 1" }), "letters"),
        (
            json!({ "name": "q", "expectedVersion": 0, "text": "SELECT 1",
                "parameters": [{ "name": "a", "type": "DATE" }] }),
            "$a",
        ),
        (
            json!({ "name": "q", "expectedVersion": 0, "text": "SELECT $a",
                "parameters": [{ "name": "a", "type": "DATE", "default": "x" }] }),
            "a day such as",
        ),
    ] {
        let answer = team.send("saveQuery", "query { version }", &input);
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{input}: {}", answer.text);
        let message = answer.json()["errors"][0]["message"].clone();
        assert!(message.text().contains(said), "{input}: {message}");
    }
    assert_eq!(team.data("{ savedQueries { totalCount } }")["savedQueries"]["totalCount"], 0);
}

#[test]
fn lists_are_in_order_and_filtered() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    for name in ["b", "C", "a"] {
        team.done("saveQuery", "query { version }", &json!({ "name": name, "expectedVersion": 0, "text": "SELECT 1" }));
    }
    let names = |arguments: &str| {
        let listed =
            team.data(&format!("{{ savedQueries{arguments} {{ nodes {{ name }} pageInfo {{ endCursor }} }} }}"));
        let nodes = listed["savedQueries"]["nodes"].list().iter().map(|node| node["name"].text().to_owned());
        (nodes.collect::<Vec<_>>(), listed["savedQueries"]["pageInfo"]["endCursor"].clone())
    };
    assert_eq!(names("").0, ["a", "b", "C"]);
    let (first, cursor) = names("(first: 2)");
    assert_eq!(
        (first, names(&format!("(first: 2, after: {cursor})")).0),
        (vec!["a".into(), "b".into()], vec!["C".to_owned()])
    );
    assert_eq!(names("(filter: {name: {in: [\"C\", \"x\"]}})").0, ["C"]);
    assert_eq!(names("(orderBy: [{field: CHANGED_AT, direction: DESC}])").0, ["a", "C", "b"]);
}

#[test]
fn the_command_line_keeps_and_runs_questions() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(1_500, 11).start_with(&files, "");
        let key = files.key();
        let text = "-- Complaints of a kind.\n-- parameter kind TEXT = CONDUCT\n\
                    SELECT COUNT(*) AS n FROM complaints WHERE kind = $kind;\n";
        let file = files.put("q.sql", text).display().to_string();
        let saved = program().json(&app.database, &["queries", "save", "of-kind", &file]);
        assert_eq!((&saved[0]["version"], &saved[0]["owner"]), (&json!(1), &json!("cli")), "{saved}");
        let again = program().run(&app.database, ["queries", "save", "of-kind", &file, "--expected-version", "0"]);
        assert!(again.status == 1 && again.err.contains("version 1"), "{again:?}");
        let shown = program().json(&app.database, &["queries", "show", "OF-KIND"]);
        assert_eq!(shown["text"], "SELECT COUNT(*) AS n FROM complaints WHERE kind = $kind");
        assert_eq!(shown["description"], "Complaints of a kind.");
        let as_text = app.run(&["queries", "show", "of-kind"]);
        assert!(as_text.contains("-- parameter kind TEXT = CONDUCT\nSELECT"), "{as_text}");
        assert!(app.run(&["queries", "list"]).contains("of-kind"));

        let team = app.as_role(Role::DataTeam);
        let token = files.put("token", &team.token).display().to_string();
        let here = ["--key-file", key.as_str()];
        let there = ["--server", team.server.address.as_str(), "--token-file", token.as_str()];
        let count = |kind: &str| {
            let sql = format!("SELECT COUNT(*) AS n FROM complaints WHERE kind = '{kind}'");
            program().json(&app.database, &["sql", &sql, "--key-file", &key])["rows"][0]["n"].integer()
        };
        for way in [&here[..], &there] {
            let run = |more: &[&str]| {
                let args = [&["sql", "@of-kind"][..], more, way].concat();
                program().json(&app.database, &args)["rows"][0]["n"].integer()
            };
            assert_eq!(run(&[]), count("CONDUCT"));
            assert_eq!(run(&["--param", "kind=PROCEDURE"]), count("PROCEDURE"));
            assert_eq!(run(&["--query-version", "1"]), count("CONDUCT"));
            for (args, said) in [
                (vec!["sql", "@none"], "no saved question"),
                (vec!["sql", "@of-kind", "--query-version", "2"], "version 2"),
                (vec!["sql", "@of-kind", "--param", "unit=02"], "unit"),
                (vec!["sql", "@of-kind", "--parameter", "CONDUCT"], "--param NAME=VALUE"),
                (vec!["sql", "SELECT 1", "--param", "kind=x"], "@NAME"),
            ] {
                let done = program().run(&app.database, [&args[..], way].concat());
                assert!(done.status == 1 && done.err.contains(said), "{args:?}: {done:?}");
            }
        }
        app.run(&["queries", "delete", "of-kind"]);
        assert_eq!(program().json(&app.database, &["queries", "list"]), json!([]));
        let gone = program().run(&app.database, ["queries", "delete", "of-kind"]);
        assert!(gone.status == 1 && gone.err.contains("phananh queries list"), "{gone:?}");
    }
}

#[test]
fn the_audit_log_has_the_name_the_version_and_the_values() {
    let files = Files::new();
    let app = TestApp::sqlite().generated(1_500, 11).start_with(&files, "");
    let team = app.as_role(Role::DataTeam);
    team.done("saveQuery", "query { version }", &counting(0, &[]));
    counted(&team, &json!({ "parameters": { "since": "2025-01-01" } }));
    let mut wrong = counting(1, &[]);
    wrong["text"] = "SELECT missing FROM complaints WHERE received_on >= $since AND kind = $kind".into();
    assert_eq!(team.send("saveQuery", "query { version }", &wrong).codes(), ["BAD_USER_INPUT"]);
    let admin = app.as_role(Role::Admin);
    tests::wait_until(10, "the entries of both descriptions", || {
        let logged = admin.data("{ auditLog(filter: {action: {eq: SQL}}) { nodes { objects } } }");
        let entries = logged["auditLog"]["nodes"].list().iter().map(|node| node["objects"].to_string());
        let described: Vec<String> = entries.filter(|entry| entry.contains("described for saveQuery")).collect();
        described.iter().any(|entry| entry.contains("COUNT(*)") && !entry.contains("failure"))
            && described.iter().any(|entry| entry.contains("SELECT missing") && entry.contains("failure"))
    });
    let mut asked = String::new();
    tests::wait_until(10, "the entry of the audit log", || {
        let logged = admin.data("{ auditLog(filter: {action: {eq: SQL}}) { nodes { objects } } }");
        let entries = logged["auditLog"]["nodes"].list().iter().map(|node| node["objects"].to_string());
        asked = entries.filter(|entry| entry.contains("How-Many")).collect();
        !asked.is_empty()
    });
    for said in ["saved question How-Many, version 1", "received_on", "2025-01-01"] {
        assert!(asked.contains(said), "{asked}");
    }
}

#[test]
fn a_name_stays_with_one_principal_and_so_do_its_questions() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(1_500, 11).start_with(&files, "");
        let admin = app.as_role(Role::Admin);
        let holder = ["--name", "analyst", "--role", "DATA_TEAM"];
        app.as_holder(&holder).done("saveQuery", "query { version }", &counting(0, &[]));
        admin.data("mutation { revokeTokens(name: \"analyst\") { revoked } }");
        // A further token replaces one that was lost.
        let mine = app.as_holder(&holder).data("{ savedQuery(name: \"how-many\") { mine } }");
        assert_eq!(mine["savedQuery"]["mine"], true, "{mine}");
        let create = |arguments: &[&str]| program().run(&app.database, [&["token", "create"][..], arguments].concat());
        let other = create(&["--name", "analyst", "--role", "BOARD"]);
        assert!(other.status != 0 && other.err.contains("choose another name"), "{other:?}");
        admin.data("mutation { revokeTokens(name: \"analyst\", disable: true) { revoked } }");
        let next = create(&holder);
        assert!(next.status != 0 && next.err.contains("was disabled"), "{next:?}");
    }
}
