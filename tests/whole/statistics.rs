//! `complaintStatistics`: what SQL counts, on both databases, also while others write.

use crate::graphql::worlds;
use crate::program;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::Conn;
use serde_json::{Value, json};
use std::sync::Mutex;
use tests::{Database, Server};

#[derive(QueryableByName, Debug, PartialEq)]
struct Counted {
    #[diesel(sql_type = Text)]
    branch: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    complaints: i64,
    #[diesel(sql_type = BigInt)]
    enterprises: i64,
    #[diesel(sql_type = BigInt)]
    officers: i64,
    #[diesel(sql_type = BigInt)]
    cost: i64,
    #[diesel(sql_type = Double)]
    delay: f64,
}

const SQL: &str = "
    SELECT coalesce(b.code, '') AS branch, c.state, count(DISTINCT c.id) AS complaints,
        count(DISTINCT coalesce(e.group_code, CASE WHEN e.tax_code LIKE '%-%' THEN substr(e.tax_code, 1, 10) ELSE e.tax_code END)) AS enterprises,
        count(DISTINCT o.officer_id) AS officers,
        (SELECT coalesce(sum(x.cost_vnd), 0) FROM complaints x WHERE x.state = c.state AND coalesce(x.branch_id, x.id) IN (c.branch_id) OR x.state = c.state AND x.branch_id IS NULL AND c.branch_id IS NULL) AS cost,
        CAST((SELECT coalesce(sum(x.delay_hours), 0) FROM complaints x WHERE x.state = c.state AND coalesce(x.branch_id, x.id) IN (c.branch_id) OR x.state = c.state AND x.branch_id IS NULL AND c.branch_id IS NULL) AS DOUBLE PRECISION) AS delay
    FROM complaints c LEFT JOIN units b ON b.id = c.branch_id LEFT JOIN enterprises e ON e.id = c.enterprise_id
        LEFT JOIN complaint_officers o ON o.complaint_id = c.id
    GROUP BY c.branch_id, b.code, c.state";

fn by_sql(database: &Database) -> Vec<Counted> {
    let sql = format!(
        "SELECT branch, state, complaints, enterprises, officers, CAST(cost AS BIGINT) AS cost, delay FROM ({SQL}) AS counted ORDER BY branch, state"
    );
    let db = database.open();
    db.read(|conn| {
        Ok(match conn {
            Conn::Pg(c) => diesel::sql_query(&sql).load::<Counted>(c)?,
            Conn::Sqlite(c) => diesel::sql_query(&sql).load::<Counted>(c)?,
        })
    })
    .unwrap()
}

fn by_snapshot(server: &Server, token: &str, position: i64) -> Vec<Counted> {
    let query = "query($p: Int) { complaintStatistics(groupBy: [BRANCH, STATE], minPosition: $p, first: 5000) { position truncated rows {
        branch { code } state complaints distinctEnterprises distinctOfficers costVnd delayHours } } }";
    let data = server.data_with(token, query, &json!({ "p": position }));
    let answer = &data["complaintStatistics"];
    assert!(answer["position"].as_i64().unwrap() >= position && answer["truncated"] == false, "{answer}");
    let mut rows: Vec<Counted> = answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| Counted {
            branch: row["branch"]["code"].as_str().unwrap_or_default().to_owned(),
            state: row["state"].as_str().unwrap().to_owned(),
            complaints: row["complaints"].as_i64().unwrap(),
            enterprises: row["distinctEnterprises"].as_i64().unwrap(),
            officers: row["distinctOfficers"].as_i64().unwrap(),
            cost: row["costVnd"].as_str().unwrap().parse().unwrap(),
            delay: row["delayHours"].as_f64().unwrap(),
        })
        .collect();
    rows.sort_by(|a, b| (&a.branch, &a.state).cmp(&(&b.branch, &b.state)));
    rows
}

/// Sums of decimals depend on their order in the last places.
fn same(a: &[Counted], b: &[Counted]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert!((a.delay - b.delay).abs() < 1e-6 * a.delay.max(1.0), "{a:?} {b:?}");
        assert_eq!(
            (&a.branch, &a.state, a.complaints, a.enterprises, a.officers, a.cost),
            (&b.branch, &b.state, b.complaints, b.enterprises, b.officers, b.cost)
        );
    }
}

#[test]
fn the_snapshot_is_what_sql_counts_after_random_writes_through_two_nodes() {
    for database in Database::both() {
        program().run(&database, ["generate", "--complaints", "2000", "--seed", "11"]).ok();
        let (board, intake) = (program().token(&database, "BOARD", None), program().token(&database, "INTAKE", None));
        let [one, two] = [0, 1].map(|_| program().serve(&database, &["--no-jobs"]));
        same(&by_sql(&database), &by_snapshot(&one, &board, 0));
        let units = one.data(&board, "{ units(first: 100, filter: {kind: {eq: BRANCH}}) { nodes { code } } officers(first: 50) { nodes { code } } enterprises(first: 50) { nodes { taxCode } } }");
        let codes = |list: &str, field: &str| -> Vec<String> {
            units[list]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node[field].as_str().unwrap().to_owned())
                .collect()
        };
        let (branches, officers, enterprises) =
            (codes("units", "code"), codes("officers", "code"), codes("enterprises", "taxCode"));
        let last = Mutex::new(0);
        std::thread::scope(|scope| {
            for (writer, server) in [(1u64, &one), (2, &two), (3, &one), (4, &two)] {
                let (branches, officers, enterprises, last, intake, database) =
                    (&branches, &officers, &enterprises, &last, &intake, &database);
                scope.spawn(move || {
                    let mut chance = ChaCha8Rng::seed_from_u64(writer);
                    for n in 0..12 {
                        let branch = &branches[chance.random_range(0..branches.len())];
                        let some: Vec<&String> = (0..chance.random_range(0..3)).map(|_| &officers[chance.random_range(0..officers.len())]).collect();
                        let input = json!({
                            "idempotencyKey": format!("{writer}-{n}"), "text": "chờ lâu", "unit": branch,
                            "officers": some, "costVnd": chance.random_range(0..9_000_000i64).to_string(), "delayHours": 1.5,
                            "taxCode": if n % 3 == 0 { Value::Null } else { json!(enterprises[chance.random_range(0..enterprises.len())]) },
                        });
                        let submit = "mutation($input: SubmitComplaintInput!) { submitComplaint(input: $input) { id version position } }";
                        let receipt = server.data_with(intake, submit, &json!({ "input": input }))["submitComplaint"].clone();
                        let mut position = receipt["position"].as_i64().unwrap();
                        if n % 4 == 1 {
                            let name = format!("head {writer} {n}");
                            let token = program().json(database, &["token", "create", "--name", &name, "--role", "UNIT_HEAD", "--unit", branch])["token"].as_str().unwrap().to_owned();
                            let respond = "mutation($input: RespondToComplaintInput!) { respondToComplaint(input: $input) { position } }";
                            let input = json!({ "complaintId": receipt["id"], "expectedVersion": receipt["version"], "action": "EXPLANATION", "text": "đã trả lời" });
                            position = server.data_with(&token, respond, &json!({ "input": input }))["respondToComplaint"]["position"].as_i64().unwrap();
                        }
                        let mut last = last.lock().unwrap();
                        *last = position.max(*last);
                    }
                });
            }
        });
        let last = *last.lock().unwrap();
        let expected = by_sql(&database);
        assert_eq!(expected.iter().map(|row| row.complaints).sum::<i64>(), 2048);
        for server in [&one, &two] {
            same(&expected, &by_snapshot(server, &board, last));
        }
    }
}

#[test]
fn every_dimension_and_measure_is_alike_on_both_databases() {
    let dimensions = "DEPARTMENT BRANCH TEAM UNIT OFFICER ENTERPRISE CATEGORY KIND CHANNEL STATE FINDING DAY WEEK MONTH QUARTER YEAR";
    let measures =
        "complaints episodes distinctEnterprises distinctOfficers costVnd shareAnsweredInTime medianDaysToResponse";
    let answers = Database::both().map(|database| {
        program().run(&database, ["generate", "--complaints", "1500", "--seed", "5"]).ok();
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs"]);
        let of = |dimensions: &str| {
            let query = format!(
                "{{ complaintStatistics(groupBy: [{dimensions}], orderBy: [{{field: COMPLAINTS}}], first: 3000) {{ groupCount totals {{ {measures} }} rows {{
                department {{ code }} branch {{ code }} team {{ code }} unit {{ code }} officer {{ code }} enterprise {{ taxCode }} category {{ code }} kind channel state finding day week month quarter year {measures} }} }} }}"
            );
            server.data(&board, &query)["complaintStatistics"].clone()
        };
        let mut all: Vec<Value> = dimensions.split(' ').map(of).collect();
        all.push(of("DEPARTMENT, KIND, YEAR"));
        all.push(of("OFFICER, FINDING"));
        for answer in &mut all {
            // Groups of as many complaints stand in the order of places, which the databases number as they like.
            let rows = answer["rows"].as_array_mut().unwrap();
            rows.sort_by_key(ToString::to_string);
            let complaints: i64 = rows.iter().map(|row| row["complaints"].as_i64().unwrap()).sum();
            assert!(complaints >= answer["totals"]["complaints"].as_i64().unwrap(), "{answer}");
            assert_eq!(answer["totals"]["complaints"], 1500);
            assert_eq!(json!(answer["rows"].as_array().unwrap().len()), answer["groupCount"]);
        }
        all
    });
    for (sqlite, postgres) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(sqlite, postgres);
    }
    // A complaint that names two officers counts for both, and once together.
    let by_officer: i64 =
        answers[0][4]["rows"].as_array().unwrap().iter().map(|row| row["complaints"].as_i64().unwrap()).sum();
    assert!(by_officer > 1500, "{by_officer}");
    let one = &answers[0][4]["totals"];
    assert!(one["episodes"].as_i64().unwrap() < 1500 && one["distinctOfficers"].as_i64().unwrap() > 100, "{one}");
}

#[test]
fn time_is_filled_compared_cut_and_kept_as_asked() {
    for world in worlds() {
        let ask = |arguments: &str, fields: &str| {
            let query = format!("{{ complaintStatistics({arguments}) {{ {fields} }} }}");
            world.server.data(&world.board, &query)["complaintStatistics"].clone()
        };
        let year = "receivedFrom: \"2024-01-01T00:00:00+07:00\", receivedBefore: \"2024-05-01T00:00:00+07:00\"";
        let filled =
            ask(&format!("filter: {{{year}}}, groupBy: [MONTH], fill: true"), "rows { month complaints } groupCount");
        assert_eq!(
            filled["rows"],
            json!([
                { "month": "2024-01", "complaints": 2 }, { "month": "2024-02", "complaints": 2 },
                { "month": "2024-03", "complaints": 2 }, { "month": "2024-04", "complaints": 0 }
            ])
        );
        let weeks = ask(&format!("filter: {{{year}}}, groupBy: [WEEK], fill: true"), "rows { week complaints }");
        assert_eq!(weeks["rows"].as_array().unwrap().len(), 18);
        assert_eq!(weeks["rows"][0], json!({ "week": "2024-01-01", "complaints": 2 }), "5 and 6 January");

        // PA-1 and PA-2 of January against nothing; February against January.
        let february =
            "filter: {receivedFrom: \"2024-02-01T00:00:00+07:00\", receivedBefore: \"2024-03-01T00:00:00+07:00\"}";
        let compared = ask(
            &format!("{february}, compare: PREVIOUS_PERIOD, groupBy: [MONTH]"),
            "totals { complaints } totalsBefore { complaints costVnd } rows { month complaints previous { complaints costVnd } }",
        );
        assert_eq!(compared["totalsBefore"], json!({ "complaints": 2, "costVnd": "1250000" }));
        assert_eq!(
            compared["rows"],
            json!([{ "month": "2024-02", "complaints": 2, "previous": { "complaints": 2, "costVnd": "1250000" } }])
        );
        let next_year =
            "filter: {receivedFrom: \"2025-01-01T00:00:00+07:00\", receivedBefore: \"2025-04-01T00:00:00+07:00\"}";
        let compared = ask(
            &format!("{next_year}, compare: PREVIOUS_YEAR, groupBy: [QUARTER], fill: true"),
            "rows { quarter complaints previous { complaints } } totalsBefore { complaints }",
        );
        assert_eq!(
            compared["rows"],
            json!([{ "quarter": "2025-Q1", "complaints": 0, "previous": { "complaints": 6 } }])
        );
        let gone = ask(
            &format!("{next_year}, compare: PREVIOUS_YEAR, groupBy: [BRANCH]"),
            "rows { branch { code } complaints previous { complaints } }",
        );
        assert_eq!(gone["rows"].as_array().unwrap().len(), 3, "what there was then and is not any more: {gone}");
        assert_eq!(compared["totalsBefore"]["complaints"], 6);

        // What is cut off comes together, its enterprises counted anew: A stands in both, B in two.
        let top = ask(
            "groupBy: [BRANCH], orderBy: [{field: COMPLAINTS}], first: 1, other: true",
            "truncated groupCount rows { branch { code } isOther complaints distinctEnterprises } endCursor",
        );
        assert_eq!(
            top["rows"],
            json!([
                { "branch": { "code": "02CV" }, "isOther": false, "complaints": 4, "distinctEnterprises": 3 },
                { "branch": null, "isOther": true, "complaints": 2, "distinctEnterprises": 1 }
            ]),
        );
        assert_eq!((&top["truncated"], &top["groupCount"]), (&json!(true), &json!(3)));
        let after = top["endCursor"].as_str().unwrap();
        let next = ask(
            &format!("groupBy: [BRANCH], orderBy: [{{field: COMPLAINTS}}], after: \"{after}\""),
            "truncated rows { branch { code } }",
        );
        assert_eq!(
            next,
            json!({ "truncated": false, "rows": [{ "branch": { "code": "02DS" } }, { "branch": { "code": "03TG" } }] })
        );

        let having = |condition: &str| {
            ask(&format!("groupBy: [DAY], having: {condition}"), "rows { day }")["rows"].as_array().unwrap().len()
        };
        assert_eq!(having("{costVnd: {gt: \"400000\"}}"), 2);
        assert_eq!(having("{or: [{costVnd: {gt: \"400000\"}}, {distinctEnterprises: {eq: 0}}]}"), 3);
        assert_eq!(having("{not: {complaints: {gte: 1}}}"), 0);
        assert_eq!(having("{medianDaysToResponse: {isNull: true}}"), 4);

        let future = world.server.graphql(
            &world.board,
            "{ complaintStatistics(minPosition: 2000000000) { position } }",
            &json!({}),
        );
        assert_eq!(future.codes(), ["BAD_USER_INPUT"], "a position that nobody was given: {future:?}");
        // Where clocks go forward at midnight the week before is still a week.
        let week = "filter: {receivedFrom: \"2024-04-07T00:00:00+03:00\", receivedBefore: \"2024-04-14T00:00:00+03:00\"}, timezone: \"Asia/Beirut\", compare: PREVIOUS_PERIOD";
        assert_eq!(ask(week, "totalsBefore { complaints }")["totalsBefore"]["complaints"], 0);
        let ages = "{ complaintStatistics(filter: {receivedFrom: \"0001-01-01T00:00:00Z\", receivedBefore: \"5000-01-01T00:00:00Z\"}, groupBy: [DAY], fill: true) { groupCount } }";
        assert_eq!(
            world.server.graphql(&world.board, ages, &json!({})).codes(),
            ["BAD_USER_INPUT"],
            "a million empty days"
        );
        // Received at 0:00 in Vietnam, which is the evening before in Europe.
        let berlin = ask("groupBy: [DAY], timezone: \"Europe/Berlin\", first: 1", "rows { day }");
        assert_eq!(berlin["rows"], json!([{ "day": "2024-01-04" }]));
    }
}

#[test]
fn a_dashboard_sees_no_small_group() {
    for database in Database::both() {
        program().run(&database, ["generate", "--complaints", "3000", "--seed", "9"]).ok();
        let (board, dashboard) =
            (program().token(&database, "BOARD", None), program().token(&database, "DASHBOARD", None));
        let server = program().serve(&database, &["--no-jobs"]);
        let query = "{ complaintStatistics(groupBy: [DEPARTMENT, CATEGORY], first: 5000) { totals { complaints } rows { department { code } category { code } suppressed complaints distinctEnterprises costVnd } } }";
        let whole = server.data(&board, query)["complaintStatistics"].clone();
        let shown = server.data(&dashboard, query)["complaintStatistics"].clone();
        assert!((shown["totals"]["complaints"].as_i64().unwrap() - 3000).abs() <= 6, "{}", shown["totals"]);
        let key = |row: &Value| (row["department"]["code"].to_string(), row["category"]["code"].to_string());
        let by_key = |answer: &Value| -> std::collections::BTreeMap<_, Value> {
            answer["rows"].as_array().unwrap().iter().map(|row| (key(row), row.clone())).collect()
        };
        let (whole, shown) = (by_key(&whole), by_key(&shown));
        assert!(shown.keys().all(|key| whole.contains_key(key)), "nothing is shown that is not there");
        let (mut hidden, mut left_out, mut same, mut small) = (0, 0, 0, 0);
        for (key, whole) in &whole {
            let (complaints, enterprises) =
                (whole["complaints"].as_i64().unwrap(), whole["distinctEnterprises"].as_i64().unwrap());
            let is_small = complaints < 5 || enterprises < 3;
            small += i64::from(is_small);
            let Some(shown) = shown.get(key) else {
                // What would be rounded to nothing is not listed.
                left_out += 1;
                continue;
            };
            assert!(!is_small || shown["suppressed"] == true, "{whole} {shown}");
            if shown["suppressed"] == true {
                hidden += 1;
                assert!(
                    ["complaints", "distinctEnterprises", "costVnd"].iter().all(|field| shown[*field].is_null()),
                    "{shown}"
                );
            } else {
                let (of_shown, enterprises_shown) =
                    (shown["complaints"].as_i64().unwrap(), shown["distinctEnterprises"].as_i64().unwrap());
                assert!(of_shown % 5 == 0 && (of_shown - complaints).abs() <= 6, "{whole} {shown}");
                // Enterprises of confidential complaints alone are not counted.
                assert!(enterprises_shown <= enterprises + 3, "{whole} {shown}");
                assert!(whole["costVnd"] == "0" || shown["costVnd"] != whole["costVnd"], "{whole} {shown}");
                same += i64::from(of_shown == complaints);
            }
        }
        assert!(hidden > 10 && left_out > 10, "{hidden} {left_out}");
        // Confidential complaints do not count for what is shown.
        assert!(hidden + left_out - small <= 12, "{hidden} {left_out} {small}");
        assert!(same * 2 < i64::try_from(shown.len()).unwrap() - hidden, "{same}: few are shown as they are");
        // What leaves the house is shown from 10 complaints on.
        let outside = program()
            .json(&database, &["token", "create", "--name", "web", "--role", "DASHBOARD", "--outside"])["token"]
            .as_str()
            .unwrap()
            .to_owned();
        let of_outside = by_key(&server.data(&outside, query)["complaintStatistics"]);
        for (key, row) in of_outside.iter().filter(|(_, row)| row["suppressed"] == false) {
            let (of_shown, complaints) =
                (row["complaints"].as_i64().unwrap(), whole[key]["complaints"].as_i64().unwrap());
            assert!(
                complaints >= 10 && of_shown % 10 == 0 && (of_shown - complaints).abs() <= 13,
                "{row} {complaints}"
            );
        }
        let smallest = |rows: &std::collections::BTreeMap<_, Value>| {
            rows.values().filter_map(|row| row["complaints"].as_i64()).min()
        };
        assert_eq!((smallest(&shown), smallest(&of_outside)), (Some(5), Some(10)));
        let then = "filter: {receivedFrom: \"2025-01-01T00:00:00+07:00\", receivedBefore: \"2026-01-01T00:00:00+07:00\"}, compare: PREVIOUS_YEAR, groupBy: [DEPARTMENT, CATEGORY], first: 5000";
        let previous = |token: &str| {
            server.data(
                token,
                &format!(
                    "{{ complaintStatistics({then}) {{ rows {{ previous {{ complaints distinctEnterprises }} }} }} }}"
                ),
            )["complaintStatistics"]["rows"]
                .clone()
        };
        let small = |rows: &Value| {
            rows.as_array()
                .unwrap()
                .iter()
                .filter(|row| (1..5).contains(&row["previous"]["complaints"].as_i64().unwrap_or(0)))
                .count()
        };
        assert!(small(&previous(&board)) > 10);
        assert_eq!(small(&previous(&dashboard)), 0, "small groups of the time before are hidden as well");
        // Neither order nor condition tells what is hidden.
        let kept = "{ complaintStatistics(groupBy: [DEPARTMENT, CATEGORY], having: {complaints: {lt: 5}}, first: 5000) { groupCount } }";
        assert_eq!(server.data(&dashboard, kept)["complaintStatistics"]["groupCount"], 0);
        for denied in [
            "groupBy: [OFFICER]",
            "groupBy: [ENTERPRISE]",
            "groupBy: [FINDING]",
            "groupBy: [DAY]",
            "filter: {officerIn: [\"x\"]}",
            "filter: {enterpriseIn: [\"x\"]}",
        ] {
            let answer =
                server.graphql(&dashboard, &format!("{{ complaintStatistics({denied}) {{ position }} }}"), &json!({}));
            assert_eq!(answer.codes(), ["FORBIDDEN"], "{denied}: {answer:?}");
            let variables = "query($d: [StatisticsDimension!]) { complaintStatistics(groupBy: $d) { position } }";
            assert_eq!(server.graphql(&dashboard, variables, &json!({ "d": ["OFFICER"] })).codes(), ["FORBIDDEN"]);
        }
        let day = "{ complaintStatistics(filter: {receivedFrom: \"2024-02-02T00:00:00+07:00\"}) { position } }";
        assert_eq!(server.graphql(&dashboard, day, &json!({})).codes(), ["BAD_USER_INPUT"], "whole months only");
    }
}
