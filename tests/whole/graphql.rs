//! GraphQL queries over HTTP give the same answers on both databases.

use serde_json::{Value, json};
use tests::fixtures::Files;
use tests::{Client, Json, Role, TestApp, fixtures};

/// The beginnings of the texts that a filter finds, in the order of reception.
fn found(board: &Client, filter: &str) -> Vec<String> {
    let query = format!(
        "{{ complaints(filter: {filter}, orderBy: [{{field: RECEIVED_AT}}]) {{ totalCount nodes {{ text }} }} }}"
    );
    let data = board.data(&query);
    let texts: Vec<String> = data["complaints"]["nodes"]
        .list()
        .iter()
        .map(|c| c["text"].text()[..6.min(c["text"].text().len())].to_owned())
        .collect();
    assert_eq!(data["complaints"]["totalCount"], texts.len());
    texts
}

#[test]
fn filters_mean_the_same_on_both_databases() {
    let apps: Vec<TestApp> = TestApp::both().world().arguments(&["--dev"]).into_iter().collect();
    let boards: Vec<_> = apps.iter().map(|app| app.as_role(Role::Board)).collect();
    for (filter, expected) in [
        ("{}", 6),
        ("{state: {eq: ANSWERED}}", 1),
        ("{state: {in: [ANSWERED, ASSIGNED]}}", 2),
        ("{state: {in: []}}", 0),
        ("{receivedAt: {gte: \"2024-02-01T00:00:00+07:00\", lt: \"2024-03-01T00:00:00+07:00\"}}", 2),
        ("{costVnd: {gt: \"400000\"}}", 2),
        ("{costVnd: {isNull: true}}", 3),
        ("{delayHours: {lte: 2}}", 2),
        ("{text: {like: \"Chậm%\"}}", 1),
        ("{text: {like: \"chậm%\"}}", 0),
        ("{text: {like: \"100\\\\%\"}}", 0),
        ("{anonymous: {eq: true}}", 1),
        ("{confidential: {eq: true}}", 1),
        ("{unit: {within: \"02\"}}", 5),
        ("{unit: {within: \"02CV\"}}", 4),
        ("{unit: {within: \"02CV-D1\"}}", 1),
        ("{unit: {within: \"TC\"}}", 6),
        ("{unit: {code: {eq: \"02CV\"}}}", 3),
        ("{unit: {peerGroup: {eq: SEAPORT}}}", 4),
        ("{unit: {or: [{within: \"03\"}, {code: {eq: \"02DS\"}}]}}", 2),
        ("{unit: {not: {within: \"02\"}}}", 1),
        ("{not: {officers: {officer: {code: {eq: \"CC01\"}}}}}", 3),
        ("{not: {enterprise: {taxCode: {eq: \"0100233488\"}}}}", 4),
        ("{not: {costVnd: {gt: \"400000\"}}}", 4),
        ("{category: {serious: {eq: true}}}", 2),
        ("{category: {kind: {ne: CONDUCT}}}", 1),
        ("{enterprise: {taxCode: {like: \"0314409058%\"}}}", 2),
        ("{officers: {finding: {eq: SUSTAINED}}}", 1),
        ("{officers: {officer: {code: {eq: \"CC03\"}}}}", 2),
        ("{officers: {officer: {name: {like: \"Nguyễn%\"}}, attribution: {eq: CONFIRMED}}}", 3),
        ("{officers: {officer: {unit: {code: {eq: \"03TG\"}}}}}", 5),
        ("{responses: {satisfied: {eq: false}}}", 1),
        ("{and: [{state: {eq: RECEIVED}}, {not: {unit: {within: \"02CV\"}}}]}", 2),
        ("{or: [{state: {eq: ANSWERED}}, {anonymous: {eq: true}}]}", 2),
        ("{or: []}", 0),
        ("{not: {}}", 0),
    ] {
        let [sqlite, postgres] = [&boards[0], &boards[1]].map(|board| found(board, filter));
        assert_eq!(sqlite, postgres, "{filter}");
        assert_eq!(sqlite.len(), expected, "{filter}: {sqlite:?}");
    }
}

#[test]
fn every_list_and_single_object_answers_alike_on_both_databases() {
    let mut answers = Vec::new();
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        fixtures::run_counting(&app.database, "2024-03-31");
        let id = board.data("{ complaints(first: 1) { nodes { id reference } } }")["complaints"]["nodes"][0].clone();
        let list = board.data(
            "{ complaints(first: 3, orderBy: [{field: COST_VND, direction: DESC}, {field: RECEIVED_AT}]) {
                 totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage } }
               issueCategories { nodes { code nameVi kind serious deadlineDays parent { code } } }
               unitResponses(orderBy: [{field: RESPONDED_AT}]) {
                 nodes { unit { code } respondedAt action text outcome satisfied } }
               units(filter: {parent: {code: {eq: \"02\"}}}) {
                 nodes { code nameVi kind peerGroup validFrom parents { unit { code } validFrom } } }
               unit(code: \"02CV\") { nameVi } missing: unit(code: \"zz\") { nameVi }
               officers { nodes { code name postings { unit { code } validFrom validTo } } }
               officer(code: \"CC02\") { name }
               enterprises(orderBy: [{field: NAME, direction: DESC}]) { nodes { taxCode name } }
               flags { nodes {
                 subjectKind tier state officer { code } unit { code } reasonVi reasonEn
                 numbers { unadjusted windows { days complaints episodes distinctEnterprises } }
                 evidenceIds run { asOf hash rules } } }
               jobRuns { nodes { job state asOf hash summary } }
               complaintStatistics(groupBy: [DEPARTMENT, CATEGORY, MONTH]) { truncated rows {
                 department { code } category { code } month complaints distinctEnterprises costVnd delayHours } } }",
        );
        let one = board.data(&format!(
            "{{ complaint(id: {}) {{ reference }}
                byReference: complaints(filter: {{reference: {}}}) {{ nodes {{ reference }} }} }}",
            id["id"], id["reference"]
        ));
        assert_eq!(one["complaint"]["reference"], one["byReference"]["nodes"][0]["reference"]);
        answers.push((list, one));
    }
    assert_eq!(answers[0], answers[1]);
    let list = &answers[0].0;
    assert_eq!(list["missing"], Value::Null);
    let flagged: Vec<_> = list["flags"]["nodes"]
        .list()
        .iter()
        .map(|flag| (&flag["subjectKind"], &flag["officer"]["code"], &flag["unit"]["code"], &flag["tier"]))
        .collect();
    // Three complaints name CC01. Two of them come from one enterprise: one from its head office, one from its branch.
    let (officer, branch) = (
        (&json!("OFFICER"), &json!("CC01"), &Value::Null, &json!("WATCH")),
        (&json!("BRANCH"), &Value::Null, &json!("02CV"), &json!("WATCH")),
    );
    assert!(flagged.len() == 2 && flagged.contains(&officer) && flagged.contains(&branch), "{flagged:?}");
    let of_officer = list["flags"]["nodes"].list().iter().find(|flag| flag["subjectKind"] == "OFFICER").unwrap();
    assert_eq!(
        of_officer["numbers"]["windows"][2],
        json!({ "days": 180, "complaints": 3, "episodes": 3, "distinctEnterprises": 2 })
    );
    assert_eq!(of_officer["evidenceIds"].list().len(), 3);
    let january: Vec<_> =
        list["complaintStatistics"]["rows"].list().iter().filter(|row| row["month"] == "2024-01").collect();
    assert_eq!(january.len(), 2);
    assert_eq!(
        january[0],
        &json!({
            "department": {"code": "02"}, "category": {"code": "TD1"}, "month": "2024-01",
            "complaints": 1, "distinctEnterprises": 1, "costVnd": "0", "delayHours": 0.0
        })
    );
}

#[test]
fn pages_forward_and_backward_hold_the_same_rows_and_stay_in_place_under_inserts() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let (board, intake) = (app.as_role(Role::Board), app.as_role(Role::Intake));
        let order = "orderBy: [{field: COST_VND, direction: DESC}]";
        let all: Vec<Value> =
            board.data(&format!("{{ complaints({order}) {{ nodes {{ id }} }} }}"))["complaints"]["nodes"]
                .list()
                .to_vec();
        let mut forward = Vec::new();
        let mut after = Value::Null;
        for page in 0.. {
            let query = format!(
                "query ($after: String) {{ complaints({order}, first: 2, after: $after) {{
                   nodes {{ id }} pageInfo {{ endCursor hasNextPage hasPreviousPage }} }} }}"
            );
            let data = board.data_with(&query, &json!({ "after": after }));
            forward.extend(data["complaints"]["nodes"].list().to_vec());
            assert_eq!(data["complaints"]["pageInfo"]["hasPreviousPage"], page > 0);
            if data["complaints"]["pageInfo"]["hasNextPage"] == false {
                break;
            }
            after = data["complaints"]["pageInfo"]["endCursor"].clone();
            if page == 0 {
                // The new complaint belongs on the page that the client has already read.
                let input =
                    json!({ "input": { "idempotencyKey": "between", "text": "Ở giữa", "costVnd": "99000000" } });
                intake.data_with(
                    "mutation ($input: SubmitComplaintInput!) { submitComplaint(input: $input) { id } }",
                    &input,
                );
            }
        }
        assert_eq!(forward, all);
        let mut backward = Vec::new();
        let mut before = Value::Null;
        loop {
            let query = format!(
                "query ($before: String) {{ complaints({order}, last: 2, before: $before) {{
                   nodes {{ id }} pageInfo {{ startCursor hasPreviousPage }} }} }}"
            );
            let data = board.data_with(&query, &json!({ "before": before }));
            let mut page = data["complaints"]["nodes"].list().to_vec();
            page.append(&mut backward);
            backward = page;
            if data["complaints"]["pageInfo"]["hasPreviousPage"] == false {
                break;
            }
            before = data["complaints"]["pageInfo"]["startCursor"].clone();
        }
        assert_eq!(backward[1..], all[..], "and the new row first");
        for (args, word) in [
            ("first: 201", "at most 200"),
            ("first: -1", "negative"),
            ("first: 1, last: 1", "not both"),
            ("after: \"x\"", "cursor"),
        ] {
            let answer = board.request(&format!("{{ complaints({args}) {{ nodes {{ id }} }} }}"));
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{args}");
            assert!(answer.text.contains(word), "{}", answer.text);
        }
        let other = board.data("{ units(first: 1) { edges { cursor } } }")["units"]["edges"][0]["cursor"].clone();
        let answer = board.request(&format!("{{ complaints(after: {other}) {{ nodes {{ id }} }} }}"));
        assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "a cursor of another list: {}", answer.text);
    }
}

#[test]
fn the_number_of_statements_does_not_depend_on_the_length_of_a_page() {
    let files = Files::new();
    let [option, settings] = files.without_caches();
    for app in TestApp::both().world().arguments(&["--dev", &option, &settings]) {
        let board = app.as_role(Role::Board);
        let query = |first: u32| {
            format!(
                "{{ complaints(first: {first}, orderBy: [{{field: RECEIVED_AT}}]) {{ totalCount nodes {{
                   reference category {{ nameVi }} unit {{ code }} department {{ code }}
                   enterprise {{ name }} officers {{ officer {{ code }} unit {{ code }} category {{ code }} }}
                   responses(first: 5) {{ totalCount nodes {{ text }} pageInfo {{ hasNextPage }} }}
                   latest: responses(last: 1) {{ nodes {{ text }} }} }} }} }}"
            )
        };
        let [one, all] = [1, 100].map(|first| app.server().statements(&board.token, &query(first)));
        assert_eq!(one, all, "{}", app.database.name);
        // The server reads the list, its count, the allegations, the first responses, the last responses and the counts
        // of the responses. Units, categories, enterprises and officers come from memory.
        assert_eq!(all, 6, "{}", app.database.name);
    }
}

#[test]
fn statistics_are_what_sql_counts() {
    for app in TestApp::both().world().arguments(&["--dev"]) {
        let board = app.as_role(Role::Board);
        let data = board.data(
            "{ all: complaintStatistics { rows { complaints distinctEnterprises costVnd delayHours } }
               saigon: complaintStatistics(
                 filter: {unitWithin: \"02CV\"}, groupBy: [STATE], orderBy: [{field: COMPLAINTS}]
               ) { rows { state complaints } }
               general: complaintStatistics(filter: {unitWithin: \"TC\"}) { rows { complaints } }
               kinds: complaintStatistics(groupBy: [KIND], first: 1, orderBy: [{field: COMPLAINTS}]) {
                 truncated rows { kind complaints } }
               february: complaintStatistics(filter: {
                 receivedFrom: \"2024-02-01T00:00:00+07:00\", receivedBefore: \"2024-03-01T00:00:00+07:00\",
                 categoryIn: [\"TD1\", \"TD2\"]
               }, groupBy: [YEAR, BRANCH]) { rows { year branch { code } complaints } } }",
        );
        // Three enterprises complained: A, B and the household C. A branch counts as its enterprise. The anonymous
        // complaint counts as none.
        assert_eq!(
            data["all"]["rows"][0],
            json!({ "complaints": 6, "distinctEnterprises": 3, "costVnd": "1750000", "delayHours": 7.5 })
        );
        assert_eq!(
            data["saigon"]["rows"],
            json!([
                { "state": "RECEIVED", "complaints": 2 }, { "state": "ASSIGNED", "complaints": 1 },
                { "state": "ANSWERED", "complaints": 1 }
            ])
        );
        assert_eq!(data["general"]["rows"][0]["complaints"], 6);
        assert_eq!(data["kinds"], json!({ "truncated": true, "rows": [{ "kind": "CONDUCT", "complaints": 5 }] }));
        assert_eq!(
            data["february"]["rows"],
            json!([
                { "year": 2024, "branch": { "code": "02DS" }, "complaints": 1 },
                { "year": 2024, "branch": { "code": "03TG" }, "complaints": 1 }
            ])
        );
        for bad in [
            "filter: {unitWithin: \"zz\"}",
            "filter: {categoryIn: [\"zz\"]}",
            "groupBy: [YEAR, YEAR]",
            "first: -1",
            "timezone: \"Mars\"",
            "fill: true",
            "compare: PREVIOUS_YEAR",
            "after: \"x\"",
        ] {
            let answer = board.request(&format!("{{ complaintStatistics({bad}) {{ position }} }}"));
            assert_eq!(answer.codes(), ["BAD_USER_INPUT"], "{bad}: {}", answer.text);
        }
    }
}

#[test]
fn fields_come_in_the_order_in_which_they_were_asked_for() {
    let app = TestApp::sqlite().world().arguments(&["--dev"]).start();
    let answer = app.as_role(Role::Board).request(
        "{ units(first: 1) { totalCount }
           complaints(first: 1) { nodes { unit { nameVi code } text ... on Complaint { id } } totalCount }
           a: officers { totalCount } }",
    );
    let places: Vec<_> =
        ["\"units\"", "\"complaints\"", "\"nodes\"", "\"nameVi\"", "\"code\"", "\"text\"", "\"id\"", "\"a\""]
            .iter()
            .map(|word| answer.text.find(word).unwrap())
            .collect();
    assert!(places.is_sorted(), "{}", answer.text);
}

#[test]
fn an_operation_that_is_named_and_alone_is_the_one_that_runs() {
    let app = TestApp::sqlite().world().arguments(&["--dev"]).start();
    let intake = format!("Bearer {}", app.as_role(Role::Intake).token);
    let mutation = "/graphql?query=mutation%20M%20%7B%20submitComplaint(input%3A%20%7BidempotencyKey%3A%20%22x%22%2C\
        %20text%3A%20%22y%22%7D)%20%7B%20id%20%7D%20%7D";
    assert_eq!(app.server().send("GET", mutation, &[("authorization", &intake)], "").status, 405);
    let answer = app.as_role(Role::Board).request("query X { b: units { totalCount } a: complaints { totalCount } }");
    assert!(answer.text.find("\"b\"").unwrap() < answer.text.find("\"a\"").unwrap(), "{}", answer.text);
    assert_eq!(answer.json()["data"]["a"]["totalCount"], 6, "nothing was submitted by GET");
}
