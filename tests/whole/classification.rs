//! Categories are suggested by rules and by a trained model, wait in a queue, and a person confirms them, many at once.

use crate::program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::fixtures::{self, Files};
use tests::{Client, Database, Json, Role, TestApp};

/// Rules for the categories of the small world.
const RULES: &str = "\
[[rules]]
category = \"TD1\"
vi = [\"hách dịch\", \"quát\", \"trống không\"]

[[rules]]
category = \"TD2\"
vi = [\"đòi tiền\", \"bồi dưỡng\"]
en = [\"bribe\"]

[[rules]]
category = \"NONE-OF-THIS-REGISTER\"
vi = [\"hồ sơ\"]
";

const IMPORT: &str = "source = \"nhieu\"\n[fields]\nreference = \"so\"\ntext = \"noi_dung\"\ntax_code = \"mst\"\n\
    received = { column = \"ngay\", formats = [\"%Y-%m-%d\"] }\n";

/// Imports complaints that nobody has classified: (day, tax code, text) of each.
fn import(database: &Database, rows: &[(String, &str, String)]) {
    let mut csv = String::from("so,ngay,mst,noi_dung\n");
    for (number, (day, tax_code, text)) in rows.iter().enumerate() {
        csv.push_str(&format!("N-{number},{day},{tax_code},\"{text}\"\n"));
    }
    fixtures::import(database, "complaints", csv, IMPORT);
}

/// The queue in pages of a size: each item with its margin, id and version.
fn queue(board: &Client<'_>, size: usize) -> Vec<Value> {
    let query = "query ($size: Int, $after: String) { classificationQueue(first: $size, after: $after) {
        totalCount pageInfo { hasNextPage endCursor }
        nodes {
            margin model complaint { id version state }
            suggestions { rank confidence model category { code } } } } }";
    let (mut all, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = board.data_with(query, &json!({ "size": size, "after": after }))["classificationQueue"].clone();
        all.extend(page["nodes"].list().iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            assert_eq!(page["totalCount"].integer(), all.len() as i64);
            return all;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// The first suggested category of an item; empty if there is none.
fn first(item: &Value) -> &str {
    item["suggestions"].list().first().map_or("", |one| one["category"]["code"].text())
}

#[test]
fn rules_suggest_the_queue_begins_with_the_least_certain_and_a_thousand_are_confirmed_at_once() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let files = Files::new();
        let rules = files.put("rules.toml", RULES);
        let config = files.put("config.toml", format!("[classification]\nrules = {:?}\n", rules.display().to_string()));
        let rows: Vec<(String, &str, String)> = (0..1_000)
            .map(|n| {
                let text = match n % 4 {
                    0 => "Cán bộ hách dịch, quát nhân viên.",
                    1 => "Can bo doi tien moi lam.",
                    2 => "Vừa hách dịch vừa đòi tiền.",
                    _ => "Hồ sơ nộp rồi.",
                };
                ("2024-05-06".to_owned(), "0100233488", format!("{text} Lần {n}."))
            })
            .collect();
        import(&app.database, &rows);
        let config = config.display().to_string();
        let job = ["jobs", "run", "classify", "--config", &config];
        let run = program().json(&app.database, &job);
        let summary = &run["summary"];
        assert!(summary["classifier"].text().starts_with("rules-"), "{run}");
        assert!(summary["complaints"].integer() >= 1_000 && summary["suggested"].integer() >= 750, "{run}");
        assert_eq!(program().json(&app.database, &job)["summary"]["complaints"], 0, "there is nothing new");

        let board = app.as_role(Role::Board);
        let items = queue(&board, 200);
        let margins: Vec<f64> = items.iter().map(|item| item["margin"].number()).collect();
        assert!(items.len() >= 1_000 && margins.is_sorted() && margins[0].abs() < 1e-12, "{}", items.len());
        let keys: Vec<(u64, &str)> =
            items.iter().map(|one| (one["margin"].number().to_bits(), one["complaint"]["id"].text())).collect();
        assert!(keys.is_sorted() && keys.iter().collect::<BTreeSet<_>>().len() == keys.len(), "each once, in order");
        for item in &items {
            let (suggestions, margin) = (item["suggestions"].list(), item["margin"].number());
            let confidence = |at: usize| suggestions.get(at).map_or(0.0, |one| one["confidence"].number());
            assert!((confidence(0) - confidence(1) - margin).abs() < 1e-9, "{item}");
            assert!(suggestions.iter().zip(1..).all(|(one, rank)| one["rank"] == rank), "{item}");
            assert!(suggestions.iter().all(|one| one["model"] == item["model"]), "{item}");
        }
        let of = |code: &str| items.iter().filter(|item| first(item) == code).count();
        assert!(of("TD1") >= 250 && of("TD2") >= 250 && of("") >= 250, "{} {} {}", of("TD1"), of("TD2"), of(""));

        // A mixture: most are right, others are at another version, of an unknown category, unknown, or no id.
        let unknown = "00000000-0000-8000-8000-000000000000";
        let mut input: Vec<Value> = items[..999]
            .iter()
            .enumerate()
            .map(|(n, item)| {
                let complaint = &item["complaint"];
                let (mut id, mut version, mut category) =
                    (complaint["id"].clone(), complaint["version"].clone(), "TD1");
                match n % 10 {
                    0 => version = json!(version.integer() + 1),
                    1 => category = "KHONG-CO",
                    2 => id = json!(if n == 2 { "no id" } else { unknown }),
                    3 => category = "TD2",
                    _ => {}
                }
                json!({ "complaintId": id, "expectedVersion": version, "category": category })
            })
            .collect();
        // The same complaint twice: the first changes its version.
        input.push(input[998].clone());
        let confirm = "mutation ($input: [ConfirmClassificationInput!]!) { confirmClassifications(input: $input) {
            confirmed position
            results { complaintId code message complaint { id version state category { code } } } } }";
        let payload = board.data_with(confirm, &json!({ "input": input }))["confirmClassifications"].clone();
        let results = payload["results"].list();
        assert_eq!(results.len(), 1_000);
        let mut confirmed = 0;
        for (n, (result, sent)) in results.iter().zip(&input).enumerate() {
            let code = match n % 10 {
                _ if n == 999 => Some("CONFLICT"),
                0 => Some("CONFLICT"),
                1 => Some("BAD_USER_INPUT"),
                2 if n == 2 => Some("BAD_USER_INPUT"),
                2 => Some("NOT_FOUND"),
                _ => None,
            };
            assert_eq!(result["complaintId"], sent["complaintId"], "{n}");
            assert_eq!(result["code"].as_str(), code, "{n}: {result}");
            assert_eq!(result["message"].is_string(), code.is_some(), "{n}: {result}");
            if code.is_none() {
                let complaint = &result["complaint"];
                assert_eq!(
                    (&complaint["state"], &complaint["category"]["code"]),
                    (&json!("CLASSIFIED"), &sent["category"])
                );
                assert_eq!(complaint["version"].integer(), sent["expectedVersion"].integer() + 1);
                confirmed += 1;
            } else {
                assert!(result["complaint"].is_null(), "{n}: {result}");
            }
        }
        assert_eq!(payload["confirmed"].integer(), confirmed);
        assert!(payload["position"].integer() > 0, "{}", payload["position"]);
        let left = queue(&board, 150);
        assert_eq!(left.len() as i64, items.len() as i64 - confirmed, "what was confirmed has left the queue");
        // A confirmed complaint keeps what was suggested for it.
        let one = results.iter().zip(&items).find(|(result, item)| result["code"].is_null() && first(item) == "TD2");
        let id = one.expect("one with a suggestion").0["complaintId"].text();
        let kept = board.data(&format!("{{ complaint(id: \"{id}\") {{ suggestions {{ category {{ code }} }} }} }}"));
        assert_eq!(kept["complaint"]["suggestions"][0]["category"]["code"], "TD2");
        // Too many, and none.
        let too_many: Vec<&Value> = input.iter().chain([&input[0]]).collect();
        for input in [json!(too_many), json!([])] {
            let refused = board.request_with(confirm, &json!({ "input": input }));
            assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{}", refused.text);
        }
    }
}

#[test]
fn a_trained_version_is_the_same_on_both_databases_and_replaces_what_rules_suggested() {
    let mut hashes = BTreeSet::new();
    for app in TestApp::both().generated(1_500, 5).arguments(&["--no-jobs"]) {
        let database = &app.database;
        // The last complaints wait again; the model learns nothing of them.
        database.tamper(
            "UPDATE complaints SET state = 'RECEIVED' WHERE id IN (SELECT id FROM complaints ORDER BY id DESC LIMIT 80)",
        );
        let by_rules = program().json(database, &["jobs", "run", "classify"]);
        assert!(by_rules["summary"]["classifier"].text().starts_with("rules-"), "{by_rules}");
        assert!(by_rules["summary"]["suggested"].integer() >= 30, "the rules of the program: {by_rules}");
        assert_eq!(program().json(database, &["classify", "list"]), json!([]));

        let train = ["classify", "train", "--seed", "7", "--rows", "1000"];
        let trained = program().json(database, &train);
        let evaluation = &trained["evaluation"];
        assert_eq!(
            (&trained["version"], &trained["examples"], &trained["stored"]),
            (&json!(1), &json!(1_000), &json!(true))
        );
        assert!(trained["available"].integer() > 1_000, "{trained}");
        assert!(evaluation["accuracy"].number() > 0.6, "{trained}");
        assert!(evaluation["accuracy"].number() > evaluation["majorityAccuracy"].number() + 0.3, "{trained}");
        assert!(evaluation["calibrationError"].number() < 0.25, "{trained}");
        let in_bins: i64 = evaluation["curve"].list().iter().map(|bin| bin["examples"].integer()).sum();
        assert_eq!(in_bins, evaluation["examples"].integer());
        hashes.insert(trained["hash"].text().to_owned());
        let again = program().json(database, &train);
        assert_eq!((&again["version"], &again["stored"], &again["hash"]), (&json!(1), &json!(false), &trained["hash"]));
        let listed = program().json(database, &["classify", "list"]);
        assert_eq!((listed.list().len(), &listed[0]["evaluation"]), (1, evaluation));

        let board = app.as_role(Role::Board);
        let truth = board.data(
            "{ complaints(first: 200, filter: {state: {eq: RECEIVED}}) {
            nodes { id category { code } suggestions { model } } } }",
        )["complaints"]["nodes"]
            .clone();
        let is_of_rules =
            |one: &Value| one["suggestions"].list().iter().all(|one| one["model"].text().starts_with("rules-"));
        assert!(truth.list().iter().all(is_of_rules), "{truth}");
        let by_model = program().json(database, &["jobs", "run", "classify"]);
        assert_eq!(by_model["summary"]["classifier"], "model-1");
        assert_eq!(by_model["summary"]["complaints"].integer(), truth.list().len() as i64);
        let items = queue(&board, 25);
        assert!(items.iter().all(|item| item["model"] == "model-1" && item["suggestions"].list().len() == 3));
        let right = |item: &&Value| {
            let own = truth.list().iter().find(|one| one["id"] == item["complaint"]["id"]).expect("the complaint");
            first(item) == own["category"]["code"].text()
        };
        let number = items.iter().filter(right).count();
        assert!(2 * number > items.len(), "{number} of {} suggestions are right", items.len());

        // Weights that somebody changed suggest nothing.
        let zeros = if database.name == "sqlite" { "zeroblob(8)" } else { "'\\x0000'::bytea" };
        database.tamper(&format!("UPDATE classifier_weights SET weights = {zeros}"));
        let refused = program().run(database, ["jobs", "run", "classify"]);
        assert!(refused.status == 1 && refused.err.contains("another hash"), "{refused:?}");
    }
    assert_eq!(hashes.len(), 1, "the same register and seed make the same weights: {hashes:?}");
}

#[test]
fn a_classifier_is_measured_on_the_register_and_on_a_file() {
    let app = TestApp::sqlite().generated(1_500, 5).start();
    let measured = program().json(&app.database, &["classify", "evaluate", "--rows", "600", "--folds", "2"]);
    let evaluation = &measured["evaluation"];
    assert_eq!(evaluation["examples"], 600, "each is held out once: {measured}");
    assert!(evaluation["accuracy"].number() > evaluation["majorityAccuracy"].number() + 0.2, "{measured}");
    assert!(evaluation["rulesAnswered"].number() > 0.2, "{measured}");
    assert_eq!(program().json(&app.database, &["classify", "list"]), json!([]), "a measurement stores nothing");

    let files = Files::new();
    let mut csv = String::from("what,other\n");
    for n in 0..240 {
        let (code, text) =
            [("01", "quát mắng hách dịch"), ("02", "hệ thống treo chậm"), ("03", "đòi tiền bồi dưỡng")][n % 3];
        let names = ["sáng", "trưa", "chiều", "tối", "đêm"][n / 3 % 5];
        let (place, end) = (["cảng", "kho", "bãi", "cổng"][n / 15 % 4], ["nay", "qua", "kia", "ấy"][n / 60 % 4]);
        csv.push_str(&format!("{code}A-{text} ở {place} {names} {end},x\n"));
    }
    csv.push_str(",y\nno code,z\n");
    let path = files.put("texts.csv", csv).display().to_string();
    let nowhere = Database::sqlite();
    let args = [
        "classify",
        "evaluate",
        "--file",
        &path,
        "--text",
        "what",
        "--category",
        "what",
        "--folds",
        "3",
        "--category-pattern",
        "^([0-9]{2})",
        "--text-pattern",
        "^[0-9]{2}[A-Z]-(.*)$",
    ];
    let measured = program().json(&nowhere, &args);
    assert_eq!((&measured["available"], &measured["leftOut"]), (&json!(240), &json!(2)), "{measured}");
    let evaluation = &measured["evaluation"];
    assert!(evaluation["accuracy"].number() > 0.95 && evaluation["examples"] == 240, "{measured}");
    let codes: Vec<&str> = evaluation["categories"].list().iter().map(|one| one["category"].text()).collect();
    assert_eq!(codes, ["01", "02", "03"]);
    let wrong =
        program().run(&nowhere, ["classify", "evaluate", "--file", &path, "--text", "nothing", "--category", "what"]);
    assert!(
        wrong.status == 1 && wrong.err.contains("there is no column \"nothing\": the file has what, other"),
        "{wrong:?}"
    );
    let alone = program().run(&nowhere, ["classify", "evaluate", "--file", &path]);
    assert_eq!(alone.status, 2, "{alone:?}");
    let small = program().run(&TestApp::sqlite().world().start().database, ["classify", "train"]);
    assert!(small.status == 1 && small.err.contains("a model needs 50 or more"), "{small:?}");
}

#[test]
fn terms_that_rise_are_told_to_the_board_alone_and_not_those_of_few_enterprises() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let companies = ["0100233488", "0314409058", "0314409058-002", "001099012345"];
        let mut rows: Vec<(String, &str, String)> = Vec::new();
        for n in 0..160_usize {
            let day = if n < 80 { "2024-09-10" } else { "2024-10-10" };
            let text = match n {
                80..120 if n % 2 == 0 => "Thu phí hạ tầng cảng biển sai",
                120..140 if n % 2 == 0 => "Mất niêm phong bí mật",
                _ => "Hồ sơ bị trả lại",
            };
            // What few enterprises write, however often.
            let company = if (120..140).contains(&n) { companies[n / 2 % 2] } else { companies[n / 2 % 4] };
            rows.push((day.to_owned(), company, format!("{text} {n}")));
        }
        import(&app.database, &rows);
        let query = "{ emergingTerms(period: {from: \"2024-10-01\", to: \"2024-10-30\"}) {
            complaints complaintsBefore tested terms { term complaints enterprises complaintsBefore expected p q } } }";
        let board = app.as_role(Role::Board);
        let found = board.data(query)["emergingTerms"].clone();
        assert_eq!((found["complaints"].integer(), found["complaintsBefore"].integer()), (80, 80), "{found}");
        let terms: BTreeSet<&str> = found["terms"].list().iter().map(|term| term["term"].text()).collect();
        assert!(terms.contains("phí hạ tầng"), "{found}");
        assert!(
            !terms.iter().any(|term| term.contains("niêm") || term.contains("hồ") || term.contains("bí")),
            "{found}"
        );
        for term in found["terms"].list() {
            assert!(term["q"].number() <= 0.05 && term["q"].number() >= term["p"].number(), "{term}");
            assert!(term["complaints"].integer() >= 5 && term["enterprises"].integer() >= 3, "{term}");
        }
        let none = "{ emergingTerms(period: {from: \"2024-10-01\", to: \"2024-10-30\"}, first: 0,
            filter: {unit: {within: \"02\"}}) { complaints terms { term } } }";
        assert_eq!(board.data(none)["emergingTerms"], json!({ "complaints": 0, "terms": [] }));
        for wrong in [
            "period: {from: \"2024-10-30\", to: \"2024-10-01\"}",
            "period: {from: \"2024-10-01\", to: \"2024-10-30\"}, before: {from: \"2024-10-01\", to: \"2024-10-02\"}",
        ] {
            assert_eq!(
                board.codes(&format!("{{ emergingTerms({wrong}) {{ tested }} }}")),
                ["BAD_USER_INPUT"],
                "{wrong}"
            );
        }
        for role in [Role::DataTeam, Role::Dashboard, Role::Admin, Role::Intake] {
            let codes = app.as_role(role).codes(query);
            assert!(!codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"), "{role}: {codes:?}");
        }
        let head = app.as_head("02CV").codes("{ complaints { nodes { suggestions { rank } } } }");
        assert!(!head.is_empty() && head.iter().all(|code| code == "FORBIDDEN"), "{head:?}");
    }
}

#[test]
fn a_member_who_is_named_classifies_no_complaint_that_names_the_member() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    app.run(&["jobs", "run", "classify"]);
    let board = app.as_role(Role::Board);
    let named = board.data(
        "{ complaints(filter: {officers: {officer: {code: {eq: \"CC03\"}}}, state: {eq: RECEIVED}}) {
        nodes { id version } } }",
    )["complaints"]["nodes"][0]
        .clone();
    let member = app.as_member("named", "CC03");
    let seen = queue(&member, 10);
    assert!(!seen.is_empty() && seen.iter().all(|item| item["complaint"]["id"] != named["id"]), "{seen:?}");
    assert!(queue(&board, 10).iter().any(|item| item["complaint"]["id"] == named["id"]));
    let confirm = "mutation ($input: [ConfirmClassificationInput!]!) {
        confirmClassifications(input: $input) { confirmed position results { code message } } }";
    let input = |id: &Value| json!({ "input": [{ "complaintId": id, "expectedVersion": named["version"], "category": "TD1" }] });
    let of_own = member.data_with(confirm, &input(&named["id"]))["confirmClassifications"].clone();
    let of_none = member.data_with(confirm, &input(&json!("00000000-0000-8000-8000-000000000000")));
    assert_eq!(of_own, of_none["confirmClassifications"], "like one that does not exist");
    assert_eq!((&of_own["confirmed"], &of_own["results"][0]["code"]), (&json!(0), &json!("NOT_FOUND")));
}
