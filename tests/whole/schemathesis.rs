//! Schemathesis asks as each role: documents as it makes them, and documents of what the role may ask. One test for each
//! role, so that they share the processors.

use crate::clients::schema;
use crate::program;
use api::access::{Guard, allowed};
use schema::enums::Role;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::process::Command;
use std::sync::LazyLock;
use tests::fixtures::{self, Files};
use tests::{Database, Server, project, python, work};

macro_rules! asks_as {
    ($($name:ident: $role:ident),+ $(,)?) => {
        /// The roles that have a test.
        const TESTED: &[Role] = &[$(Role::$role),+];
        $(
            #[test]
            fn $name() {
                asks_as(Role::$role);
            }
        )+
    };
}

asks_as! {
    finds_no_error_leak_or_wrong_type_as_the_board: Board,
    finds_no_error_leak_or_wrong_type_as_a_unit_head: UnitHead,
    finds_no_error_leak_or_wrong_type_as_the_data_team: DataTeam,
    finds_no_error_leak_or_wrong_type_as_a_dashboard: Dashboard,
    finds_no_error_leak_or_wrong_type_as_intake: Intake,
    finds_no_error_leak_or_wrong_type_as_an_admin: Admin,
}

#[test]
fn each_role_is_asked_as() {
    let tested: BTreeSet<&str> = TESTED.iter().map(|role| role.as_str()).collect();
    let all: BTreeSet<&str> = Role::WORDS.iter().copied().collect();
    assert_eq!(tested, all);
}

/// What is never told: to a head what is not its own or confidential, to the others who anybody is and what was said.
const NAMES: [&str; 2] = ["Nguyễn Văn An", "Trần Thị Bình"];
const NUMBERS: [&str; 3] = ["0100233488", "0314409058", "001099012345"];
const OWN: [&str; 2] = ["Cán bộ đòi tiền", "Không khai được"];
const OTHERS: [&str; 3] = ["Chậm trả lời", "Ẩn danh", "Xin giữ kín"];
const DRAFTS: [&str; 4] = ["Dự thảo kín", "Căn cứ kín", "Giải trình kín", "Chưa được."];

fn secrets_for(role: Role) -> Vec<&'static str> {
    match role {
        Role::Board => Vec::new(),
        Role::UnitHead => [&OTHERS[..], &DRAFTS, &["Trần Thị Bình", "Lê Văn Cường"]].concat(),
        // An ADMIN maintains the officers.
        Role::Admin => [&NUMBERS[..], &OWN, &OTHERS, &DRAFTS].concat(),
        _ => [&NAMES[..], &NUMBERS, &OWN, &OTHERS, &DRAFTS].concat(),
    }
}

/// Arguments that name an object by its id.
const BY_ID: [&str; 8] = ["id", "complaintId", "flagId", "runId", "seenRunId", "documentId", "proposalId", "measureId"];

/// Arguments and conditions that name something by its code or number.
const BY_WORD: [&str; 15] = [
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
];

const WORDS: [&str; 10] = ["02CV", "02", "TC", "03TG", "TD1", "TD", "CC01", "CC02", "0100233488", "0314409058"];

/// Fields that need not be answered. One row by a random id is not found; the numbers of these need a run or an allowed
/// question.
const BY_CHANCE: [&str; 19] = [
    "complaint",
    "digestPreview",
    "flag",
    "flagWithoutEnterprise",
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
    "runReproduction",
    "registerChanges",
    "emergingTerms",
    "receipt",
    "complaintStatus",
];

/// A server over a register in which the Board and units have worked; its database is a copy.
fn served() -> (Database, Server) {
    static KEY: LazyLock<(Files, String)> = LazyLock::new(|| {
        let files = Files::new();
        let key = files.key_file();
        (files, key)
    });
    let key = KEY.1.as_str();
    let serve = |database: &Database| program().serve(database, &["--no-jobs", "--key-file", key]);
    let database = Database::sqlite();
    database.fill_once("small world with some of each work", |database| {
        work::with_headquarters(database);
        fixtures::run_counting(database, "2024-03-31");
        let server = serve(database);
        work::some_of_each(database, &server);
        assert_eq!(server.end_by("TERM"), Some(0));
    });
    let server = serve(&database);
    (database, server)
}

/// Values worth asking with, by the names of arguments and conditions.
fn argument_values(database: &Database, server: &Server) -> Map<String, Value> {
    let board = program().token(database, "BOARD", None);
    let ids = server.data(
        &board,
        "{ complaints { nodes { id enterprise { id } officers { officer { id } } } } flags { nodes { id run { id } } }
           guidanceDocuments { nodes { id } } proposals { nodes { id } } measures { nodes { id } } }",
    );
    let ids: Vec<String> =
        ids.to_string().split('"').filter(|part| uuid::Uuid::parse_str(part).is_ok()).map(str::to_owned).collect();
    assert!(ids.len() > 10, "{ids:?}");
    let mut values: Map<String, Value> = BY_ID.iter().map(|name| ((*name).to_owned(), json!(ids))).collect();
    values.extend(BY_WORD.iter().map(|name| ((*name).to_owned(), json!(WORDS))));
    values.insert("search".to_owned(), json!(["can bo", "cham", "giu kin", "cong ty", "a"]));
    values.insert("timezone".to_owned(), json!(["Asia/Ho_Chi_Minh", "UTC"]));
    let questions = ["SELECT * FROM complaints", "SELECT * FROM allegations LIMIT 3", "SELECT 1 AS one"];
    values.insert("query".to_owned(), json!(questions));
    values
}

fn is_root(of_type: &str) -> bool {
    ["Query", "Mutation"].contains(&of_type)
}

fn asks_as(role: Role) {
    let files = Files::new();
    let (database, server) = served();
    let sdl = schema(&format!("fuzzed-{role}.graphql"));
    let guard = Guard::new(&std::fs::read_to_string(&sdl).unwrap()).unwrap();
    let secrets = secrets_for(role);
    let mut argument_values = argument_values(&database, &server);
    // An ADMIN makes units and officers of these words, and must not make them of secrets.
    if role == Role::Admin {
        for values in argument_values.values_mut() {
            values.as_array_mut().unwrap().retain(|word| !secrets.contains(&word.as_str().unwrap()));
        }
    }
    let may: Vec<(&str, &str)> = guard.fields().filter(|(of_type, field)| allowed(role, of_type, field)).collect();
    let names: Vec<String> = may.iter().map(|(of_type, field)| format!("{of_type}.{field}")).collect();
    let answered = files.path().join("answered");
    let token = program().token(&database, role.as_str(), (role == Role::UnitHead).then_some("02CV"));
    let ask = |tame: &str, arguments: &[&str]| {
        let output = Command::new(python(&["schemathesis"], &[], &["schemathesis==4.32.5"]))
            .args(["-m", "schemathesis.cli", "run", &format!("{}/graphql", server.address), "-w", "2"])
            .args(["-H", &format!("Authorization: Bearer {token}")])
            .args(["--checks", "no_fault,nothing_leaks,answers_fit"])
            .args(["--seed", "7", "--no-color", "--continue-on-failure"])
            .args(arguments)
            .env("SCHEMATHESIS_HOOKS", "scalars")
            .env("PHANANH_TAME", tame)
            .env("PHANANH_SCHEMA", &sdl)
            .env("PHANANH_SECRETS", json!(secrets).to_string())
            .env("PHANANH_ALLOWED", json!(names).to_string())
            .env("PHANANH_KNOWN", json!(argument_values).to_string())
            .env("PHANANH_ANSWERED", &answered)
            .env("PYTHONPATH", project().join("tests/clients"))
            .current_dir(files.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{role}: {said}");
        let passed = said.lines().find(|line| line.contains("generated,")).unwrap_or_else(|| panic!("{said}"));
        assert!(passed.contains("passed") && !passed.contains("failed"), "{role}: {passed}");
    };
    // The first run asks for everything, with documents as schemathesis makes them; of what the role may not ask, two
    // thirds name what stands in the register (scalars.py). The second one asks for what the role may ask, with documents
    // that are cut down to that, and ids of the register: a field that is refused by its name needs no more of them.
    // Schemathesis' own check takes every error with data for a fault of the server, NOT_FOUND of a random code included,
    // so `no_fault` looks at statuses and codes.
    ask("no", &["-n", "3"]);
    let roots: Vec<String> = may
        .iter()
        .filter(|(of_type, _)| is_root(of_type))
        .map(|(of_type, field)| format!("{of_type}[.]{field}"))
        .collect();
    ask("yes", &["-n", "10", "--include-name-regex", &format!("^({})$", roots.join("|"))]);
    // The run was more than refusals: every list and statistic of the role gave an answer.
    let answered = std::fs::read_to_string(&answered).unwrap();
    for (_, field) in may.iter().filter(|(of_type, _)| *of_type == "Query") {
        // A DASHBOARD is refused days and past days, which chance asks for nearly always.
        let is_refused_days = role == Role::Dashboard && *field == "complaintStatistics";
        if !is_refused_days && !BY_CHANCE.contains(field) {
            assert!(answered.lines().any(|line| line == *field), "{role}: {field} was never answered");
        }
    }
}
