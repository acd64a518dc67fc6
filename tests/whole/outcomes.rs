//! What became of complaints about an officer since a measure, by workload and beside officers without one: a frame
//! worked out by hand.

use serde_json::{Value, json};
use tests::work::Mutations;
use tests::{Client, Database, Json, Role, TestApp, fixtures};

/// Episodes of the officers K0 to K6 in the 30 days before 1 March 2024 and in the 30 days from then on. About K0 and
/// K6 measures start on that day; K1 to K5 are at the level of K0.
const EPISODES: [(u32, u32); 7] = [(2, 1), (2, 1), (2, 0), (2, 1), (2, 1), (2, 0), (2, 9)];

/// The small world with these officers. Each handles 100 declarations a day.
fn with_officers(database: &Database) {
    fixtures::fill(database);
    let import = |kind: &str, csv: String, mapping: &str| {
        fixtures::import(database, kind, csv, mapping);
    };
    let each = |line: &dyn Fn(usize) -> String| (0..EPISODES.len()).map(line).collect::<String>();
    import(
        "officers",
        fixtures::OFFICERS.to_owned() + &each(&|n| format!("K{n},Cán bộ {n}\n")),
        fixtures::OFFICERS_MAP,
    );
    let postings = each(&|n| format!("K{n},02CV,01/01/2020,\n"));
    import("postings", fixtures::POSTINGS.to_owned() + &postings, fixtures::POSTINGS_MAP);
    let workload =
        each(&|n| format!("02CV,K{n},2024-01-01,3100\n02CV,K{n},2024-02-01,2900\n02CV,K{n},2024-03-01,3100\n"));
    let mapping = "source = \"them\"\n[fields]\nunit = \"dv\"\nofficer = \"cb\"\ndeclarations = \"so\"\n\
        month = { column = \"thang\", format = \"%Y-%m-%d\" }\n";
    import("workload", format!("dv,cb,thang,so\n{workload}"), mapping);
    // Anonymous complaints: each is an episode of its own.
    let header = fixtures::COMPLAINTS.lines().next().unwrap();
    let complaint = |n: usize, month: u32, nth: u32| {
        let day = 10 + nth;
        format!("KN-{n}-{month}-{nth};{day}/{month:02}/2024;;;02CV;K{n};TD1;;;;;Khó chịu {n} {month} {nth};\n")
    };
    let complaints = each(&|n| {
        let (before, after) = EPISODES[n];
        let before = (0..before).map(|nth| complaint(n, 2, nth));
        before.chain((0..after).map(|nth| complaint(n, 3, nth))).collect()
    });
    import("complaints", format!("{header}\n{complaints}"), fixtures::COMPLAINTS_MAP);
}

fn record(head: &Client<'_>, officer: &str, kind: &str) {
    let input = json!({
        "officer": officer, "kind": kind, "grounds": "x", "decisionMaker": "x", "decidedOn": "2024-03-01",
        "noBasisReason": "x",
    });
    head.done("recordMeasure", "position", &input);
}

fn outcome_of(client: &Client<'_>, officer: &str) -> Value {
    let query = format!(
        "{{ measures(filter: {{officer: {{code: {{eq: \"{officer}\"}}}}}}) {{ nodes {{ outcome(days: 30) {{
            before {{ from until episodes }} after {{ from until episodes }}
            workload {{ basis before {{ exposure rate }} after {{ exposure rate }} rateRatio {{ ratio lower upper }}
                peers {{ officers episodesFrom episodesUntil before {{ exposure rate }} after {{ exposure rate }}
                    rateRatio {{ ratio }} expectedEpisodes rateRatioToPeers {{ ratio }} }} }} }} }} }} }}"
    );
    client.data(&query)["measures"]["nodes"][0]["outcome"].clone()
}

#[track_caller]
fn near(found: &Value, expected: f64) {
    assert!((found.number() - expected).abs() < 1e-9, "{found} is not {expected}");
}

#[test]
fn an_outcome_is_told_by_workload_and_beside_officers_without_a_measure() {
    for app in TestApp::both().filled(with_officers).arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
        record(&head, "K0", "REASSIGNMENT");
        record(&head, "K6", "FORMAL_REVIEW");
        let outcome = outcome_of(&board, "K0");
        assert_eq!(outcome["before"], json!({ "from": "2024-01-31", "until": "2024-02-29", "episodes": 2 }));
        assert_eq!(outcome["after"], json!({ "from": "2024-03-01", "until": "2024-03-30", "episodes": 1 }));
        let workload = &outcome["workload"];
        assert_eq!(workload["basis"], "DECLARATIONS");
        // One day of January and 29 of February, then 30 of March, with 100 declarations each.
        near(&workload["before"]["exposure"], 3_000.0);
        near(&workload["before"]["rate"], 2.0 / 3.0);
        near(&workload["after"]["exposure"], 3_000.0);
        near(&workload["after"]["rate"], 1.0 / 3.0);
        near(&workload["rateRatio"]["ratio"], 0.5);
        // K1 to K5 fell from 10 episodes to 3 without a measure: K6, who got one, is not among them.
        let peers = &workload["peers"];
        let level = [&peers["officers"], &peers["episodesFrom"], &peers["episodesUntil"]].map(Json::integer);
        assert_eq!(level, [5, 2, 2]);
        near(&peers["before"]["exposure"], 15_000.0);
        near(&peers["before"]["rate"], 2.0 / 3.0);
        near(&peers["after"]["rate"], 0.2);
        near(&peers["rateRatio"]["ratio"], 0.3);
        near(&peers["expectedEpisodes"], 0.6);
        near(&peers["rateRatioToPeers"]["ratio"], 1.0 / 0.6);
        // A head sees only some of the complaints: the officer's own numbers, and no others to compare with.
        let own = outcome_of(&head, "K0");
        near(&own["workload"]["rateRatio"]["ratio"], 0.5);
        assert_eq!(own["workload"]["peers"], Value::Null);
        record(&app.as_head("02DS"), "CC02", "FORMAL_REVIEW");
        assert_eq!(outcome_of(&board, "CC02")["workload"], Value::Null, "no workload of CC02 is known");
    }
}
