//! Whole answers from the cache are byte for byte those of a server without it, whatever is written, by whichever node,
//! and whoever asks.

use crate::object_cache::{ENTERPRISES_MAP, handled, oldest_first, uses};
use crate::program;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Client, Json, Server, TestApp, wait_until};

/// Lists that are kept, each with variables.
static LISTS: [(&str, &str); 5] = [
    (
        "query Page($d: String!, $n: Int) { complaints(filter: {unit: {within: $d}}, first: $n) { totalCount nodes {
           id reference text state version costVnd unit { name } category { nameVi }
           enterprise { taxCode name groupCode } officers { finding officer { code name } } responses(first: 2) { totalCountUpTo(limit: 1) nodes { text unit { code } } } }
           pageInfo { hasNextPage endCursor } } }",
        r#"{ "d": "02", "n": 4 }"#,
    ),
    (
        "query Pseudonyms($all: Boolean! = true) { complaints(orderBy: [{field: COST_VND}]) { edges { cursor node {
           state version officers { officer { pseudonym } } enterprise @include(if: $all) { pseudonym } } } } }",
        "{}",
    ),
    ("query Merged { complaints { nodes { version } } complaints { totalCount nodes { state } } }", "{}"),
    ("{ complaints(filter: {search: \"cán bộ\"}) { __typename nodes { text } } }", "{}"),
    (
        "{ complaints(filter: {officers: {officer: {name: {like: \"%n%\"}}}}, last: 3) {
           nodes { id matters { finding } } } }",
        "{}",
    ),
];

/// Nodes over one register, a server without caches, and the tokens of who asks.
pub struct Nodes {
    pub nodes: [Server; 2],
    pub plain: Server,
    pub viewers: Vec<String>,
}

impl Nodes {
    pub fn over(app: &TestApp, files: &Files, viewers: Vec<String>) -> Self {
        let key = files.key_file();
        let [option, settings] = files.without_caches();
        let serve = |more: &[&str]| {
            let arguments = [&["--no-jobs", "--key-file", key.as_str()][..], more].concat();
            program().serve(&app.database, &arguments)
        };
        Self { nodes: [serve(&[]), serve(&[])], plain: serve(&[&option, &settings]), viewers }
    }

    /// Asks for each list three times on each node: the answers are those of the server without caches. Returns how
    /// many came from a cache, and how many lists the viewers may ask for.
    #[track_caller]
    fn agree(&self, admin: &str) -> (u64, u64) {
        let hits = || self.nodes.iter().map(|node| uses(node, admin, "answer_cache").0).sum::<u64>();
        let (before, mut allowed) = (hits(), 0);
        for (list, variables) in LISTS {
            let variables: Value = serde_json::from_str(variables).unwrap();
            for viewer in &self.viewers {
                let plain = self.plain.graphql(viewer, list, &variables);
                allowed += u64::from(plain.status == 200 && !plain.text.contains("\"errors\""));
                for node in self.nodes.iter().cycle().take(6) {
                    let given = node.graphql(viewer, list, &variables);
                    assert_eq!((given.status, &given.text), (plain.status, &plain.text), "{list}");
                }
            }
        }
        (hits() - before, allowed)
    }
}

/// Tokens of all roles, of heads of several units, and of members of the Board who are officers.
pub fn everybody(app: &TestApp) -> Vec<String> {
    let of = |role: &str, unit| program().token(&app.database, role, unit);
    let mut all: Vec<String> = ["BOARD", "DATA_TEAM", "DASHBOARD", "INTAKE"].map(|role| of(role, None)).into();
    all.extend(["02", "02CV", "03TG"].map(|unit| of("UNIT_HEAD", Some(unit))));
    all.extend(["CC01", "CC03"].map(|officer| {
        let name = format!("member {officer}");
        program().token_by(&app.database, &["--name", &name, "--role", "BOARD", "--officer", officer])
    }));
    all
}

#[test]
fn an_answer_given_again_is_that_of_a_server_without_caches_after_every_kind_of_write() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let admin = program().token(&app.database, "ADMIN", None);
        let all = Nodes::over(&app, &files, everybody(&app));
        let (hits, allowed) = all.agree(&admin);
        // The Board and its members may ask for everything. The third answer of each node is given again, unless the
        // machine is too busy to read a position in time.
        assert!(allowed > 15 && hits > allowed && hits <= 2 * allowed, "{hits} hits, {allowed} allowed");
        assert_eq!(uses(&all.plain, &admin, "answer_cache"), (0, 0), "a cache without memory is off");

        let board = all.viewers[0].clone();
        let on = |nth: usize| Client { server: &all.nodes[nth], token: board.clone() };
        let (here, there, elsewhere) = (on(0), on(1), Client { server: &all.plain, token: board.clone() });
        let ids = oldest_first(&here);
        let confirmed = json!([{ "officer": "CC03", "attribution": "CONFIRMED" }]);
        let sustained = json!({ "officer": "CC01", "finding": "SUSTAINED", "decidedOn": "2024-03-02" });
        for (client, mutation, nth, more) in [
            (&here, "classifyComplaint", 3, json!({ "category": "TD1", "attributions": confirmed })),
            (&there, "recordFinding", 1, sustained),
            (&elsewhere, "assignComplaint", 3, json!({})),
            (&there, "redactComplaint", 5, json!({ "text": "Đã lược bỏ." })),
            (&here, "changeComplaintState", 1, json!({ "state": "REJECTED", "reason": "Không thuộc thẩm quyền" })),
        ] {
            handled(client, mutation, &ids[nth], &more);
            assert!(all.agree(&admin).0 > 0, "{mutation}");
        }
        let head = program().token(&app.database, "UNIT_HEAD", Some("03TG"));
        let head = Client { server: &all.nodes[1], token: head };
        handled(&head, "respondToComplaint", &ids[3], &json!({ "action": "EXPLANATION", "text": "Đã kiểm tra." }));
        assert!(all.agree(&admin).0 > 0, "a response");
        let intake = Client { server: &all.plain, token: program().token(&app.database, "INTAKE", None) };
        submit(&intake, "new");
        assert!(all.agree(&admin).0 > 0, "a submission");
        // Another process.
        let responses = "so_pa,don_vi,luc,noi_dung,hai_long\nPA-1,02CV,2024-01-20 09:00:00,Đã kiểm tra lại,\n";
        app.import("responses", responses, fixtures::RESPONSES_MAP);
        assert!(all.agree(&admin).0 > 0, "responses of a file");
        let corrected = fixtures::COMPLAINTS.replace("Cán bộ đòi tiền", "Cán bộ vòi tiền");
        app.import("complaints", corrected, fixtures::COMPLAINTS_MAP);
        assert!(all.agree(&admin).0 > 0, "a corrected file");
        assert!(here.data(LISTS[3].0).to_string().contains("vòi tiền"));

        // New names, and another tree of units, are seen when the snapshot of a node has them.
        let renamed = fixtures::UNITS
            .replace("Sài Gòn KV I", "Sài Gòn KV II")
            .replace("02CV-D1,Đội Thủ tục,TEAM,02CV", "02CV-D1,Đội Thủ tục,TEAM,02DS");
        app.import("units", renamed, fixtures::UNITS_MAP);
        let officers = fixtures::OFFICERS.replace("Nguyễn Văn An", "Nguyễn Văn Ân");
        app.import("officers", officers, fixtures::OFFICERS_MAP);
        let enterprises = "mst,ten,nhom\n0100233488,Công ty A mới,N1\n";
        app.import("enterprises", enterprises, ENTERPRISES_MAP);
        let categories = fixtures::CATEGORIES.replace("Sách nhiễu", "Nhũng nhiễu");
        app.import("categories", categories, fixtures::CATEGORIES_MAP);
        for client in [&here, &there, &elsewhere] {
            wait_until(20, "the new names", || {
                let shown = client.data_with(LISTS[0].0, &json!({ "d": "02", "n": 100 })).to_string();
                ["KV II", "Nguyễn Văn Ân", "Công ty A mới", "N1", "Nhũng nhiễu"].iter().all(|name| shown.contains(name))
            });
        }
        assert!(all.agree(&admin).0 > 0, "other names");
    }
}

fn submit(intake: &Client<'_>, key: &str) {
    intake.submitted(key, &json!({ "text": "Cán bộ trả hồ sơ.", "unit": "02CV", "officers": ["CC02"] }));
}

#[test]
fn random_writes_and_reads_on_two_nodes_are_those_of_a_server_without_caches() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let all = Nodes::over(&app, &files, everybody(&app));
        let intake = program().token(&app.database, "INTAKE", None);
        let oldest = "{ complaints(orderBy: [{field: RECEIVED_AT, direction: ASC}]) { nodes { id } } }";
        let id = all.plain.data(&all.viewers[0], oldest)["complaints"]["nodes"][1]["id"].clone();
        let seed = rand::random::<u64>();
        eprintln!("{}: seed {seed}", app.database.name);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut findings = ["SUSTAINED", "NOT_SUSTAINED"].iter().cycle();
        for step in 0..400 {
            let node = all.nodes.choose(&mut random).unwrap();
            match random.random_range(0..40) {
                0 => submit(&Client { server: node, token: intake.clone() }, &format!("{step}")),
                1 => {
                    let board = Client { server: node, token: all.viewers[0].clone() };
                    let finding = findings.next().unwrap();
                    let more = json!({ "officer": "CC01", "finding": finding, "decidedOn": "2024-03-02" });
                    handled(&board, "recordFinding", &id, &more);
                }
                _ => {
                    let (list, variables) = LISTS[..2].choose(&mut random).unwrap();
                    let variables: Value = serde_json::from_str(variables).unwrap();
                    let viewer = all.viewers[..2].choose(&mut random).unwrap();
                    let [plain, given] = [&all.plain, node].map(|server| server.graphql(viewer, list, &variables));
                    assert_eq!(
                        (given.status, given.text),
                        (plain.status, plain.text),
                        "seed {seed}, step {step}: {list}"
                    );
                }
            }
        }
        let admin = program().token(&app.database, "ADMIN", None);
        let hits: u64 = all.nodes.iter().map(|node| uses(node, &admin, "answer_cache").0).sum();
        assert!(hits > 10, "{hits} hits, seed {seed}");
    }
}

#[test]
fn reads_after_a_write_see_it_on_every_node_under_load() {
    for app in TestApp::both().world() {
        let nodes = [0, 1].map(|_| program().serve(&app.database, &["--no-jobs"]));
        let board = program().token(&app.database, "BOARD", None);
        let intake = program().token(&app.database, "INTAKE", None);
        let count = "{ complaints { totalCount } }";
        let stored = |server: &Server| server.data(&board, count)["complaints"]["totalCount"].integer();
        let written = AtomicI64::new(stored(&nodes[0]));
        std::thread::scope(|scope| {
            for reader in 0..4 {
                let (nodes, written, stored) = (&nodes, &written, &stored);
                scope.spawn(move || {
                    for turn in 0..150 {
                        let least = written.load(Ordering::SeqCst);
                        let seen = stored(&nodes[(reader + turn) % 2]);
                        assert!(seen >= least, "{seen} complaints after {least} were written");
                    }
                });
            }
            for number in 0..20 {
                submit(&Client { server: &nodes[number % 2], token: intake.clone() }, &format!("n{number}"));
                written.fetch_add(1, Ordering::SeqCst);
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        });
        assert_eq!(stored(&nodes[1]), written.load(Ordering::SeqCst));
    }
}

#[test]
fn each_time_that_an_answer_is_given_leaves_the_same_entry_in_the_audit_log() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let key = files.key_file();
        let [option, settings] = files.without_caches();
        let cached = program().serve(&app.database, &["--no-jobs", "--key-file", &key]);
        let plain = program().serve(&app.database, &["--no-jobs", "--key-file", &key, &option, &settings]);
        let token = |name: &str, role: &str| program().token_by(&app.database, &["--name", name, "--role", role]);
        let (board, other, admin) = (token("Lan", "BOARD"), token("Hoa", "BOARD"), token("Nam", "ADMIN"));
        let list = "query Shown { complaints(filter: {enterprise: {taxCode: {eq: \"0100233488\"}}}) {
            nodes { id text enterprise { taxCode } officers { officer { name } } } } }";
        plain.data(&board, list);
        (0..4).for_each(|_| drop(cached.data(&board, list)));
        cached.data(&other, list);
        assert_eq!(uses(&cached, &admin, "answer_cache"), (3, 2));
        let entries = || {
            let all =
                "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation actor role objects } } }";
            let data = plain.data(&admin, all);
            let own = data["auditLog"]["nodes"].list().iter().filter(|entry| entry["operation"] == "Shown");
            own.cloned().collect::<Vec<_>>()
        };
        wait_until(5, "six entries", || entries().len() == 6);
        let found = entries();
        let objects = &found[0]["objects"];
        assert!(!objects["officers"].list().is_empty() && !objects["asked"].list().is_empty(), "{objects}");
        assert!(found.iter().all(|entry| entry["objects"] == *objects && entry["role"] == "BOARD"), "{found:?}");
        let of = |actor: &str| found.iter().filter(|entry| entry["actor"] == actor).count();
        assert_eq!((of("token:Lan"), of("token:Hoa")), (5, 1));
    }
}

#[test]
fn a_kept_answer_is_for_those_who_may_still_ask() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let [option, settings] = files.config("heads.toml", "[api]\ntrusted_operations = [\"UNIT_HEAD\"]\n");
        let server = program().serve(&app.database, &["--no-jobs", &option, &settings]);
        let list = "query Own { complaints { nodes { reference } } }";
        let admin = Client { server: &server, token: program().token(&app.database, "ADMIN", None) };
        // One of two heads of one unit may run the operation.
        let [may, may_not] = ["may", "may not"].map(|name| {
            let arguments = ["--name", name, "--role", "UNIT_HEAD", "--unit", "02CV"];
            Client { server: &server, token: program().token_by(&app.database, &arguments) }
        });
        app.run(&["token", "trust", "--name", "may", files.put("own.graphql", list).to_str().unwrap()]);
        let given: Vec<String> = (0..4).map(|_| may.request(list).text).collect();
        assert!(given[0].contains("PA-2024") && given.iter().all(|text| *text == given[0]), "{given:?}");
        assert_eq!(uses(&server, &admin.token, "answer_cache").0, 2);
        assert_eq!(may_not.codes(list), ["FORBIDDEN"]);
        admin.data("mutation { revokeTokens(name: \"may\", disable: false) { revoked } }");
        wait_until(2, "the token ends", || may.request(list).status == 401);
        let without = Client { server: &server, token: String::new() };
        assert_eq!(without.request(list).status, 401);
    }
}

#[test]
fn errors_are_not_kept() {
    for app in TestApp::both().world() {
        let server = program().serve(&app.database, &["--no-jobs"]);
        let board = Client { server: &server, token: program().token(&app.database, "BOARD", None) };
        let list = "{ complaints(filter: {unit: {within: \"99\"}}) { totalCount } }";
        (0..4).for_each(|_| assert_eq!(board.codes(list), ["BAD_USER_INPUT"]));
        let (hits, misses) = uses(&server, &program().token(&app.database, "ADMIN", None), "answer_cache");
        assert_eq!((hits, misses), (0, 4));
        let units = format!("{}99,Cục mới,PROVINCIAL_DEPARTMENT,TC,,,\n", fixtures::UNITS);
        app.import("units", units, fixtures::UNITS_MAP);
        wait_until(20, "the new unit", || board.codes(list).is_empty());
    }
}

#[test]
fn an_answer_given_again_counts_against_the_limit_of_a_batch_and_comes_by_every_way() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let limits = "[api.limits]\nanswer_bytes = 3000\n";
        let serve = |name: &str, api: &str| {
            let [option, settings] = files.config(name, &format!("[api]\nobject_cache_mb = 0\n{api}{limits}"));
            program().serve(&app.database, &["--no-jobs", &option, &settings])
        };
        let (cached, plain) = (serve("cached.toml", ""), serve("plain.toml", "answer_cache_mb = 0\n"));
        let board = program().token(&app.database, "BOARD", None);
        let bearer = format!("Bearer {board}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let list = "{ complaints { nodes { id text } } }";
        (0..2).for_each(|_| drop(cached.data(&board, list)));
        let batch = Value::from(vec![json!({ "query": list }); 10]).to_string();
        let [given, wanted] = [&cached, &plain].map(|server| server.send("POST", "/graphql", &headers, &batch));
        assert_eq!(given.text, wanted.text, "{}", app.database.name);
        assert!(wanted.text.contains("\"data\"") && wanted.text.contains("BAD_USER_INPUT"), "{wanted:?}");
        let admin = program().token(&app.database, "ADMIN", None);
        let (hits, _) = uses(&cached, &admin, "answer_cache");
        assert!(hits > 0);
        let path = "/graphql?query=%7B%20complaints%20%7B%20nodes%20%7B%20id%20text%20%7D%20%7D%20%7D";
        let [given, wanted] = [&cached, &plain].map(|server| server.send("GET", path, &headers[..1], ""));
        assert_eq!((&given.text, given.status), (&wanted.text, 200));
        assert_eq!(uses(&cached, &admin, "answer_cache").0, hits + 1);
        for name in ["vary", "cache-control", "etag"] {
            assert_eq!(given.header(name), wanted.header(name), "{name}");
        }
    }
}
