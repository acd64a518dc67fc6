//! Lists that are counted up to a number, and the page that says so; and lists of overdue complaints, which the snapshot
//! counts and sorts.

use crate::legal_clock::{because, classified, step, today};
use crate::program;
use crate::snapshot_pages::pages;
use crate::web::Visitor;
use chrono::Days;
use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Json, Role, TestApp};

/// The fields that the documents select in addition to `totalCount`.
const LIMITS: [i64; 5] = [1, 7, 1_001, 2_999, 10_000];

/// Checks that each list of an answer has as many rows up to a limit as it has at most. Returns the number of lists,
/// and of those with more rows than that.
#[track_caller]
fn compared(answer: &Value, limit: i64) -> (usize, usize) {
    let below: Vec<(usize, usize)> = match answer {
        Value::Array(all) => all.iter().map(|one| compared(one, limit)).collect(),
        Value::Object(fields) => fields.values().map(|one| compared(one, limit)).collect(),
        _ => Vec::new(),
    };
    let (lists, more) = below.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let Some(total) = answer["totalCount"].as_i64() else { return (lists, more) };
    assert_eq!(answer["totalCountUpTo"], total.min(limit), "{answer}");
    (lists + 1, more + usize::from(total > limit))
}

#[test]
fn a_list_has_as_many_rows_up_to_a_number_as_it_has_at_most() {
    for app in TestApp::both().generated(3_000, 7).arguments(&["--no-jobs"]) {
        let name = app.database.name;
        let board = app.as_role(Role::Board);
        let of_kind = "query ($k: UnitKind!) { units(filter: {kind: {eq: $k}}, first: 1) { nodes { code } } }";
        let unit = |kind: &str| board.data_with(of_kind, &json!({ "k": kind }))["units"]["nodes"][0]["code"].clone();
        let (department, branch) = (unit("PROVINCIAL_DEPARTMENT"), unit("BRANCH"));
        let filters = [
            json!({}),
            json!({ "search": "a" }),
            json!({ "search": "container" }),
            json!({ "search": "không có chữ này" }),
            json!({ "not": { "search": "container" } }),
            json!({ "or": [{ "search": "thông quan" }, { "channel": { "eq": "EMAIL" } }] }),
            json!({ "state": { "eq": "CLOSED" }, "legalForm": { "eq": "FEEDBACK" } }),
            json!({ "overdue": { "eq": true } }),
            json!({ "unit": { "within": department } }),
        ];
        let (mut lists, mut more) = (0, 0);
        for client in [&board, &app.as_head(department.text()), &app.as_head(branch.text())] {
            for filter in &filters {
                for limit in LIMITS {
                    let query = "query ($f: ComplaintFilter, $n: Int!) \
                        { complaints(filter: $f, first: 1) { totalCount totalCountUpTo(limit: $n) } }";
                    let found = compared(&client.data_with(query, &json!({ "f": filter, "n": limit })), limit);
                    (lists, more) = (lists + found.0, more + found.1);
                }
            }
        }
        assert!(lists == 135 && more > 25, "{lists} lists, {more} longer than the limit, {name}");
        let others = "query ($n: Int!) {
            units(first: 3) { totalCount totalCountUpTo(limit: $n)
              nodes { complaints(first: 1) { totalCount totalCountUpTo(limit: $n) } } }
            enterprises(filter: {search: \"công ty\"}, first: 1) { totalCount totalCountUpTo(limit: $n) }
            issueCategories(first: 1) { totalCount totalCountUpTo(limit: $n)
              nodes { complaints(first: 1) { totalCount totalCountUpTo(limit: $n) } } }
            officers(first: 2) { totalCount totalCountUpTo(limit: $n)
              nodes { history { totalCount totalCountUpTo(limit: $n) } } }
            classificationQueue(filter: {search: \"a\"}) { totalCount totalCountUpTo(limit: $n) }
            unitResponses { totalCount totalCountUpTo(limit: $n) } }";
        for limit in LIMITS {
            let found = compared(&board.data_with(others, &json!({ "n": limit })), limit);
            assert!(found.0 >= 12, "{found:?}, {name}");
        }
        for limit in ["0", "-1", "10001", "-2147483648", "2147483647"] {
            let answer = board.request(&format!("{{ complaints {{ totalCountUpTo(limit: {limit}) }} }}"));
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{limit}: {}", answer.text);
        }
    }
}

#[test]
fn a_list_of_which_only_counts_are_asked_reads_no_page_and_is_checked_as_one() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let name = app.database.name;
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin).token);
        let read =
            || ["memory", "snapshot", "database"].map(|from| pages(app.server(), &admin, from)).iter().sum::<u64>();
        let before = read();
        // The columns of the snapshot do not hold when a complaint was recorded.
        let recent = "filter: {recordedAt: {gte: \"2020-01-01T00:00:00+07:00\"}}";
        let counts = "{ totalCount two: totalCountUpTo(limit: 2) }";
        let counted = board.data(&format!("{{ complaints(first: 0, {recent}) {counts} }}"))["complaints"].clone();
        assert_eq!(read(), before, "{name}");
        let listed = board.data(&format!("{{ complaints(first: 100, {recent}) {{ totalCount nodes {{ id }} }} }}"));
        assert!(read() > before, "{name}");
        let number = listed["complaints"]["nodes"].list().len();
        assert!(number > 2, "{number} complaints, {name}");
        assert_eq!(counted, json!({ "totalCount": number, "two": 2 }), "{name}");
        let responses = board.data(&format!(
            "{{ first: unitResponses(first: 0) {counts} last: unitResponses(last: 0) {counts}
                unitResponses(first: 100) {{ nodes {{ id }} }} }}"
        ));
        let number = responses["unitResponses"]["nodes"].list().len();
        let expected = json!({ "totalCount": number, "two": number.min(2) });
        assert_eq!([&responses["first"], &responses["last"]], [&expected; 2], "{name}");
        let info = board.data("{ complaints(first: 1) { pageInfo { endCursor } } }")["complaints"]["pageInfo"].clone();
        let of_complaints = info["endCursor"].text();
        for refused in [
            "complaints(first: 0, filter: {unit: {within: \"99\"}})".to_owned(),
            "complaints(first: 0, last: 0)".to_owned(),
            "unitResponses(first: 0, after: \"nothing\")".to_owned(),
            format!("unitResponses(first: 0, after: \"{of_complaints}\")"),
        ] {
            for fields in [counts, "{ nodes { id } }"] {
                let answer = board.request(&format!("{{ {refused} {fields} }}"));
                assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{refused}: {}", answer.text);
            }
        }
    }
}

#[test]
fn the_page_says_that_more_complaints_are_found_than_it_counts() {
    for app in TestApp::both().generated(3_000, 7).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let total = |filter: &str| {
            let data = board.data(&format!("{{ complaints(filter: {filter}) {{ totalCount }} }}"));
            data["complaints"]["totalCount"].integer()
        };
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        let mut page = |path: &str| {
            let answer = visitor.get(path);
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            answer.text
        };
        assert!(total("{search: \"a\"}") > 1_000);
        assert!(page("/complaints?search=a").contains("<p>Hơn 1.000 phản ánh</p>"), "{}", app.database.name);
        let few = total("{search: \"container\"}");
        assert!((1..1_000).contains(&few), "{few}");
        assert!(page("/complaints?search=container").contains(&format!("<p>{few} phản ánh</p>")));
        // What the columns of the snapshot tell is counted to the end.
        let all = total("{}");
        assert!(all > 1_000);
        let shown = format!("<p>{}.{:03} phản ánh</p>", all / 1_000, all % 1_000);
        assert!(page("/complaints").contains(&shown), "{shown}");
        assert!(page("/complaints?search=nothing+at+all").contains("<p>0 phản ánh</p>"));
    }
}

#[test]
fn overdue_complaints_are_the_same_from_the_snapshot_and_from_the_database() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let name = app.database.name;
        // Clocks that were stopped after the deadline and before it, as if long ago.
        for (key, due) in [("after", 12), ("before", 2)] {
            let received = format!("{}T09:00:00+07:00", today() - Days::new(14));
            let one = classified(&app, key, &json!({ "receivedAt": received, "text": key }));
            step(&app.as_role(Role::Board), "suspendClock", &one, &because()).unwrap();
            let (since, due) = (today() - Days::new(5), today() - Days::new(due));
            let stops = json!([{ "from": since }]);
            app.database.tamper(&format!(
                "UPDATE complaint_clocks SET stops = '{stops}' \
                 WHERE complaint_id IN (SELECT id FROM complaints WHERE text = '{key}'); \
                 UPDATE complaints SET clock_stopped_since = '{since}', due_on = '{due}' WHERE text = '{key}'"
            ));
        }
        let token = |role: &str, unit| program().token(&app.database, role, unit);
        let (admin, viewers) =
            (token("ADMIN", None), [token("BOARD", None), token("UNIT_HEAD", Some("02")), token("DATA_TEAM", None)]);
        let files = Files::new();
        let key = files.key_file();
        let [option, settings] = files.without_caches();
        let fresh = program().serve(&app.database, &["--no-jobs", "--key-file", &key]);
        let plain = program().serve(&app.database, &["--no-jobs", "--key-file", &key, &option, &settings]);
        let query = "query ($f: ComplaintFilter!, $d: SortDirection!, $first: Int, $after: String, $last: Int, \
            $before: String) { complaints(filter: $f, orderBy: [{field: OVERDUE_DAYS, direction: $d}], \
            first: $first, after: $after, last: $last, before: $before) { totalCount totalCountUpTo(limit: 3) \
            pageInfo { hasPreviousPage hasNextPage startCursor endCursor } \
            edges { cursor node { pseudonym overdue overdueDays state } } } }";
        let mut most = 0;
        for viewer in &viewers {
            for filter in [
                json!({ "overdue": { "eq": true } }),
                json!({ "overdue": { "eq": true }, "state": { "ne": "CLOSED" } }),
                json!({ "overdueDays": { "gte": 7 } }),
                json!({ "overdueDays": { "gte": 8 }, "overdue": { "eq": true } }),
                json!({ "overdueDays": { "gte": 1_000_000 } }),
                json!({ "overdue": { "eq": true }, "unit": { "within": "02" } }),
            ] {
                for (direction, size, from, cursor) in [
                    ("DESC", "first", "after", "endCursor"),
                    ("ASC", "first", "after", "endCursor"),
                    ("DESC", "last", "before", "startCursor"),
                ] {
                    let mut variables = json!({ "f": filter, "d": direction, size: 2 });
                    let mut days = Vec::new();
                    for _ in 0..9 {
                        let [given, wanted] = [&fresh, &plain].map(|server| server.graphql(viewer, query, &variables));
                        assert_eq!((given.status, &given.text), (200, &wanted.text), "{name}: {variables}");
                        let list = given.json()["data"]["complaints"].clone();
                        let edges = list["edges"].list();
                        days.extend(edges.iter().map(|edge| edge["node"]["overdueDays"].integer()));
                        let more = if size == "first" { "hasNextPage" } else { "hasPreviousPage" };
                        if list["pageInfo"][more] != true {
                            assert_eq!(list["totalCount"], days.len(), "{name}: {variables}");
                            break;
                        }
                        variables[from] = list["pageInfo"][cursor].clone();
                    }
                    most = most.max(days.len());
                    assert!(
                        size == "last" || days.is_sorted_by(|a, b| if direction == "ASC" { a <= b } else { a >= b })
                    );
                    assert!(days.iter().all(|days| *days > 0), "{name}: {days:?}");
                }
            }
        }
        assert!(most >= 6, "{most} overdue complaints, {name}");
        let found = ["snapshot", "memory"].map(|from| (pages(&fresh, &admin, from), pages(&plain, &admin, from)));
        assert!(found[0].0 > 20 && found[0].1 + found[1].1 == 0, "{found:?}, {name}");
    }
}
