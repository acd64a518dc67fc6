//! The numbers of a flag without the complaints of one enterprise.

use crate::program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp, fixtures, merged};

const WITHOUT: &str = "query Without($id: ID!, $taxCode: String!) { flagWithoutEnterprise(id: $id, taxCode: $taxCode) {
    holds windows { days leftOut complaints episodes distinctEnterprises serious
      adjusted { observed expected ratio p eb05 } } } }";

fn without(board: &Client<'_>, flag: &Value, tax_code: &str) -> Value {
    board.data_with(WITHOUT, &json!({ "id": flag, "taxCode": tax_code }))["flagWithoutEnterprise"].clone()
}

/// Days, complaints left out, complaints, episodes, enterprises and serious complaints of a window.
fn counts(numbers: &Value, window: usize) -> [u64; 6] {
    let window = &numbers["windows"][window];
    ["days", "leftOut", "complaints", "episodes", "distinctEnterprises", "serious"]
        .map(|field| window[field].as_u64().unwrap_or_else(|| panic!("{field}: {numbers}")))
}

#[test]
fn the_board_leaves_any_enterprise_of_the_evidence_out_of_the_numbers_of_a_flag() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let flags = board.data("{ flags { nodes { id officer { code } } } }")["flags"]["nodes"].clone();
        let flag = &flags.list().iter().find(|flag| flag["officer"]["code"] == "CC01").unwrap()["id"];
        // PA-1 is by A and serious; PA-2 is by a branch of B, and PA-6, the only one of March, by B.
        let of_a = without(&board, flag, "0100233488");
        assert_eq!(counts(&of_a, 3), [365, 1, 2, 2, 1, 0], "{of_a}");
        assert_eq!(counts(&of_a, 0), [30, 0, 1, 1, 1, 0], "{of_a}");
        for code in ["0314409058", "0314409058-002", "0314409058002"] {
            let of_b = without(&board, flag, code);
            assert_eq!(counts(&of_b, 3), [365, 2, 1, 1, 1, 1], "{code}: {of_b}");
            assert_eq!(counts(&of_b, 0), [30, 1, 0, 0, 0, 0], "{code}: {of_b}");
        }

        // C complained about something else, and D never.
        for code in ["001099012345", "0101234567", "Công ty A", ""] {
            let refused = board.request_with(WITHOUT, &json!({ "id": flag, "taxCode": code }));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{code}: {refused:?}");
            assert!(refused.text.contains("no complaint in the evidence of this flag"), "{code}: {refused:?}");
        }
        let nobody = json!("00000000-0000-0000-0000-000000000000");
        assert_eq!(without(&board, &nobody, "0100233488"), Value::Null);
        for role in [Role::UnitHead, Role::DataTeam, Role::Dashboard, Role::Intake, Role::Admin] {
            let refused =
                app.as_any(role, "02CV").request_with(WITHOUT, &json!({ "id": flag, "taxCode": "0100233488" }));
            assert!(refused.codes().contains(&"FORBIDDEN".to_owned()), "{role}: {refused:?}");
        }
        assert_eq!(without(&app.as_member("cc02", "CC02"), flag, "0100233488"), Value::Null, "as `numbers`");

        let admin = app.as_role(Role::Admin);
        let logged = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
        let began = Instant::now();
        while !admin.data(logged).to_string().contains("query.flagWithoutEnterprise.taxCode") {
            assert!(began.elapsed() < Duration::from_secs(5), "the audit log does not say who was left out");
            std::thread::sleep(Duration::from_millis(50));
        }

        // The numbers are of the run: what becomes of a complaint later does not change them.
        let found = "{ complaints(filter: {sourceReference: {eq: \"PA-2\"}}) { nodes { id version } } }";
        let complaint = board.data(found)["complaints"]["nodes"][0].clone();
        let withdrawn = json!({
            "complaintId": complaint["id"], "expectedVersion": complaint["version"], "state": "WITHDRAWN",
        });
        board.done("changeComplaintState", "position", &withdrawn);
        assert_eq!(without(&board, flag, "0100233488"), of_a);
    }
}

/// The mid-p upper tail of the Poisson distribution, term by term.
fn mid_p(observed: f64, expected: f64) -> f64 {
    let (mut term, mut below, mut n) = ((-expected).exp(), 0.0, 0.0);
    while n < observed {
        below += term;
        n += 1.0;
        term *= expected / n;
    }
    1.0 - below - term / 2.0
}

#[test]
fn what_is_left_of_a_flag_is_compared_as_the_run_compared_it() {
    let apps = TestApp::both().arguments(&["--no-jobs"]).filled(|database| {
        fixtures::generate(database, 6_000, 7);
        program().json(database, &["jobs", "run", "recurrence", "--as-of", "2025-12-31"]);
    });
    let mut answers = Vec::new();
    for app in apps {
        let board = app.as_role(Role::Board);
        let gravest = "{ flags(first: 1, filter: {subjectKind: {eq: OFFICER}}) { nodes { id tier evidenceIds numbers { windows { days adjusted {
            observed expected largest p pWithoutLargest eb05WithoutLargest } } } } } }";
        let flag = board.data(gravest)["flags"]["nodes"][0].clone();
        // The window of the tier.
        let at = if flag["tier"] == "WATCH" { 2 } else { 3 };
        let whole = &flag["numbers"]["windows"][at]["adjusted"];
        let complaints = "query($ids: [ID!]!) { complaints(filter: {id: {in: $ids}}, first: 100) {
            nodes { enterprise { taxCode } } } }";
        let complaints = board.data_with(complaints, &json!({ "ids": flag["evidenceIds"] }));
        let codes: BTreeSet<&str> = complaints["complaints"]["nodes"]
            .list()
            .iter()
            .filter_map(|one| one["enterprise"]["taxCode"].as_str())
            .collect();
        assert!(codes.len() > 1, "{flag}");
        let mut most = (0.0, Value::Null);
        for code in codes {
            let found = without(&board, &flag["id"], code);
            let rest = found["windows"][at]["adjusted"].clone();
            assert_eq!(rest["expected"], whole["expected"], "{code}: {found}");
            let (observed, p) = (rest["observed"].number(), rest["p"].number());
            let by_hand = mid_p(observed, rest["expected"].number());
            assert!((p - by_hand).abs() < 1e-4 * p + 1e-13, "{code}: {by_hand}: {found}");
            assert!((rest["ratio"].number() * rest["expected"].number() - observed).abs() < 1e-3, "{code}: {found}");
            // The tiers above WATCH hold without any one enterprise: that is their rule.
            let holds = flag["tier"] != "WATCH" || rest["eb05"].number() >= 1.0;
            assert_eq!(found["holds"], json!(holds), "{code}: {found}");
            let of_it = whole["observed"].number() - observed;
            if of_it > most.0 {
                most = (of_it, rest);
            }
            answers.push((code.to_owned(), found));
        }
        let (of_largest, rest) = most;
        assert!((of_largest - whole["largest"].number()).abs() < 0.5, "{of_largest}: {flag}");
        assert_eq!((&rest["p"], &rest["eb05"]), (&whole["pWithoutLargest"], &whole["eb05WithoutLargest"]), "{flag}");
        assert!(rest["p"].number() > whole["p"].number(), "{flag}");
    }
    let (sqlite, postgres) = answers.split_at(answers.len() / 2);
    assert_eq!(sqlite, postgres);
}

const COMPLAINTS: &str = "query($ids: [ID!]) { complaints(filter: {id: {in: $ids}}, first: 50) {
    nodes { id version enterprise { taxCode } unit { code } officers { officer { code } } } } }";

/// The complaints of an evidence, at most 50.
fn evidence(board: &Client<'_>, flag: &Value) -> Vec<Value> {
    let ids = &flag["evidenceIds"].list()[..flag["evidenceIds"].list().len().min(50)];
    board.data_with(COMPLAINTS, &json!({ "ids": ids }))["complaints"]["nodes"].list().to_vec()
}

fn names(complaint: &Value, officer: &Value) -> bool {
    complaint["officers"].list().iter().any(|one| one["officer"]["code"] == *officer)
}

/// Changes the register so that complaints of the evidence against an officer are no longer as a run knew them, and
/// others name the officer now. `others` are complaints about anybody.
fn change(board: &Client<'_>, officer: &Value, evidence: &[Value], others: &[Value]) {
    let correct = |complaint: &Value, more: &Value| {
        let input =
            json!({ "complaintId": complaint["id"], "expectedVersion": complaint["version"], "reason": "Ghi nhầm." });
        board.done("correctComplaint", "position", &merged(&input, more));
    };
    let [first, second, third, ..] = evidence else { panic!("few complaints: {evidence:?}") };
    let is_another = |one: &&Value| {
        let colleague = one["officers"].list().first().map(|one| &one["officer"]["code"]);
        !names(one, officer)
            && colleague.is_some_and(|code| !names(first, code))
            && one["unit"]["code"] != second["unit"]["code"]
            && one["enterprise"]["taxCode"].is_string()
            && one["enterprise"]["taxCode"] != third["enterprise"]["taxCode"]
    };
    let other = others.iter().find(is_another).expect("a complaint about others");
    let colleague = &other["officers"].list()[0]["officer"]["code"];
    correct(first, &json!({ "replaceOfficers": [{ "from": officer, "to": colleague }] }));
    correct(second, &json!({ "unit": other["unit"]["code"] }));
    correct(third, &json!({ "taxCode": other["enterprise"]["taxCode"] }));
    correct(other, &json!({ "addOfficers": [{ "officer": officer, "attribution": "CONFIRMED" }] }));
    let codes: BTreeSet<&str> = evidence.iter().filter_map(|one| one["enterprise"]["taxCode"].as_str()).collect();
    let mut codes = codes.into_iter().filter(|code| other["enterprise"]["taxCode"] != *code);
    let (from, into) = (codes.next().expect("an enterprise"), codes.next().expect("another"));
    board.done("mergeEnterprises", "position", &json!({ "from": from, "into": into, "reason": "Nhập trùng." }));
}

#[test]
fn the_complaints_about_the_flagged_one_give_what_the_whole_run_derived_again_gives() {
    let apps = TestApp::both().arguments(&["--no-jobs"]).filled(|database| {
        fixtures::generate(database, 6_000, 7);
        fixtures::run_counting(database, "2025-12-31");
    });
    for app in apps {
        let board = app.as_role(Role::Board);
        let gravest = "query($kind: SubjectKind!) { flags(first: 2, filter: {subjectKind: {eq: $kind}}) {
            nodes { id evidenceIds officer { code } } } }";
        let flags: Vec<Value> = ["OFFICER", "BRANCH"]
            .iter()
            .flat_map(|kind| board.data_with(gravest, &json!({ "kind": kind }))["flags"]["nodes"].list().to_vec())
            .collect();
        let complaints: Vec<Vec<Value>> = flags.iter().map(|flag| evidence(&board, flag)).collect();
        assert!(flags.len() == 4 && complaints.iter().all(|all| all.len() > 3), "{flags:?}");
        let mut questions = Vec::new();
        for (flag, complaints) in flags.iter().zip(&complaints) {
            let codes: BTreeSet<&str> =
                complaints.iter().filter_map(|one| one["enterprise"]["taxCode"].as_str()).collect();
            questions.extend(codes.into_iter().take(2).map(|code| (&flag["id"], code)));
        }
        let ask = || -> Vec<Value> { questions.iter().map(|(flag, code)| without(&board, flag, code)).collect() };
        let found = ask();
        for one in &found {
            assert!(one["windows"][3]["leftOut"].number() > 0.5 && one["windows"][3]["adjusted"].is_object(), "{one}");
        }
        change(&board, &flags[0]["officer"]["code"], &complaints[0], &complaints.concat());
        assert_eq!(ask(), found, "the register is taken as the run knew it");
        // A run of an earlier version stored less.
        app.database.tamper("DELETE FROM job_results WHERE name = 'recurrence-compared'");
        assert_eq!(ask(), found, "the whole run is derived again");
    }
}
