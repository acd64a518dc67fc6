//! Statistics as of a past day say what a register says into which nothing came that happened later.

use crate::program;
use crate::world::{self, Files};
use serde_json::{Value, json};
use tests::{Database, Server};

const HEADER: &str = "so_pa;ngay_nhan;mst;don_vi;can_bo;loai;ket_luan;ngay_kl;dong;chi_phi";

/// Number, received, tax code, unit, officer, category, finding, decided, closed, cost.
const COMPLAINTS: &[[&str; 10]] = &[
    ["1", "2024-01-05", "0100233488", "02CV", "CC01", "TD2", "SUSTAINED", "2024-02-20", "2024-03-02", "100"],
    ["2", "2024-01-06", "0314409058", "02CV", "CC01", "TD1", "UNFOUNDED", "2024-02-10", "", "20"],
    ["3", "2024-01-08", "0100233488", "02CV", "CC01", "TD1", "", "", "", ""],
    ["4", "2024-01-20", "", "02DS", "CC02", "TD1", "EXONERATED", "2024-03-01", "2024-03-01", "7"],
    ["5", "2024-02-07", "001099012345", "02DS", "", "HT", "", "", "2024-02-09", ""],
    ["6", "2024-02-12", "0100233488", "03TG", "CC03", "TD2", "NOT_SUSTAINED", "2024-02-28", "", "3"],
    ["7", "2024-02-25", "0314409058", "02CV", "CC01", "TD2", "", "", "", "500"],
];
const RESPONSES: &[[&str; 3]] = &[
    ["1", "02CV", "2024-01-09 09:00:00"],
    ["2", "02CV", "2024-02-15 10:00:00"],
    ["3", "02CV", "2024-02-01 23:30:00"],
    ["6", "03TG", "2024-03-03 08:00:00"],
];
const MAP: &str = r#"
source = "so"
[file]
delimiter = ";"
[fields]
reference = "so_pa"
received = "ngay_nhan"
tax_code = "mst"
unit = "don_vi"
officer = "can_bo"
category = "loai"
decided = "ngay_kl"
closed = "dong"
cost_vnd = "chi_phi"
attribution = { constant = "CONFIRMED" }
finding = { column = "ket_luan", default = "PENDING" }
"#;
const RESPONSES_MAP: &str = r#"
source = "so"
[file]
delimiter = ";"
[fields]
reference = "so_pa"
unit = "don_vi"
responded = "luc"
text = { constant = "Đã trả lời" }
"#;

/// Fills a register with what had happened by the end of a day, or with all of it.
fn fill(database: &Database, until: Option<&str>) {
    let files = Files::new();
    let by = |day: &str| until.is_none_or(|until| !day.is_empty() && &day[..10] <= until);
    let rows = COMPLAINTS.iter().filter(|row| by(row[1])).map(|row| {
        let mut row = *row;
        if !by(row[7]) {
            (row[6], row[7]) = ("", "");
        }
        if !by(row[8]) {
            row[8] = "";
        }
        row.join(";")
    });
    let complaints = [vec![HEADER.to_owned()], rows.collect()].concat().join("\n");
    let rows = RESPONSES.iter().filter(|row| by(row[2])).map(|row| row.join(";"));
    let responses = [vec!["so_pa;don_vi;luc".to_owned()], rows.collect()].concat().join("\n");
    for (kind, csv, mapping) in [
        ("units", world::UNITS, world::UNITS_MAP),
        ("officers", world::OFFICERS, world::OFFICERS_MAP),
        ("categories", world::CATEGORIES, world::CATEGORIES_MAP),
        ("complaints", complaints.as_str(), MAP),
        ("responses", responses.as_str(), RESPONSES_MAP),
    ] {
        program().run(database, files.import(kind, csv, mapping)).ok();
    }
}

const CARD: &str =
    "complaints episodes distinctEnterprises costVnd due answeredInTime open overdue medianDaysToResponse";

/// All that is answered as of a day.
fn questions(day: &str) -> Vec<String> {
    let measures =
        "complaints episodes distinctEnterprises distinctOfficers costVnd shareAnsweredInTime medianDaysToResponse";
    let mut all = vec![
        format!("{{ unit(code: \"02\") {{ scorecard(days: 40, asOf: \"{day}\") {{ days {CARD} }} }} }}"),
        format!("{{ unit(code: \"02CV\") {{ scorecard(asOf: \"{day}\") {{ {CARD} }} }} }}"),
        format!("{{ officer(code: \"CC01\") {{ record(asOf: \"{day}\") {{ {CARD} }} }} }}"),
        format!("{{ officer(code: \"CC02\") {{ record(days: 60, asOf: \"{day}\") {{ {CARD} }} }} }}"),
        format!(
            "{{ responseTimeliness(level: BRANCH, asOf: \"{day}\") {{ unitCode complaints open overdue due inTime medianDaysToResponse shrunkShareInTime }} }}"
        ),
        format!(
            "{{ categoryTrends(asOf: \"{day}\") {{ beforeDays categories {{ categoryCode recent before expected share }} }} }}"
        ),
    ];
    for (dimension, field) in
        [("STATE", "state"), ("FINDING", "finding"), ("MONTH", "month"), ("OFFICER", "officer { code }")]
    {
        all.push(format!(
            "{{ complaintStatistics(asOf: \"{day}\", groupBy: [{dimension}]) {{ groupCount totals {{ {measures} }} rows {{ {field} {measures} }} }} }}"
        ));
    }
    for filter in [
        "stateIn: [RECEIVED, ANSWERED]",
        "findingIn: [PENDING]",
        "stateIn: [CLOSED], findingIn: [SUSTAINED, EXONERATED]",
    ] {
        all.push(format!(
            "{{ complaintStatistics(asOf: \"{day}\", filter: {{{filter}}}) {{ totals {{ {measures} }} }} }}"
        ));
    }
    all
}

#[test]
fn a_past_day_is_what_a_register_says_that_ends_with_it() {
    for (whole, parts) in Database::both().into_iter().zip([Database::both(), Database::both()]) {
        fill(&whole, None);
        let board = program().token(&whole, "BOARD", None);
        let server = program().serve(&whole, &["--no-jobs"]);
        let today = schema::domain::calendar::local_date(schema::Timestamp::now()).to_string();
        let mut differ = 0;
        for (part, day) in parts.into_iter().zip(["2024-02-12", "2024-02-28"]) {
            fill(&part, Some(day));
            let own = program().token(&part, "BOARD", None);
            let ends = program().serve(&part, &["--no-jobs"]);
            for (question, now) in questions(day).into_iter().zip(questions(&today)) {
                let [then, expected] = [server.data(&board, &question), ends.data(&own, &question)];
                assert_eq!(then, expected, "{question} on {}", whole.name);
                differ += usize::from(server.data(&board, &now) != then);
            }
        }
        assert!(differ > 20, "past days differ from today: {differ}");
    }
}

fn state_counts(server: &Server, token: &str, day: &str) -> Value {
    let query =
        format!("{{ complaintStatistics(asOf: \"{day}\", groupBy: [STATE]) {{ rows {{ state complaints }} }} }}");
    server.data(token, &query)["complaintStatistics"]["rows"].clone()
}

#[test]
fn steps_that_are_taken_here_count_from_their_day() {
    for database in Database::both() {
        fill(&database, None);
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs"]);
        let today = schema::domain::calendar::local_date(schema::Timestamp::now());
        let yesterday = today.pred_opt().unwrap().to_string();
        let before = state_counts(&server, &board, &yesterday);
        let one = "{ complaints(filter: {sourceReference: {eq: \"7\"}}) { nodes { id version state } } }";
        let node = server.data(&board, one)["complaints"]["nodes"][0].clone();
        assert_eq!(node["state"], "RECEIVED");
        let change =
            "mutation($input: ChangeComplaintStateInput!) { changeComplaintState(input: $input) { position } }";
        let input = json!({ "complaintId": node["id"], "expectedVersion": node["version"], "state": "WITHDRAWN", "reason": "rút" });
        server.data_with(&board, change, &json!({ "input": input }));
        let now = "{ complaintStatistics(groupBy: [STATE]) { rows { state complaints } } }";
        let shows = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            server.data(&board, now).to_string().contains("WITHDRAWN")
        });
        assert!(shows, "today it is withdrawn");
        assert_eq!(state_counts(&server, &board, &yesterday), before, "yesterday it was not");
        assert!(state_counts(&server, &board, &today.to_string()).to_string().contains("WITHDRAWN"));
    }
}

#[test]
fn days_without_sense_are_refused_and_no_day_means_today() {
    let database = Database::sqlite();
    fill(&database, None);
    let [board, dashboard, team] =
        ["BOARD", "DASHBOARD", "DATA_TEAM"].map(|role| program().token(&database, role, None));
    let files = Files::new();
    let key = files.path().join("key").display().to_string();
    program().run(&database, ["key", "create", &key]).ok();
    let server = program().serve(&database, &["--no-jobs", "--key-file", &key]);
    for day in ["1800-01-01", "9999-12-31", "2199-01-01", "+262142-12-31", "yesterday"] {
        for question in questions(day) {
            let answer = server.graphql(&board, &question, &json!({}));
            assert!(!answer.codes().is_empty(), "{question}");
            assert!(answer.text.contains("asOf") || answer.text.contains("Date"), "{question}: {}", answer.text);
        }
    }
    for question in questions("2024-02-12") {
        let plain = question.replace("asOf: \"2024-02-12\", ", "").replace(", asOf: \"2024-02-12\"", "");
        let plain = plain.replace("(asOf: \"2024-02-12\")", "");
        let null = question.replace("asOf: \"2024-02-12\"", "asOf: null");
        assert!(!plain.contains("asOf"), "{plain}");
        assert_eq!(server.data(&board, &plain), server.data(&board, &null), "{question}");
    }
    // Two days that follow one another would tell of the complaints of one day, to whom months are the smallest cells.
    for day in ["2024-01-31", "2024-02-12"] {
        let question = format!("{{ complaintStatistics(asOf: \"{day}\") {{ totals {{ complaints }} }} }}");
        let refused = server.graphql(&dashboard, &question, &json!({}));
        assert!(refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains("receivedBefore"), "{refused:?}");
        let exact = server.data(&team, &question)["complaintStatistics"]["totals"]["complaints"].clone();
        assert_eq!(exact, if day == "2024-01-31" { 4 } else { 6 });
    }
}
