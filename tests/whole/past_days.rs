//! Statistics as of a past day equal the statistics of a register that ends with that day.

use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::{Client, Database, Role, TestApp};

const HEADER: &str = "so_pa;ngay_nhan;mst;don_vi;can_bo;loai;ket_luan;ngay_kl;dong;chi_phi";

/// The columns: number, received, tax code, unit, officer, category, finding, decided, closed, cost.
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
        ("units", fixtures::UNITS, fixtures::UNITS_MAP),
        ("officers", fixtures::OFFICERS, fixtures::OFFICERS_MAP),
        ("categories", fixtures::CATEGORIES, fixtures::CATEGORIES_MAP),
        ("complaints", complaints.as_str(), MAP),
        ("responses", responses.as_str(), RESPONSES_MAP),
    ] {
        fixtures::import(database, kind, csv, mapping);
    }
}

const CARD: &str =
    "complaints episodes distinctEnterprises costVnd due answeredInTime open overdue medianDaysToResponse";

/// Every question that takes a day.
fn questions(day: &str) -> Vec<String> {
    let measures =
        "complaints episodes distinctEnterprises distinctOfficers costVnd shareAnsweredInTime medianDaysToResponse";
    let mut all = vec![
        format!("{{ unit(code: \"02\") {{ scorecard(days: 40, asOf: \"{day}\") {{ days {CARD} }} }} }}"),
        format!("{{ unit(code: \"02CV\") {{ scorecard(asOf: \"{day}\") {{ {CARD} }} }} }}"),
        format!("{{ officer(code: \"CC01\") {{ record(asOf: \"{day}\") {{ {CARD} }} }} }}"),
        format!("{{ officer(code: \"CC02\") {{ record(days: 60, asOf: \"{day}\") {{ {CARD} }} }} }}"),
        format!(
            "{{ responseTimeliness(level: BRANCH, asOf: \"{day}\") {{ unitCode complaints open overdue due inTime \
             medianDaysToResponse shrunkShareInTime }} }}"
        ),
        format!(
            "{{ categoryTrends(asOf: \"{day}\") {{ beforeDays categories {{ \
             categoryCode recent before expected share }} }} }}"
        ),
    ];
    for (dimension, field) in
        [("STATE", "state"), ("FINDING", "finding"), ("MONTH", "month"), ("OFFICER", "officer { code }")]
    {
        all.push(format!(
            "{{ complaintStatistics(asOf: \"{day}\", groupBy: [{dimension}]) {{ groupCount \
             totals {{ {measures} }} rows {{ {field} {measures} }} }} }}"
        ));
    }
    for filter in [
        "stateIn: [RECEIVED, ANSWERED]",
        "findingIn: [PENDING]",
        "stateIn: [CLOSED], findingIn: [SUSTAINED, EXONERATED]",
        "state: {ne: CLOSED}, finding: {in: [PENDING, SUSTAINED]}",
        "or: [{state: {eq: ANSWERED}}, {not: {finding: {eq: PENDING}}}]",
    ] {
        all.push(format!(
            "{{ complaintStatistics(asOf: \"{day}\", filter: {{{filter}}}) {{ totals {{ {measures} }} }} }}"
        ));
    }
    all
}

#[test]
fn a_past_day_is_what_a_register_says_that_ends_with_it() {
    for whole in TestApp::both().filled(|database| fill(database, None)).arguments(&["--no-jobs"]) {
        let all = whole.as_role(Role::Board);
        let today = schema::domain::calendar::local_date(schema::Timestamp::now()).to_string();
        let mut differ = 0;
        let parts = TestApp::both().arguments(&["--no-jobs"]);
        for (part, day) in parts.into_iter().zip(["2024-02-12", "2024-02-28"]) {
            fill(&part.database, Some(day));
            let ended = part.as_role(Role::Board);
            for (question, now) in questions(day).into_iter().zip(questions(&today)) {
                let [then, expected] = [all.data(&question), ended.data(&question)];
                assert_eq!(then, expected, "{question} on {}", whole.database.name);
                differ += usize::from(all.data(&now) != then);
            }
        }
        assert!(differ > 20, "past days differ from today: {differ}");
    }
}

fn state_counts(client: &Client<'_>, day: &str) -> Value {
    let query =
        format!("{{ complaintStatistics(asOf: \"{day}\", groupBy: [STATE]) {{ rows {{ state complaints }} }} }}");
    client.data(&query)["complaintStatistics"]["rows"].clone()
}

#[test]
fn steps_that_are_taken_here_count_from_their_day() {
    for app in TestApp::both().filled(|database| fill(database, None)).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let today = schema::domain::calendar::local_date(schema::Timestamp::now());
        let yesterday = today.pred_opt().unwrap().to_string();
        let before = state_counts(&board, &yesterday);
        let one = "{ complaints(filter: {sourceReference: {eq: \"7\"}}) { nodes { id version state } } }";
        let node = board.data(one)["complaints"]["nodes"][0].clone();
        assert_eq!(node["state"], "RECEIVED");
        let change =
            "mutation($input: ChangeComplaintStateInput!) { changeComplaintState(input: $input) { position } }";
        let input = json!({
            "complaintId": node["id"], "expectedVersion": node["version"], "state": "WITHDRAWN", "reason": "rút",
        });
        board.data_with(change, &json!({ "input": input }));
        let now = "{ complaintStatistics(groupBy: [STATE]) { rows { state complaints } } }";
        let shows = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            board.data(now).to_string().contains("WITHDRAWN")
        });
        assert!(shows, "today it is withdrawn");
        assert_eq!(state_counts(&board, &yesterday), before, "yesterday it was not");
        assert!(state_counts(&board, &today.to_string()).to_string().contains("WITHDRAWN"));
    }
}

#[test]
fn days_without_sense_are_refused_and_no_day_means_today() {
    let files = Files::new();
    let app = TestApp::sqlite().keyed(&files).arguments(&["--no-jobs"]).start();
    fill(&app.database, None);
    let [board, dashboard, team] = [Role::Board, Role::Dashboard, Role::DataTeam].map(|role| app.as_role(role));
    for day in ["1800-01-01", "9999-12-31", "2199-01-01", "+262142-12-31", "yesterday"] {
        for question in questions(day) {
            let answer = board.request(&question);
            assert!(!answer.codes().is_empty(), "{question}");
            assert!(answer.text.contains("asOf") || answer.text.contains("Date"), "{question}: {}", answer.text);
        }
    }
    for question in questions("2024-02-12") {
        let plain = question.replace("asOf: \"2024-02-12\", ", "").replace(", asOf: \"2024-02-12\"", "");
        let plain = plain.replace("(asOf: \"2024-02-12\")", "");
        let null = question.replace("asOf: \"2024-02-12\"", "asOf: null");
        assert!(!plain.contains("asOf"), "{plain}");
        assert_eq!(board.data(&plain), board.data(&null), "{question}");
    }
    // The smallest cells of a dashboard are months. The totals as of two successive days would tell it the complaints
    // of one day.
    for day in ["2024-01-31", "2024-02-12"] {
        let question = format!("{{ complaintStatistics(asOf: \"{day}\") {{ totals {{ complaints }} }} }}");
        let refused = dashboard.request(&question);
        assert!(refused.codes() == ["BAD_USER_INPUT"] && refused.text.contains("receivedBefore"), "{refused:?}");
        let exact = team.data(&question)["complaintStatistics"]["totals"]["complaints"].clone();
        assert_eq!(exact, if day == "2024-01-31" { 4 } else { 6 });
    }
}
