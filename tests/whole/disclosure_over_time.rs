//! What aggregates tell who polls them, who asks several nodes and who has a head's numbers beside them; and how near
//! they are.

use crate::disclosure_aggregates::{World, begins, cost, number, world, worlds};
use crate::program;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::work::Mutations;
use tests::{Client, Database, Json, Server, fixtures};

const EVERYTHING: &str = "{ complaintStatistics(groupBy: [BRANCH, MONTH], first: 10000) { asOf position groupCount
    totals { complaints episodes distinctEnterprises costVnd } rows { branch { code } month suppressed complaints costVnd delayHours } } }";

fn submit(server: &Server, intake: &str, key: &str, unit: &str) -> i64 {
    let intake = Client { server, token: intake.to_owned() };
    let more = json!({ "unit": (!unit.is_empty()).then_some(unit), "costVnd": "123456789" });
    intake.submitted(key, &more)["position"].integer()
}

#[test]
fn polling_tells_nothing_of_what_is_written_meanwhile() {
    for database in Database::both() {
        fixtures::generate(&database, 1_500, 3);
        let token = |role: &str| program().token(&database, role, None);
        let (board, dashboard, intake) = (token("BOARD"), token("DASHBOARD"), token("INTAKE"));
        let server = program().serve(&database, &["--no-jobs"]);
        let branch = server.data(&board, "{ units(first: 1, filter: {kind: {eq: BRANCH}}) { nodes { code } } }")["units"]
            ["nodes"][0]["code"]
            .text()
            .to_owned();
        let bearer = format!("Bearer {dashboard}");
        let headers = [("authorization", bearer.as_str())];
        let get = |more: &[(&str, &str)]| {
            let path = "/graphql?query=%7B%20complaintStatistics%20%7B%20totals%20%7B%20complaints%20%7D%20%7D%20%7D";
            server.send("GET", path, &[&headers[..], more].concat(), "")
        };
        let first = server.graphql(&dashboard, EVERYTHING, &json!({})).text;
        let tag = get(&[]).header("etag").to_owned();
        assert!(!tag.is_empty());
        let mut last = 0;
        for n in 0..12 {
            last = submit(&server, &intake, &format!("poll {n}"), &branch);
            let seen = "query($p: Int) { complaintStatistics(minPosition: $p) { totals { complaints } } }";
            let exact = server.data_with(&board, seen, &json!({ "p": last }));
            assert_eq!(exact["complaintStatistics"]["totals"]["complaints"], 1_501 + n, "the Board sees each");
            assert_eq!(server.graphql(&dashboard, EVERYTHING, &json!({})).text, first, "not a word changes");
            assert_eq!(get(&[("if-none-match", &tag)]).status, 304);
            // Waiting for a position would count what is written.
            let waits = server.graphql(&dashboard, seen, &json!({ "p": last + 1_000_000 }));
            assert_eq!(waits.codes(), ["BAD_USER_INPUT"]);
            assert!(
                !waits.text.contains(&format!(" {last} ")) && !waits.text.contains(&format!(" {last},")),
                "{waits:?}"
            );
        }
        // The next edition, of a node that was started since, differs by no single complaint.
        let next = program().serve(&database, &["--no-jobs"]);
        let total = |server: &Server| {
            let answer = server.data(&dashboard, EVERYTHING)["complaintStatistics"].clone();
            assert!(answer["position"].integer() % 100 == 0 && answer["position"].integer() <= last);
            answer["totals"]["complaints"].integer()
        };
        let (before, after) = (total(&server), total(&next));
        assert!(before % 5 == 0 && after % 5 == 0 && (before - 1_500).abs() <= 6 && (after - 1_512).abs() <= 6);
    }
}

#[test]
fn a_complaint_more_in_each_edition_is_not_told_from_none() {
    let database = Database::sqlite();
    program().run(&database, ["generate", "--complaints", "400", "--seed", "6"]).ok();
    let (dashboard, intake) =
        (program().token(&database, "DASHBOARD", None), program().token(&database, "INTAKE", None));
    let shown: Vec<i64> = (0..8)
        .map(|n| {
            let server = program().serve(&database, &["--no-jobs"]);
            let answer = server.data(&dashboard, "{ complaintStatistics(groupBy: [YEAR]) { totals { complaints } } }");
            // In three of four editions nothing was submitted in between.
            if n % 4 == 0 {
                submit(&server, &intake, &format!("edition {n}"), "");
            }
            answer["complaintStatistics"]["totals"]["complaints"].integer()
        })
        .collect();
    assert!(shown.iter().all(|shown| shown % 5 == 0 && (shown - 401).abs() <= 7), "{shown:?}");
    let steps = shown.windows(2).map(|two| two[1] - two[0]);
    assert!(steps.clone().all(|step| step != 1), "{shown:?}");
    // Where nothing changed nothing changes, on a node that was started anew, too: the noise cannot be averaged.
    assert!(
        shown[1..5].iter().all(|one| *one == shown[1]) && shown[5..].iter().all(|one| *one == shown[5]),
        "{shown:?}"
    );
}

#[test]
fn the_same_complaints_are_shown_as_the_same_number_wherever_they_are_asked_for() {
    let [sqlite, postgres] = worlds(2_500, 12);
    for dimensions in ["BRANCH CATEGORY", "DEPARTMENT MONTH", "KIND STATE", "CHANNEL YEAR"] {
        let [one, other] = [&sqlite, &postgres].map(|world| world.rows(&world.dashboard, dimensions));
        assert_eq!(one, other, "{dimensions}: two databases with one key file");
    }
    let world = &sqlite;
    let rows = world.rows(&world.dashboard, "DEPARTMENT QUARTER");
    let mut asked = 0;
    for (places, row) in rows.iter().filter(|(places, row)| row["suppressed"] == false && places[0] != "null").take(40)
    {
        let (year, quarter) = (&places[1][..4], places[1][6..].parse::<i32>().unwrap());
        let first = format!("{year}-{:02}", quarter * 3 - 2);
        let after = if quarter == 4 {
            format!("{}-01", year.parse::<i32>().unwrap() + 1)
        } else {
            format!("{year}-{:02}", quarter * 3 + 1)
        };
        let filter = format!(
            "unitWithin: {:?}, receivedFrom: {:?}, receivedBefore: {:?}",
            places[0],
            begins(&first),
            begins(&after)
        );
        let fields = "complaints episodes distinctEnterprises costVnd delayHours shareAnsweredInTime";
        let totals =
            world.ask(&world.dashboard, &format!("filter: {{{filter}}}"), &format!("totals {{ {fields} }}"))["totals"]
                .clone();
        for field in fields.split(' ') {
            assert_eq!(totals[field], row[field], "{places:?} {field}");
        }
        // Filled, ordered, cut and filtered by state it is still the same, or the sum of the same.
        let by_unit = world.ask(
            &world.dashboard,
            &format!("filter: {{{filter}}}, groupBy: [DEPARTMENT], orderBy: [{{field: COMPLAINTS}}], first: 1"),
            "rows { complaints }",
        );
        assert_eq!(by_unit["rows"][0]["complaints"], row["complaints"]);
        let listed = "ANSWERED, ASSIGNED, CLASSIFIED, CLOSED, RECEIVED, REJECTED, WITHDRAWN";
        let of_list = world.totals(&world.dashboard, &[format!("{filter}, stateIn: [{listed}]")])[0].0;
        let each: Vec<String> = listed.split(", ").map(|state| format!("{filter}, stateIn: [{state}]")).collect();
        let rows = world.ask(
            &world.dashboard,
            &format!("filter: {{{filter}}}, groupBy: [STATE]"),
            "rows { suppressed complaints }",
        );
        let sum: i64 = rows["rows"].list().iter().map(|row| row["complaints"].as_i64().unwrap_or(5)).sum();
        assert!(of_list == sum || of_list == 0, "a list is the sum of what it lists: {of_list} {sum}");
        assert!(world.totals(&world.dashboard, &each).iter().map(|totals| totals.0).sum::<i64>() <= sum);
        asked += 1;
    }
    assert!(asked >= 10, "{asked}");
    // Without a key file the register keeps what the noise is made of.
    let [one, other] = [0, 1].map(|_| program().serve(&world.database, &["--no-jobs"]));
    let of = |server: &Server, token: &str| server.data(token, EVERYTHING)["complaintStatistics"]["rows"].clone();
    assert_eq!(of(&one, &world.dashboard), of(&other, &world.dashboard));
    assert_ne!(of(&one, &world.dashboard), of(&world.server, &world.dashboard), "another secret");
    // A rotation adds a key, and the oldest makes the noise.
    let before = of(&postgres.server, &postgres.dashboard);
    let key = postgres.key.display().to_string();
    program().run(&postgres.database, ["key", "rotate", &key]).ok();
    let rotated = program().serve(&postgres.database, &["--no-jobs", "--key-file", &key]);
    assert_eq!(of(&rotated, &postgres.dashboard), before);
}

#[test]
fn a_head_s_numbers_taken_from_a_dashboard_s_do_not_tell_what_is_confidential() {
    let world = world(Database::sqlite(), 12_000, 5, 1);
    let dimensions = "DEPARTMENT KIND YEAR";
    let (all, shown) = (world.rows(&world.board, dimensions), world.rows(&world.dashboard, dimensions));
    let departments: BTreeSet<&String> = all.keys().map(|places| &places[0]).filter(|code| *code != "null").collect();
    let (mut groups, mut exact, mut exact_cost, mut near_cost) = (0, 0, 0, 0);
    for department in departments {
        let head = program().token(&world.database, "UNIT_HEAD", Some(department));
        let seen = world.rows_of(&head, dimensions, "complaints costVnd");
        for (places, row) in all.iter().filter(|(places, _)| places[0] == *department) {
            let Some(shown) = shown.get(places).filter(|row| row["suppressed"] == false) else { continue };
            let (count, of_seen) = seen.get(places).map_or((0, 0), |row| (number(row), cost(row)));
            let confidential = (number(row) - count, cost(row) - of_seen);
            if confidential.0 == 0 {
                continue;
            }
            groups += 1;
            exact += u32::from(number(shown) - count == confidential.0);
            if let Some(all) = shown["costVnd"].as_str().filter(|_| confidential.1 > 0) {
                let told = all.parse::<i64>().unwrap() - of_seen;
                exact_cost += u32::from(told == confidential.1);
                near_cost += u32::from((told - confidential.1).abs() * 10 < confidential.1);
            }
        }
    }
    assert!(groups >= 40, "{groups}");
    assert!(exact * 3 < groups, "{exact} of {groups}");
    assert!(exact_cost == 0 && near_cost * 5 < groups, "{exact_cost} {near_cost} of {groups}");
}

#[test]
fn an_honest_dashboard_is_within_the_promised_bounds() {
    let document = std::fs::read_to_string(tests::project().join("docs/client/dashboard.graphql")).unwrap();
    for world in worlds(8_000, 2) {
        // A calendar year; and twelve months that are no year, whose totals are those of four cells.
        for (from, before, cells) in [("2024-01", "2025-01", 1), ("2024-02", "2025-02", 6)] {
            let variables = json!({ "from": begins(from), "before": begins(before) });
            let of = |token: &str| world.server.data_with(token, &document, &variables)["complaintStatistics"].clone();
            let (truth, shown) = (of(&world.board), of(&world.dashboard));
            let near = |a: &Value, b: &Value, cells: i64, what: &Value| {
                let error = number(b) - number(a);
                assert!(error.abs() <= 6 * cells, "{what}: {a} {b}");
                if let (Some(a), Some(b)) = (a["costVnd"].as_str(), b["costVnd"].as_str()) {
                    let (a, b): (f64, f64) = (a.parse().unwrap(), b.parse().unwrap());
                    assert!((a - b).abs() <= 0.505 * a, "{what}: {a} {b}");
                }
                error
            };
            near(&truth["totals"], &shown["totals"], cells, &json!("totals"));
            let enterprises = |of: &Value| of["totals"]["distinctEnterprises"].number();
            let error = (enterprises(&truth) - enterprises(&shown)).abs();
            assert!(error < if cells == 1 { 0.05 } else { 0.2 } * enterprises(&truth), "{truth} {shown}");
            let key = |row: &Value| (row["department"]["code"].to_string(), row["month"].to_string());
            let truths = truth["rows"].list();
            let mut errors = Vec::new();
            for row in shown["rows"].list().iter().filter(|row| row["suppressed"] == false) {
                let exact = truths.iter().find(|truth| key(truth) == key(row)).unwrap();
                errors.push(near(exact, row, 1, row));
                if let (Some(a), Some(b)) =
                    (exact["medianDaysToResponse"].as_f64(), row["medianDaysToResponse"].as_f64())
                {
                    assert!((a - b).abs() <= 10.0, "{exact} {row}");
                }
            }
            let mean = |of: &dyn Fn(i64) -> i64| {
                errors.iter().map(|error| of(*error)).sum::<i64>() as f64 / errors.len() as f64
            };
            assert!(errors.len() > 100 && mean(&i64::abs) < 2.5 && mean(&|error| error).abs() < 0.6, "{errors:?}");
        }
    }
}

#[test]
fn unions_of_shown_and_hidden_groups_stay_near_the_truth() {
    for key in 1..=3 {
        unions_stay_near_the_truth(&world(Database::sqlite(), 6_000, 8, key));
    }
}

fn unions_stay_near_the_truth(world: &World) {
    let units = world.rows(&world.board, "DEPARTMENT");
    let filters: Vec<String> = units
        .keys()
        .filter(|places| places[0] != "null")
        .map(|places| {
            format!(
                "unitWithin: {:?}, channelIn: [PORTAL, HOTLINE, EMAIL], receivedFrom: {:?}, receivedBefore: {:?}",
                places[0],
                begins("2022-05"),
                begins("2025-03")
            )
        })
        .collect();
    let [truth, shown] = [&world.board, &world.dashboard].map(|token| world.totals(token, &filters));
    let (mut unions, mut costs, mut of_truth, mut of_shown) = (0, 0, 0, 0);
    for ((truth, cost), (shown, shown_cost)) in truth.iter().zip(&shown).filter(|(truth, _)| truth.0 >= 40) {
        // Up to three channels by nine months, quarters and years.
        assert!((truth - shown).abs() < 6 * 9, "{truth} {shown}");
        if *shown_cost > 0 {
            costs += 1;
            assert!((*cost as f64 - *shown_cost as f64).abs() < 0.8 * *cost as f64, "{cost} {shown_cost}");
        }
        (unions, of_truth, of_shown) = (unions + 1, of_truth + truth, of_shown + shown);
    }
    // The noise of a union has a standard deviation of about 13 complaints and a mean of 0.
    let bias = (of_shown - of_truth) as f64 / of_truth as f64;
    assert!(unions >= 10 && costs >= 2 && bias.abs() < 0.05, "{bias} {unions} {costs} {of_truth} {of_shown}");
}
