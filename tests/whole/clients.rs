//! Other people's clients and tools against the server.

use crate::program;
use api::access::allowed;
use schema::enums::Role;
use serde_json::{Value, json};
use std::process::Command;
use tests::fixtures::{self, Files};
use tests::{Database, Json, clients, node, project, python, work};

/// The schema as a file among the clients, who look for it there.
fn schema(name: &str) -> String {
    let path = clients().join(name);
    std::fs::write(&path, api::graphql::sdl(&api::graphql::schema(false))).unwrap();
    path.display().to_string()
}

#[test]
fn the_schema_follows_the_rules_of_relay() {
    let messages = node("relay.js", &[&schema("relay.graphql")]);
    assert_eq!(serde_json::from_str::<Value>(&messages).unwrap(), json!([]));
}

#[test]
fn urql_queries_persists_and_subscribes() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = program().serve(&database, &["--no-jobs"]);
    let given = json!({
        "http": format!("{}/graphql", server.address), "ws": format!("{}/graphql/ws", server.address.replace("http", "ws")),
        "board": program().token(&database, "BOARD", None), "intake": program().token(&database, "INTAKE", None),
    });
    let outcome: Value = serde_json::from_str(&node("urql.js", &[&given.to_string()])).unwrap();
    assert_eq!(outcome["first"]["complaints"]["totalCount"], 6, "{outcome}");
    assert_eq!(outcome["second"]["complaints"]["nodes"].list().len(), 3);
    assert_eq!(outcome["code"], "BAD_USER_INPUT");
    assert_eq!(outcome["heard"], json!({ "complaintReceived": { "text": "từ urql" } }));
    // The hash alone at first; the text once it was not known; then the hash is enough.
    let asked: Vec<(bool, bool)> =
        outcome["asked"].list().iter().take(3).map(|one| (one["text"] == true, one["hash"] == true)).collect();
    assert_eq!(asked, [(false, true), (true, true), (false, true)], "{outcome}");
}

#[test]
fn a_typescript_client_is_generated_compiles_and_asks() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = program().serve(&database, &["--no-jobs"]);
    let given = json!({
        "schema": schema("codegen.graphql"), "documents": project().join("docs/client").canonicalize().unwrap().join("*.graphql"),
        "http": format!("{}/graphql", server.address), "token": program().token(&database, "BOARD", None),
    });
    let outcome: Value = serde_json::from_str(&node("codegen.js", &[&given.to_string()])).unwrap();
    assert_eq!((&outcome["complaints"], &outcome["total"]), (&json!(6), &json!(6)));
    let ids: std::collections::BTreeSet<&str> = outcome["ids"].list().iter().map(Json::text).collect();
    assert_eq!(ids.len(), 4, "two pages of two");
}

#[test]
fn a_python_client_is_generated_and_asks() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let server = program().serve(&database, &["--no-jobs"]);
    let files = Files::new();
    let given = json!({
        "schema": schema("ariadne.graphql"), "documents": project().join("docs/client").canonicalize().unwrap(), "folder": files.path(),
        "http": format!("{}/graphql", server.address), "token": program().token(&database, "BOARD", None),
    });
    let python = python(&["ariadne_codegen"], &[], &["ariadne-codegen==0.19.0"]);
    let output =
        Command::new(python).arg(project().join("tests/clients/ariadne.py")).arg(given.to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&outcome["complaints"], &outcome["total"]), (&json!(6), &json!(6)));
}

#[test]
fn schemathesis_finds_no_error_leak_or_wrong_type_for_any_role() {
    let files = Files::new();
    let key = files.path().join("key").display().to_string();
    let database = Database::sqlite();
    work::with_headquarters(&database);
    fixtures::run_counting(&database, "2024-03-31");
    program().run(&database, ["key", "create", &key]).ok();
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
    let python = python(&["schemathesis"], &[], &["schemathesis==4.32.5"]);
    let sdl = schema("fuzzed.graphql");
    let guard = api::access::Guard::new(&std::fs::read_to_string(&sdl).unwrap()).unwrap();
    let board = program().token(&database, "BOARD", None);
    let ids = server.data(&board, "{ complaints { nodes { id enterprise { id } officers { officer { id } } } } flags { nodes { id run { id } } } }");
    let ids: Vec<String> =
        ids.to_string().split('"').filter(|part| uuid::Uuid::parse_str(part).is_ok()).map(str::to_owned).collect();
    let made = work::some_of_each(&database, &server);
    let ids: Vec<String> = ids.into_iter().chain(made).collect();
    assert!(ids.len() > 10, "{ids:?}");
    let words = ["02CV", "02", "TC", "03TG", "TD1", "TD", "CC01", "CC02", "0100233488", "0314409058"];
    let mut argument_values = serde_json::Map::new();
    for name in ["id", "complaintId", "flagId", "runId", "seenRunId", "documentId", "proposalId", "measureId"] {
        argument_values.insert(name.to_owned(), json!(ids));
    }
    for name in [
        "code",
        "unit",
        "category",
        "officer",
        "within",
        "unitWithin",
        "responsibleUnit",
        "responsibleUnitWithin",
        "taxCode",
        "categoryIn",
        "officerIn",
        "enterpriseIn",
        "eq",
        "in",
        "like",
    ] {
        argument_values.insert(name.to_owned(), json!(words));
    }
    argument_values.insert("search".to_owned(), json!(["can bo", "cham", "giu kin", "cong ty", "a"]));
    argument_values.insert("timezone".to_owned(), json!(["Asia/Ho_Chi_Minh", "UTC"]));
    argument_values.insert(
        "query".to_owned(),
        json!(["SELECT * FROM complaints", "SELECT * FROM allegations LIMIT 3", "SELECT 1 AS one"]),
    );
    // What is never told: to a head what is not its own or confidential, to the others who anybody is and what was
    // said.
    let (names, numbers) = (["Nguyễn Văn An", "Trần Thị Bình"], ["0100233488", "0314409058", "001099012345"]);
    let (own, others) = (["Cán bộ đòi tiền", "Không khai được"], ["Chậm trả lời", "Ẩn danh", "Xin giữ kín"]);
    let drafts = ["Dự thảo kín", "Căn cứ kín", "Giải trình kín", "Chưa được."];
    let everything = [&names[..], &numbers[..], &own[..], &others[..], &drafts[..]].concat();
    for role in Role::WORDS {
        let secrets = match *role {
            "BOARD" => Vec::new(),
            "UNIT_HEAD" => [&others[..], &drafts, &["Trần Thị Bình", "Lê Văn Cường"]].concat(),
            // It keeps the officers.
            "ADMIN" => [&numbers[..], &own[..], &others[..], &drafts[..]].concat(),
            _ => everything.clone(),
        };
        let token = program().token(&database, role, (*role == "UNIT_HEAD").then_some("02CV"));
        let of: Role = role.parse().unwrap();
        let may: Vec<String> = guard
            .fields()
            .filter(|(of_type, field)| allowed(of, of_type, field))
            .map(|(a, b)| format!("{a}.{b}"))
            .collect();
        let answered = files.path().join(format!("answered-{role}"));
        // An ADMIN makes units and officers of these words, and must not make them of secrets.
        let mut argument_values = argument_values.clone();
        if *role == "ADMIN" {
            for values in argument_values.values_mut() {
                values.as_array_mut().unwrap().retain(|word| !secrets.contains(&word.as_str().unwrap()));
            }
        }
        let argument_values = Value::Object(argument_values).to_string();
        // The first run takes documents as schemathesis makes them, the second one cuts them down to what the role may
        // ask, with ids of the register. Schemathesis' own check takes every error with data for a fault of the server,
        // NOT_FOUND of a random code included, so `no_fault` looks at statuses and codes.
        for (tame, number) in [("no", "3"), ("yes", "10")] {
            let output = Command::new(&python)
                .args([
                    "-m",
                    "schemathesis.cli",
                    "run",
                    &format!("{}/graphql", server.address),
                    "-n",
                    number,
                    "-w",
                    "2",
                ])
                .args(["-H", &format!("Authorization: Bearer {token}")])
                .args(["--checks", "no_fault,nothing_leaks,answers_fit"])
                .args(["--seed", "7", "--no-color", "--continue-on-failure"])
                .env("SCHEMATHESIS_HOOKS", "scalars")
                .env("PHANANH_TAME", tame)
                .env("PHANANH_SCHEMA", &sdl)
                .env("PHANANH_SECRETS", json!(secrets).to_string())
                .env("PHANANH_ALLOWED", json!(may).to_string())
                .env("PHANANH_KNOWN", &argument_values)
                .env("PHANANH_ANSWERED", &answered)
                .env("PYTHONPATH", project().join("tests/clients"))
                .current_dir(files.path())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{role}: {said}");
            let passed = said.lines().find(|line| line.contains("generated,")).unwrap_or_else(|| panic!("{said}"));
            assert!(passed.contains("passed") && !passed.contains("failed"), "{role}: {passed}");
        }
        // It was more than refusals: every list and statistic of the role was answered with something.
        let answered = std::fs::read_to_string(&answered).unwrap();
        for (_, field) in guard.fields().filter(|(of_type, field)| *of_type == "Query" && allowed(of, of_type, field)) {
            // One row by a random id is not found; the numbers of these need a run or an allowed question.
            // A DASHBOARD is refused days and past days, which chance asks for nearly always.
            if *role == "DASHBOARD" && field == "complaintStatistics" {
                continue;
            }
            if ![
                "complaint",
                "digestPreview",
                "flag",
                "node",
                "sql",
                "savedQuery",
                "runSavedQuery",
                "unit",
                "officer",
                "funnelPlot",
                "blameCheck",
                "backtest",
                "flagsFound",
                "emergingTerms",
                "receipt",
                "complaintStatus",
            ]
            .contains(&field)
            {
                assert!(answered.lines().any(|line| line == field), "{role}: {field} was never answered");
            }
        }
    }
}

/// What breaks from one schema to another, and what is deprecated without a date.
fn changes(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
    let found: Value = serde_json::from_str(&node("breaking.js", &[before, after])).unwrap();
    let texts = |key: &str| -> Vec<String> { serde_json::from_value(found[key].clone()).unwrap() };
    let undated = texts("deprecated").into_iter().filter(|text| {
        let until = text.split_once(": ").and_then(|(_, reason)| reason.strip_prefix("deprecated until "));
        until.and_then(|rest| rest.get(..10)?.parse::<chrono::NaiveDate>().ok()).is_none()
    });
    (texts("breaking"), undated.collect())
}

#[test]
fn no_change_breaks_a_client_unless_it_is_marked() {
    let released = project().join("docs/schema.released.graphql");
    let marked = std::fs::read_to_string(project().join("docs/breaking.txt")).unwrap();
    let marked: Vec<&str> =
        marked.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(" -- ").next()).collect();
    let (breaking, undated) = changes(&released.display().to_string(), &schema("now.graphql"));
    let unmarked: Vec<&String> = breaking.iter().filter(|change| !marked.contains(&change.as_str())).collect();
    assert!(unmarked.is_empty(), "mark them in docs/breaking.txt with a reason: {unmarked:#?}");
    assert!(undated.is_empty(), "{undated:?}");

    // The comparison itself notices.
    let now = api::graphql::sdl(&api::graphql::schema(false));
    let file = |name: &str, text: &str| {
        let path = clients().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let without = now.replacen("\treceivedAt: DateTime!\n", "", 1);
    let deprecated = now.replacen("\tversion: Int!\n", "\tversion: Int! @deprecated(reason: \"some day\")\n", 1);
    assert!(without != now && deprecated != now);
    let (breaking, _) = changes(&schema("now.graphql"), &file("without.graphql", &without));
    assert_eq!(breaking, ["Complaint.receivedAt was removed."]);
    assert_eq!(changes(&schema("now.graphql"), &file("deprecated.graphql", &deprecated)).1.len(), 1);
}
