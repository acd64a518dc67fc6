//! `complaintStatistics` counts what SQL counts, on both databases, also while other clients write.

use crate::program;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Text};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::Conn;
use serde_json::{Value, json};
use std::sync::Mutex;
use tests::{Database, Json, Role, Server, TestApp};

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
        count(DISTINCT coalesce(e.group_code,
            CASE WHEN e.tax_code LIKE '%-%' THEN substr(e.tax_code, 1, 10) ELSE e.tax_code END)) AS enterprises,
        count(DISTINCT o.officer_id) AS officers,
        (SELECT coalesce(sum(x.cost_vnd), 0) FROM complaints x
            WHERE x.state = c.state AND coalesce(x.branch_id, x.id) IN (c.branch_id)
                OR x.state = c.state AND x.branch_id IS NULL AND c.branch_id IS NULL) AS cost,
        CAST((SELECT coalesce(sum(x.delay_hours), 0) FROM complaints x
            WHERE x.state = c.state AND coalesce(x.branch_id, x.id) IN (c.branch_id)
                OR x.state = c.state AND x.branch_id IS NULL AND c.branch_id IS NULL) AS DOUBLE PRECISION) AS delay
    FROM complaints c LEFT JOIN units b ON b.id = c.branch_id LEFT JOIN enterprises e ON e.id = c.enterprise_id
        LEFT JOIN complaint_officers o ON o.complaint_id = c.id
    GROUP BY c.branch_id, b.code, c.state";

fn by_sql(database: &Database) -> Vec<Counted> {
    let sql = format!(
        "SELECT branch, state, complaints, enterprises, officers, CAST(cost AS BIGINT) AS cost, delay
         FROM ({SQL}) AS counted ORDER BY branch, state"
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
    let query = "query($p: Int) { complaintStatistics(groupBy: [BRANCH, STATE], minPosition: $p, first: 5000) {
        position truncated
        rows { branch { code } state complaints distinctEnterprises distinctOfficers costVnd delayHours } } }";
    let data = server.data_with(token, query, &json!({ "p": position }));
    let answer = &data["complaintStatistics"];
    assert!(answer["position"].integer() >= position && answer["truncated"] == false, "{answer}");
    let mut rows: Vec<Counted> = answer["rows"]
        .list()
        .iter()
        .map(|row| Counted {
            branch: row["branch"]["code"].as_str().unwrap_or_default().to_owned(),
            state: row["state"].text().to_owned(),
            complaints: row["complaints"].integer(),
            enterprises: row["distinctEnterprises"].integer(),
            officers: row["distinctOfficers"].integer(),
            cost: row["costVnd"].text().parse().unwrap(),
            delay: row["delayHours"].number(),
        })
        .collect();
    rows.sort_by(|a, b| (&a.branch, &a.state).cmp(&(&b.branch, &b.state)));
    rows
}

/// Compares the counts. A sum of decimals may differ in its last places, because it depends on their order.
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
        let units = one.data(
            &board,
            "{ units(first: 100, filter: {kind: {eq: BRANCH}}) { nodes { code } }
               officers(first: 50) { nodes { code } } enterprises(first: 50) { nodes { taxCode } } }",
        );
        let codes = |list: &str, field: &str| -> Vec<String> {
            units[list]["nodes"].list().iter().map(|node| node[field].text().to_owned()).collect()
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
                        let some: Vec<&String> = (0..chance.random_range(0..3))
                            .map(|_| &officers[chance.random_range(0..officers.len())])
                            .collect();
                        let input = json!({
                            "idempotencyKey": format!("{writer}-{n}"), "text": "chờ lâu", "unit": branch,
                            "officers": some, "costVnd": chance.random_range(0..9_000_000i64).to_string(),
                            "delayHours": 1.5,
                            "taxCode": if n % 3 == 0 {
                                Value::Null
                            } else {
                                json!(enterprises[chance.random_range(0..enterprises.len())])
                            },
                        });
                        let submit = "mutation($input: SubmitComplaintInput!) {
                            submitComplaint(input: $input) { id version position } }";
                        let sent = server.data_with(intake, submit, &json!({ "input": input }));
                        let receipt = sent["submitComplaint"].clone();
                        let mut position = receipt["position"].integer();
                        if n % 4 == 1 {
                            let name = format!("head {writer} {n}");
                            let head = ["--name", &name, "--role", "UNIT_HEAD", "--unit", branch];
                            let token = program().token_by(database, &head);
                            let respond = "mutation($input: RespondToComplaintInput!) {
                                respondToComplaint(input: $input) { position } }";
                            let input = json!({
                                "complaintId": receipt["id"], "expectedVersion": receipt["version"],
                                "action": "EXPLANATION", "text": "đã trả lời"
                            });
                            let sent = server.data_with(&token, respond, &json!({ "input": input }));
                            position = sent["respondToComplaint"]["position"].integer();
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
    let dimensions = "DEPARTMENT BRANCH TEAM UNIT OFFICER ENTERPRISE CATEGORY KIND CHANNEL STATE FINDING \
                      DAY WEEK MONTH QUARTER YEAR";
    let measures =
        "complaints episodes distinctEnterprises distinctOfficers costVnd shareAnsweredInTime medianDaysToResponse";
    let mut answers = Vec::new();
    for app in TestApp::both().generated(1500, 5).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let of = |dimensions: &str| {
            let query = format!(
                "{{ complaintStatistics(groupBy: [{dimensions}], orderBy: [{{field: COMPLAINTS}}], first: 3000) {{
                    groupCount totals {{ {measures} }} rows {{
                        department {{ code }} branch {{ code }} team {{ code }} unit {{ code }} officer {{ code }}
                        enterprise {{ taxCode }} category {{ code }} kind channel state finding
                        day week month quarter year {measures} }} }} }}"
            );
            board.data(&query)["complaintStatistics"].clone()
        };
        let mut all: Vec<Value> = dimensions.split(' ').map(of).collect();
        all.push(of("DEPARTMENT, KIND, YEAR"));
        all.push(of("OFFICER, FINDING"));
        for answer in &mut all {
            // Groups with equally many complaints come in the order of their internal places, which the two databases
            // number differently.
            let rows = answer["rows"].as_array_mut().unwrap();
            rows.sort_by_key(ToString::to_string);
            let complaints: i64 = rows.iter().map(|row| row["complaints"].integer()).sum();
            assert!(complaints >= answer["totals"]["complaints"].integer(), "{answer}");
            assert_eq!(answer["totals"]["complaints"], 1500);
            assert_eq!(json!(answer["rows"].list().len()), answer["groupCount"]);
        }
        answers.push(all);
    }
    for (sqlite, postgres) in answers[0].iter().zip(&answers[1]) {
        assert_eq!(sqlite, postgres);
    }
    // A complaint that names two officers counts for each of them, and once in the totals.
    let by_officer: i64 = answers[0][4]["rows"].list().iter().map(|row| row["complaints"].integer()).sum();
    assert!(by_officer > 1500, "{by_officer}");
    let one = &answers[0][4]["totals"];
    assert!(one["episodes"].integer() < 1500 && one["distinctOfficers"].integer() > 100, "{one}");
}

#[test]
fn time_is_filled_compared_cut_and_kept_as_asked() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        let ask = |arguments: &str, fields: &str| {
            let query = format!("{{ complaintStatistics({arguments}) {{ {fields} }} }}");
            board.data(&query)["complaintStatistics"].clone()
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
        assert_eq!(weeks["rows"].list().len(), 18);
        assert_eq!(weeks["rows"][0], json!({ "week": "2024-01-01", "complaints": 2 }), "5 and 6 January");

        // February is compared with January, which has PA-1 and PA-2.
        let february =
            "filter: {receivedFrom: \"2024-02-01T00:00:00+07:00\", receivedBefore: \"2024-03-01T00:00:00+07:00\"}";
        let compared = ask(
            &format!("{february}, compare: PREVIOUS_PERIOD, groupBy: [MONTH]"),
            "totals { complaints } totalsBefore { complaints costVnd }
             rows { month complaints previous { complaints costVnd } }",
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
        assert_eq!(gone["rows"].list().len(), 3, "what there was then and is not any more: {gone}");
        assert_eq!(compared["totalsBefore"]["complaints"], 6);

        // The groups that are cut off come as one group. The server counts the enterprises of that group anew: A is in
        // both rows.
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
        let after = top["endCursor"].text();
        let next = ask(
            &format!("groupBy: [BRANCH], orderBy: [{{field: COMPLAINTS}}], after: \"{after}\""),
            "truncated rows { branch { code } }",
        );
        assert_eq!(
            next,
            json!({ "truncated": false, "rows": [{ "branch": { "code": "02DS" } }, { "branch": { "code": "03TG" } }] })
        );

        let having =
            |condition: &str| ask(&format!("groupBy: [DAY], having: {condition}"), "rows { day }")["rows"].list().len();
        assert_eq!(having("{costVnd: {gt: \"400000\"}}"), 2);
        assert_eq!(having("{or: [{costVnd: {gt: \"400000\"}}, {distinctEnterprises: {eq: 0}}]}"), 3);
        assert_eq!(having("{not: {complaints: {gte: 1}}}"), 0);
        // Four days have no answer. On another the only complaint was reopened: its first answer is not its answer.
        assert_eq!(having("{medianDaysToResponse: {isNull: true}}"), 5);

        let future = board.request("{ complaintStatistics(minPosition: 2000000000) { position } }");
        assert_eq!(future.codes(), ["BAD_USER_INPUT"], "a position that nobody was given: {future:?}");
        // In Beirut the clocks go forward at midnight. The week before is a week all the same.
        let week = "
            filter: {receivedFrom: \"2024-04-07T00:00:00+03:00\", receivedBefore: \"2024-04-14T00:00:00+03:00\"},
            timezone: \"Asia/Beirut\", compare: PREVIOUS_PERIOD";
        assert_eq!(ask(week, "totalsBefore { complaints }")["totalsBefore"]["complaints"], 0);
        let ages = "{ complaintStatistics(
            filter: {receivedFrom: \"0001-01-01T00:00:00Z\", receivedBefore: \"5000-01-01T00:00:00Z\"},
            groupBy: [DAY], fill: true
        ) { groupCount } }";
        assert_eq!(board.codes(ages), ["BAD_USER_INPUT"], "a million empty days");
        // The first complaint was received at 0:00 in Vietnam, which is the evening before in Berlin.
        let berlin = ask("groupBy: [DAY], timezone: \"Europe/Berlin\", first: 1", "rows { day }");
        assert_eq!(berlin["rows"], json!([{ "day": "2024-01-04" }]));
    }
}
