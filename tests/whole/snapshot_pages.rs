//! Pages of complaints from the snapshot and the caches are byte for byte those of a server that reads every row,
//! whatever is asked and written, by whichever node, and whoever asks.

use crate::object_cache::handled;
use crate::program;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Client, Json, Server, TestApp, wait_until};

/// The pages of a server that came from a source.
pub fn pages(server: &Server, admin: &str, from: &str) -> u64 {
    let metrics = server.metrics(admin);
    let name = format!("phananh_pages_total{{from=\"{from}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).expect("the metric");
    line.parse().expect("a number")
}

/// Two nodes that run every operation, and a server without caches, over one register.
struct Nodes {
    nodes: [Server; 2],
    plain: Server,
}

impl Nodes {
    fn over(app: &TestApp, files: &Files, limits: &str) -> Self {
        let key = files.key_file();
        let serve = |name: &str, api: &str| {
            let [option, settings] = files.config(name, &format!("[api]\nanswer_cache_mb = 0\n{api}{limits}"));
            program().serve(&app.database, &["--no-jobs", "--key-file", &key, &option, &settings])
        };
        let node = || serve("nodes.toml", "");
        Self { nodes: [node(), node()], plain: serve("plain.toml", "object_cache_mb = 0\n") }
    }

    /// Asks a node several times, because what is asked the first time comes by another way. Returns the answer.
    #[track_caller]
    fn agree(&self, node: usize, viewer: &str, query: &str, variables: &Value) -> Value {
        let plain = self.plain.graphql(viewer, query, variables);
        for _ in 0..3 {
            let given = self.nodes[node].graphql(viewer, query, variables);
            assert_eq!((given.status, &given.text), (plain.status, &plain.text), "{query} {variables}");
        }
        plain.json()
    }

    fn pages_from(&self, admin: &str, source: &str) -> u64 {
        self.nodes.iter().map(|node| pages(node, admin, source)).sum()
    }
}

/// Words of a register for random filters.
struct Words {
    units: Vec<Value>,
    categories: Vec<Value>,
}

impl Words {
    fn of(server: &Server, board: &str) -> Self {
        let data = server.data(board, "{ units(first: 200) { nodes { code } } issueCategories { nodes { code } } }");
        let codes = |list: &str| data[list]["nodes"].list().iter().map(|node| node["code"].clone()).collect();
        Self { units: codes("units"), categories: codes("issueCategories") }
    }

    /// A random filter. Most ask for what columns hold, some do not, and some are wrong.
    fn filter(&self, random: &mut ChaCha8Rng, depth: u32) -> Value {
        let unit = self.units.choose(random).unwrap();
        let category = self.categories.choose(random).unwrap();
        let day = format!("20{}-0{}-15T07:30:00+07:00", random.random_range(20..26), random.random_range(1..10));
        let leaves = [
            json!({}),
            json!({ "unit": { "within": unit } }),
            json!({ "unit": { "within": unit }, "state": { "in": ["CLOSED", "ANSWERED"] } }),
            json!({ "unit": { "code": { "gte": unit }, "kind": { "in": ["BRANCH", "TEAM"] } } }),
            json!({ "unit": { "not": { "within": unit } } }),
            json!({ "unit": { "or": [{ "kind": { "ne": "BRANCH" } }, { "within": unit }] } }),
            json!({ "unit": { "id": { "isNull": false } } }),
            json!({ "responsibleUnit": { "within": unit } }),
            json!({ "responsibleUnit": { "within": unit }, "overdue": { "eq": true } }),
            json!({ "responsibleUnit": { "in": [unit, unit] }, "state": { "ne": "CLOSED" } }),
            json!({ "not": { "responsibleUnit": { "eq": unit } } }),
            json!({ "responsibleUnit": { "isNull": true } }),
            json!({ "category": { "kind": { "eq": "CONDUCT" } } }),
            json!({ "category": { "code": { "ne": category } } }),
            json!({ "category": { "or": [{ "code": { "eq": category } }, { "kind": { "in": ["TECHNICAL"] } }] } }),
            json!({ "category": { "not": { "code": { "lte": category } } } }),
            json!({ "category": { "serious": { "eq": true } } }),
            json!({ "state": { "ne": "CLOSED" }, "channel": { "in": ["HOTLINE", "PORTAL"] } }),
            json!({ "channel": { "eq": "EMAIL", "isNull": false } }),
            json!({ "receivedAt": { "gte": day } }),
            json!({ "receivedAt": { "lt": day, "isNull": false } }),
            json!({ "costVnd": { "gt": "1000000", "ne": "2000000" } }),
            json!({ "costVnd": { "isNull": true } }),
            json!({ "delayHours": { "lte": 4.5 } }),
            json!({ "delayHours": { "isNull": false } }),
            json!({ "blamesSystem": { "eq": true } }),
            json!({ "confidential": { "eq": false } }),
            json!({ "anonymous": { "eq": true } }),
            json!({ "anonymous": { "ne": true } }),
            json!({ "legalForm": { "eq": "FEEDBACK" } }),
            json!({ "overdue": { "eq": true } }),
            json!({ "overdueDays": { "gte": 700 }, "unit": { "within": unit } }),
            json!({ "overdue": { "eq": true }, "overdueDays": { "gte": 0 }, "channel": { "ne": "EMAIL" } }),
            json!({ "enterprise": { "groupCode": { "isNull": false } } }),
            json!({ "unit": { "within": "there is no such unit" } }),
        ];
        let part = |random: &mut ChaCha8Rng| self.filter(random, depth.saturating_sub(1));
        let kinds = if depth == 0 { 6 } else { 9 };
        match random.random_range(0..kinds) {
            6 => json!({ "or": [part(random), part(random)], "state": { "ne": "REJECTED" } }),
            7 => json!({ "and": [part(random), part(random)] }),
            8 => json!({ "not": part(random) }),
            _ => leaves.choose(random).unwrap().clone(),
        }
    }
}

/// A random page: its arguments with their variables. `cursors`: of earlier pages.
fn arguments(random: &mut ChaCha8Rng, filter: Value, cursors: &[Value]) -> Vec<(&'static str, &'static str, Value)> {
    let mut all = vec![("filter", "ComplaintFilter", filter)];
    let direction = |random: &mut ChaCha8Rng| *["ASC", "DESC"].choose(random).unwrap();
    match random.random_range(0..8) {
        0 | 1 => {
            let direction = direction(random);
            all.push(("orderBy", "[ComplaintOrder!]", json!([{ "field": "RECEIVED_AT", "direction": direction }])));
        }
        2 => {
            let direction = direction(random);
            all.push(("orderBy", "[ComplaintOrder!]", json!([{ "field": "COST_VND", "direction": direction }])));
        }
        3 => {
            let direction = direction(random);
            all.push(("orderBy", "[ComplaintOrder!]", json!([{ "field": "OVERDUE_DAYS", "direction": direction }])));
        }
        _ => {}
    }
    let size = *[0, 1, 2, 7, 25, 100].choose(random).unwrap();
    match random.random_range(0..6) {
        0 => {}
        1 | 2 => all.push(("last", "Int", json!(size))),
        _ => all.push(("first", "Int", json!(size))),
    }
    for (name, share) in [("after", 0.4), ("before", 0.2)] {
        if let Some(cursor) = cursors.choose(random)
            && random.random_bool(share)
        {
            all.push((name, "String", cursor.clone()));
        }
    }
    all
}

const SELECTIONS: [&str; 5] = [
    "totalCount totalCountUpTo(limit: 40) edges { cursor node { id version state unit { code } } }
     pageInfo { hasNextPage hasPreviousPage startCursor endCursor }",
    "nodes { version receivedAt costVnd category { code } officers { finding } } pageInfo { __typename hasNextPage }",
    "__typename edges { __typename cursor } page: pageInfo { endCursor }
     nodes { state responses(first: 1) { totalCount } }",
    "totalCount totalCountUpTo(limit: 7) nodes { overdue overdueDays version } pageInfo { hasNextPage startCursor }",
    "...L } } fragment L on ComplaintConnection { edges { at: cursor row: node { ... { state } } } nodes { version }",
];

#[test]
fn random_pages_are_those_of_a_server_that_reads_every_row_beside_random_writes() {
    for app in TestApp::both().generated(3_000, 7) {
        let files = Files::new();
        let all = Nodes::over(&app, &files, "");
        let token = |role: &str, unit: Option<&str>| program().token(&app.database, role, unit);
        let (board, admin, intake) = (token("BOARD", None), token("ADMIN", None), token("INTAKE", None));
        let words = Words::of(&all.plain, &board);
        let mut viewers = vec![board.clone(), board.clone(), token("DATA_TEAM", None), token("DASHBOARD", None)];
        let seed = rand::random::<u64>();
        eprintln!("{}: seed {seed}", app.database.name);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        viewers.extend((0..3).map(|_| {
            let unit = words.units.choose(&mut random).unwrap();
            token("UNIT_HEAD", Some(unit.text()))
        }));
        let officers = all.plain.data(&board, "{ officers(first: 50) { nodes { code } } }");
        let officer = officers["officers"]["nodes"].list().choose(&mut random).unwrap()["code"].clone();
        let member = ["--name", "member", "--role", "BOARD", "--officer", officer.text()];
        viewers.push(program().token_by(&app.database, &member));
        let mut cursors = vec![json!("no cursor"), json!("")];
        let mut open: Vec<Value> = Vec::new();
        for step in 0..280 {
            let node = random.random_range(0..2);
            let on = |token: &str| Client { server: &all.nodes[node], token: token.to_owned() };
            match random.random_range(0..24) {
                0 => {
                    let unit = words.units.choose(&mut random).unwrap();
                    let new = json!({ "text": "Cán bộ trả hồ sơ.", "unit": unit });
                    let receipt = on(&intake).submitted(&format!("{step}"), &new);
                    open.push(receipt["id"].clone());
                }
                1 if !open.is_empty() => {
                    let category = words.categories.choose(&mut random).unwrap();
                    let id = open.choose(&mut random).unwrap();
                    handled(&on(&board), "classifyComplaint", id, &json!({ "category": category }));
                }
                2 if !open.is_empty() => {
                    let id = open.swap_remove(random.random_range(0..open.len()));
                    let more = json!({ "state": "REJECTED", "reason": "Không thuộc thẩm quyền" });
                    handled(&on(&board), "changeComplaintState", &id, &more);
                }
                _ => {}
            }
            let filter = words.filter(&mut random, 2);
            let arguments = arguments(&mut random, filter, &cursors);
            let declared: Vec<String> = arguments.iter().map(|(name, of, _)| format!("${name}: {of}")).collect();
            let given: Vec<String> = arguments.iter().map(|(name, ..)| format!("{name}: ${name}")).collect();
            let variables: Value =
                arguments.iter().map(|(name, _, value)| ((*name).to_owned(), value.clone())).collect();
            let selection = SELECTIONS.choose(&mut random).unwrap();
            let (declared, given) = (declared.join(", "), given.join(", "));
            // The last selection closes the operation itself.
            let end = if selection.contains("fragment") { "}" } else { "} }" };
            let query = format!("query P({declared}) {{ complaints({given}) {{ {selection} {end}");
            let answer = all.agree(node, viewers.choose(&mut random).unwrap(), &query, &variables);
            let edges = answer["data"]["complaints"]["edges"].as_array().cloned().unwrap_or_default();
            cursors.extend(edges.iter().filter_map(|edge| edge.get("cursor")).take(3).cloned());
        }
        for source in ["memory", "snapshot", "database"] {
            let number = all.pages_from(&admin, source);
            assert!(number > 10, "{number} pages from {source}, seed {seed}, {}", app.database.name);
        }
        assert_eq!(pages(&all.plain, &admin, "memory") + pages(&all.plain, &admin, "snapshot"), 0);
    }
}

#[test]
fn the_next_page_is_right_after_every_kind_of_write_and_comes_from_memory_once_the_snapshot_has_it() {
    let list = "query Page { complaints(filter: {unit: {within: \"02\"}}) { totalCount edges { cursor node {
        id reference state receivedAt text unit { name } officers { finding officer { code } } } } } }";
    for app in TestApp::both().world() {
        let files = Files::new();
        let all = Nodes::over(&app, &files, "");
        let (board, admin) =
            (program().token(&app.database, "BOARD", None), program().token(&app.database, "ADMIN", None));
        let on = |nth: usize| Client { server: &all.nodes[nth], token: board.clone() };
        let agree = || [0, 1].map(|node| all.agree(node, &board, list, &json!({})));
        // A server without jobs refreshes its snapshot every two seconds.
        let from_memory = || {
            wait_until(20, "pages from memory on both nodes", || {
                agree();
                let number = || [0, 1].map(|node| pages(&all.nodes[node], &admin, "memory"));
                let before = number();
                agree();
                number().iter().zip(before).all(|(after, before)| *after > before)
            });
        };
        from_memory();
        let ids = all.plain.data(&board, "{ complaints(orderBy: [{field: RECEIVED_AT}]) { nodes { id } } }");
        let ids: Vec<Value> = ids["complaints"]["nodes"].list().iter().map(|node| node["id"].clone()).collect();
        handled(&on(0), "classifyComplaint", &ids[1], &json!({ "category": "TD2" }));
        agree();
        let sustained = json!({ "officer": "CC01", "finding": "SUSTAINED", "decidedOn": "2024-03-02" });
        handled(&on(1), "recordFinding", &ids[1], &sustained);
        agree();
        handled(&on(1), "changeComplaintState", &ids[1], &json!({ "state": "REJECTED", "reason": "Trùng" }));
        agree();
        let intake = Client { server: &all.nodes[0], token: program().token(&app.database, "INTAKE", None) };
        intake.submitted("new", &json!({ "unit": "02CV" }));
        agree();
        from_memory();
        // The last complaint of the file was received before all others; its id stays.
        let corrected = fixtures::COMPLAINTS.replace("PA-6;11/03/2024", "PA-6;01/01/2024");
        app.import("complaints", corrected, fixtures::COMPLAINTS_MAP);
        let answers = agree();
        let nodes = answers[0]["data"]["complaints"]["edges"].list();
        assert_eq!(nodes[nodes.len() - 1]["node"]["id"], ids[5], "the oldest: {}", answers[0]);
        from_memory();
        // Other ancestors, as of the day of each complaint.
        let units = fixtures::UNITS.replace("02CV-D1,Đội Thủ tục,TEAM,02CV", "02CV-D1,Đội Thủ tục,TEAM,03TG");
        app.import("units", units, fixtures::UNITS_MAP);
        wait_until(20, "the snapshots have the new tree", || {
            let texts = |server: &Server| server.graphql(&board, list, &json!({})).text;
            let plain = texts(&all.plain);
            all.nodes.iter().all(|node| texts(node) == plain)
        });
        from_memory();
    }
}

#[test]
fn a_page_from_memory_counts_against_the_limit_of_the_answer_as_any_other() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let all = Nodes::over(&app, &files, "[api.limits]\nanswer_bytes = 900\n");
        let (board, admin) =
            (program().token(&app.database, "BOARD", None), program().token(&app.database, "ADMIN", None));
        let mut refused = 0;
        for first in 0..7 {
            for selection in [
                "nodes { id state }",
                "edges { cursor node { version } } pageInfo { __typename startCursor endCursor hasNextPage }",
            ] {
                let query = format!("{{ complaints(first: {first}) {{ {selection} }} }}");
                let answer = all.agree(0, &board, &query, &json!({}));
                refused += usize::from(answer["data"].is_null());
            }
        }
        assert!((2..12).contains(&refused), "{refused} refused");
        assert!(pages(&all.nodes[0], &admin, "memory") > 0);
        // The operations of a batch share the limit.
        let bearer = format!("Bearer {board}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let batch =
            Value::from(vec![json!({ "query": "{ complaints(first: 1) { nodes { id state } } }" }); 10]).to_string();
        let plain = all.plain.send("POST", "/graphql", &headers, &batch).text;
        for _ in 0..3 {
            assert_eq!(all.nodes[0].send("POST", "/graphql", &headers, &batch).text, plain);
        }
        assert!(plain.contains("\"data\"") && plain.contains("BAD_USER_INPUT"), "{plain}");
    }
}

#[test]
fn a_page_from_memory_leaves_the_same_entry_in_the_audit_log() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let all = Nodes::over(&app, &files, "");
        let (board, admin) =
            (program().token(&app.database, "BOARD", None), program().token(&app.database, "ADMIN", None));
        let list = "query Shown { complaints(filter: {receivedAt: {gte: \"2024-02-01T00:00:00+07:00\"}}) {
            nodes { id text enterprise { taxCode } officers { officer { name } } } } }";
        (0..2).for_each(|_| drop(all.agree(0, &board, list, &json!({}))));
        assert!(pages(&all.nodes[0], &admin, "memory") > 0);
        let entries = || {
            let every = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation role objects } } }";
            let data = all.plain.data(&admin, every);
            let own = data["auditLog"]["nodes"].list().iter().filter(|entry| entry["operation"] == "Shown");
            own.cloned().collect::<Vec<_>>()
        };
        wait_until(5, "eight entries", || entries().len() == 8);
        let found = entries();
        assert!(found[0]["objects"]["officers"].list().len() > 1, "{found:?}");
        assert!(found.iter().all(|entry| *entry == found[0]), "{found:?}");
    }
}
