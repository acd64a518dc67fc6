//! The life of a flag, and the statistics behind it, over HTTP.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Client, Json, Role, TestApp, merged};

const FLAGS: &str =
    "{ flags { nodes { id state officer { code flag { id } } unit { code flag { id } } evidenceIds newEvidenceIds
    tier tiers { since tier } reviews { fromState toState reason notifiedOn explanation actor } } } }";
const REVIEW: &str =
    "mutation($input: ReviewFlagInput!) { reviewFlag(input: $input) { flag { state } review { toState } } }";

fn flag_of(client: &Client<'_>, code: &str) -> Value {
    let data = client.data(FLAGS);
    let nodes = data["flags"]["nodes"].list().to_vec();
    nodes.into_iter().find(|flag| flag["officer"]["code"] == code || flag["unit"]["code"] == code).unwrap()
}

#[test]
fn a_flag_is_decided_by_a_person_and_comes_back_on_new_evidence_only() {
    for app in TestApp::both().world_with_flags("2024-03-31") {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
        let flag = flag_of(&board, "CC01");
        assert_eq!(
            (&flag["state"], &flag["reviews"], &flag["newEvidenceIds"]),
            (&json!("OPEN"), &json!([]), &Value::Null)
        );
        assert_eq!(flag["officer"]["flag"]["id"], flag["id"]);
        assert_eq!(flag["tiers"], json!([{ "since": "2024-03-31", "tier": flag["tier"] }]));
        let decide = |client: &Client<'_>, input: Value| {
            let with_id = merged(&json!({ "flagId": flag["id"] }), &input);
            client.request_with(REVIEW, &json!({ "input": with_id }))
        };
        assert!(decide(&head, json!({ "state": "ACKNOWLEDGED" })).codes().contains(&"FORBIDDEN".to_owned()));
        assert_eq!(
            decide(&board, json!({ "state": "ACKNOWLEDGED" })).json()["data"]["reviewFlag"]["flag"]["state"],
            "ACKNOWLEDGED"
        );
        assert_eq!(decide(&board, json!({ "state": "ACKNOWLEDGED" })).codes(), ["CONFLICT"]);
        assert_eq!(decide(&board, json!({ "state": "EXPIRED" })).codes(), ["BAD_USER_INPUT"]);
        for (missing, input) in [
            ("reason", json!({ "state": "DISMISSED" })),
            ("notifiedOn", json!({ "state": "UPHELD", "reason": "đã xác minh" })),
            ("explanation", json!({ "state": "UPHELD", "reason": "đã xác minh", "notifiedOn": "2024-04-02" })),
            ("future", json!({ "state": "UNDER_REVIEW", "notifiedOn": "2999-01-01" })),
        ] {
            let refused = decide(&board, input);
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{refused:?}");
            assert!(refused.text.contains(missing), "{missing}: {refused:?}");
        }
        assert_eq!(flag_of(&board, "CC01")["state"], "ACKNOWLEDGED", "what was refused changed nothing");
        decide(&board, json!({ "state": "UNDER_REVIEW", "notifiedOn": "2024-04-02", "explanation": "Không có." }));
        let done = decide(&board, json!({ "state": "DISMISSED", "reason": "Cùng một vụ việc." }));
        assert_eq!(done.json()["data"]["reviewFlag"]["review"]["toState"], "DISMISSED", "{done:?}");
        assert_eq!(decide(&board, json!({ "state": "UPHELD", "reason": "x" })).codes(), ["CONFLICT"]);

        // A later run on the same evidence leaves the decision as it is.
        fixtures::run_counting(&app.database, "2024-04-01");
        let flag = flag_of(&board, "CC01");
        assert_eq!((&flag["state"], &flag["newEvidenceIds"]), (&json!("DISMISSED"), &json!([])));
        let review = &flag["reviews"][2];
        assert_eq!((&review["fromState"], &review["reason"]), (&json!("UNDER_REVIEW"), &json!("Cùng một vụ việc.")));
        assert!(review["actor"].text().starts_with("token:"), "{review}");

        // A further enterprise complains.
        let header = fixtures::COMPLAINTS.lines().next().unwrap();
        let row = "PN-99;15/03/2024;001099012345;Hộ kinh doanh;03TG;CC01;TD1;;;;;kéo dài;";
        app.import("complaints", format!("{header}\n{row}\n"), fixtures::COMPLAINTS_MAP);
        fixtures::run_counting(&app.database, "2024-04-02");
        let flag = flag_of(&board, "CC01");
        assert_eq!(flag["state"], "OPEN");
        assert_eq!(flag["newEvidenceIds"].list().len(), 1, "{flag}");
        assert_eq!(flag["evidenceIds"].list().len(), 4, "{flag}");
        // A reopened flag needs a notification and an explanation of its own, made after the last decision.
        let again = decide(&board, json!({ "state": "UPHELD", "reason": "đã xác minh" }));
        assert!(again.text.contains("notifiedOn"), "{again:?}");
        let heard = json!({
            "state": "UPHELD", "reason": "đã xác minh", "notifiedOn": "2024-04-20", "explanation": "Thừa nhận.",
        });
        assert_eq!(decide(&board, heard).json()["data"]["reviewFlag"]["flag"]["state"], "UPHELD");
    }
}

#[test]
fn a_flag_is_retracted_when_its_evidence_is_not_confirmed_any_more_also_after_it_was_upheld() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let rules = files.put("rules.toml", fixtures::COUNTS.replace("days = 180", "days = 180, confirmed = true"));
        let run = |as_of: &str| {
            let rules = rules.to_str().unwrap();
            program().json(&app.database, &["jobs", "run", "recurrence", "--as-of", as_of, "--rules", rules])
        };
        let import = |attribution: &str| {
            let mapping = fixtures::COMPLAINTS_MAP.replace("\"CONFIRMED\"", &format!("\"{attribution}\""));
            app.import("complaints", fixtures::COMPLAINTS, &mapping);
        };
        let board = app.as_role(Role::Board);
        run("2024-03-31");
        let flag = flag_of(&board, "CC01");
        assert_eq!(flag["state"], "OPEN");
        let seen = board.data("{ flags { nodes { id run { id } } } }")["flags"]["nodes"].clone();
        let seen = seen.list().iter().find(|one| one["id"] == flag["id"]).unwrap()["run"]["id"].clone();

        import("ASSERTED");
        run("2024-04-01");
        assert_eq!(flag_of(&board, "CC01")["state"], "RETRACTED");
        import("CONFIRMED");
        run("2024-04-02");
        assert_eq!(flag_of(&board, "CC01")["state"], "OPEN");

        let uphold = |seen: &Value| {
            let input = json!({
                "flagId": flag["id"], "state": "UPHELD", "reason": "đã xác minh", "notifiedOn": "2024-04-20",
                "explanation": "Thừa nhận.", "seenRunId": seen,
            });
            board.request_with(REVIEW, &json!({ "input": input }))
        };
        assert_eq!(uphold(&seen).codes(), ["CONFLICT"], "a later run has assessed it since");
        assert_eq!(uphold(&Value::Null).json()["data"]["reviewFlag"]["flag"]["state"], "UPHELD");
        run("2024-12-31");
        assert_eq!(flag_of(&board, "CC01")["state"], "UPHELD", "its window is over, its evidence stands");
        import("ASSERTED");
        run("2025-01-01");
        assert_eq!(flag_of(&board, "CC01")["state"], "RETRACTED");
    }
}

#[test]
fn a_flag_that_falls_because_its_evidence_was_linked_is_retracted_also_after_it_was_upheld() {
    for app in TestApp::both().world_with_flags("2024-03-31") {
        let board = app.as_role(Role::Board);
        let flag = flag_of(&board, "CC01");
        assert_eq!(flag["state"], "OPEN");
        let complaint = |reference: &str| {
            let filter = format!("{{sourceReference: {{eq: \"{reference}\"}}}}");
            let found = board.data(&format!("{{ complaints(filter: {filter}) {{ nodes {{ id version }} }} }}"));
            found["complaints"]["nodes"][0].clone()
        };
        // The only complaint of its enterprise about this officer.
        let change = |mutation: &str, more: &Value| {
            let one = complaint("PA-1");
            let input = json!({ "complaintId": one["id"], "expectedVersion": one["version"], "reason": "Một việc." });
            board.done(mutation, "position", &merged(&input, more));
        };
        let link = json!({ "of": complaint("PA-5")["id"] });
        change("linkDuplicate", &link);
        fixtures::run_counting(&app.database, "2024-04-01");
        assert_eq!(flag_of(&board, "CC01")["state"], "RETRACTED");
        change("unlinkDuplicate", &json!({}));
        fixtures::run_counting(&app.database, "2024-04-02");
        assert_eq!(flag_of(&board, "CC01")["state"], "OPEN");
        let upheld = json!({
            "flagId": flag["id"], "state": "UPHELD", "reason": "đã xác minh", "notifiedOn": "2024-04-20",
            "explanation": "Thừa nhận.",
        });
        let upheld = board.request_with(REVIEW, &json!({ "input": upheld }));
        assert_eq!(upheld.json()["data"]["reviewFlag"]["flag"]["state"], "UPHELD", "{upheld:?}");
        change("linkDuplicate", &link);
        fixtures::run_counting(&app.database, "2024-04-03");
        assert_eq!(flag_of(&board, "CC01")["state"], "RETRACTED");
    }
}

#[test]
fn statistics_of_a_world_are_alike_on_both_databases_and_add_up() {
    let query = "{ flags(orderBy: [{field: TIER, direction: DESC}], first: 200) { nodes {
            officer { code } unit { code } tier reasonVi numbers { unadjusted basis windows { days distinctEnterprises
            adjusted { observed expected ratio ratioLower ratioUpper q ebgm eb05 eb95 largestShare } } } } }
        funnelPlot { days phi tau2 points { unitCode observed expected ratio lower95 upper95 lower998 upper998 } }
        unit(code: \"02AB\") { cusum { limit weeks { from observed expected sum signal } } }
        responseTimeliness(level: BRANCH, days: 200) { unitCode due inTime shareInTime shareInTimeLower shareInTimeUpper
            shrunkShareInTime medianDaysToResponse }
        blameCheck { asOf blamed withoutIncident subjects { kind code blamed withoutIncident q flagged } }
        backtest(from: 2024, to: 2025) { origin ranking population found recall recallLower recallUpper }
        categoryTrends { recentDays categories { categoryCode recent before share cumulativeShare q rises } } }";
    let apps = TestApp::both().filled(|database| {
        fixtures::generate(database, 6_000, 7);
        for job in ["recurrence", "blame-check"] {
            program().json(database, &["jobs", "run", job, "--as-of", "2025-12-31"]);
        }
    });
    let answers: Vec<Value> = apps.into_iter().map(|app| app.as_role(Role::Board).data(query)).collect();
    let [sqlite, postgres] = &answers[..] else { panic!("two answers") };
    for part in ["flags", "funnelPlot", "unit", "blameCheck", "backtest"] {
        assert_eq!(sqlite[part], postgres[part], "{part}");
    }
    let flags = sqlite["flags"]["nodes"].list();
    assert!(flags.len() >= 5, "{flags:?}");
    for flag in flags {
        let numbers = &flag["numbers"];
        assert_eq!((&numbers["unadjusted"], &numbers["basis"]), (&json!(false), &json!("DECLARATIONS")));
        let year = &numbers["windows"][3]["adjusted"];
        let [lower, ratio, upper] = ["ratioLower", "ratio", "ratioUpper"].map(|key| year[key].number());
        assert!(lower < ratio && ratio < upper && year["eb05"].number() < year["ebgm"].number(), "{flag}");
        assert!((ratio - year["observed"].number() / year["expected"].number()).abs() < 1e-4 * ratio, "{flag}");
        if flag["tier"] != "WATCH" {
            assert!(year["q"].number() <= 0.05 && year["eb05"].number() >= 1.5, "{flag}");
            assert!(flag["reasonVi"].text().contains("tờ khai"), "{flag}");
        }
    }
    let points = sqlite["funnelPlot"]["points"].list();
    assert!(points.len() > 150, "{}", points.len());
    for point in points {
        let limits = ["lower998", "lower95", "upper95", "upper998"].map(|key| point[key].number());
        assert!(limits.is_sorted(), "{point}");
    }
    let weeks = sqlite["unit"]["cusum"]["weeks"].list();
    assert_eq!((weeks.len(), &weeks[51]["from"]), (52, &json!("2025-12-25")));
    let of_branch = points.iter().find(|point| point["unitCode"] == "02AB").unwrap();
    let sum = |key: &str| weeks.iter().map(|week| week[key].number()).sum::<f64>();
    // The 52 weeks cover 364 of the 365 days of the window.
    assert!((sum("expected") / of_branch["expected"].number() - 1.0).abs() < 0.02, "{of_branch}");
    assert!((sum("observed") - of_branch["observed"].number()).abs() <= 2.0, "{of_branch}");
    // The generated world ends before today. The 200 days before today may therefore hold nothing but open complaints.
    let ranked: Vec<f64> =
        sqlite["responseTimeliness"].list().iter().filter_map(|unit| unit["shrunkShareInTime"].as_f64()).collect();
    assert!(ranked.is_sorted_by(|a, b| a >= b), "{ranked:?}");
    let outcomes = sqlite["backtest"].list();
    assert_eq!(outcomes.len(), 2 * jobs::analyses::backtest::RANKINGS.len());
    assert!(outcomes.iter().all(|one| one["population"].number() > 50.0), "{outcomes:?}");
    let blame = &sqlite["blameCheck"];
    assert_eq!(blame["asOf"], "2025-12-31");
    assert!(blame["blamed"].number() > 20.0 && blame["withoutIncident"].number() < blame["blamed"].number(), "{blame}");
    let categories = sqlite["categoryTrends"]["categories"].list();
    if let Some(last) = categories.last() {
        assert!((last["cumulativeShare"].number() - 1.0).abs() < 1e-5, "{last}");
    }
}

#[test]
fn the_evidence_of_all_flags_of_a_page_is_looked_up_together() {
    let app = TestApp::sqlite().world_with_flags("2024-03-31").arguments(&["--dev", "--no-jobs"]).start();
    let head = app.as_head("TC");
    let of = |first: usize| format!("{{ flags(first: {first}) {{ nodes {{ id evidenceIds }} }} }}");
    let flags = head.data(&of(10))["flags"]["nodes"].clone();
    let with_evidence = |flag: &&Value| !flag["evidenceIds"].list().is_empty();
    assert!(flags.list().iter().filter(with_evidence).count() > 1, "{flags}");
    let statements = |first: usize| head.server.statements(&head.token, &of(first));
    assert_eq!(statements(1), statements(10));
}
