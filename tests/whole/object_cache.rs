//! Lists of complaints from the cache of objects are byte for byte those of a server without the cache.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::{Client, Json, Role, Server, TestApp, wait_until};

/// Selections that are cached, and some that are not.
const SELECTIONS: [&str; 12] = [
    "nodes { id reference version state stateSince receivedAt text costVnd delayHours }",
    "nodes { id category { code name } unit { code nameVi } department { code } branch { code } team { code } }",
    "edges { cursor node { reference version } } pageInfo { hasNextPage startCursor endCursor }",
    "nodes { version } edges { node { text version } } totalCount",
    "a: nodes { version } b: nodes { state other: version }",
    "nodes { enterprise { pseudonym } officers { finding attribution decidedOn officer { pseudonym } unit { code } } }",
    "nodes { version responses(first: 1) { totalCount nodes { text respondedAt unit { code } } pageInfo { endCursor } } }",
    "nodes { version responses(last: 2, filter: {text: {contains: \"kiểm\"}}) { edges { cursor node { action } } } }",
    "nodes { ...F matters { finding category { code owner { code } } } }",
    "nodes { version ...F } nodes { state }",
    "nodes { version redactedText sources { source reference } }",
    "nodes { version text @skip(if: false) state @include(if: false) }",
];

/// Orders and pages.
const LISTS: [&str; 5] = [
    "first: 3",
    "first: 200",
    "last: 2, orderBy: [{field: COST_VND, direction: ASC}]",
    "orderBy: [{field: DELAY_HOURS, direction: DESC}, {field: STATE_SINCE, direction: ASC}]",
    "filter: {state: {ne: CLOSED}}, orderBy: [{field: RECORDED_AT, direction: ASC}]",
];

fn documents() -> Vec<String> {
    let mut all = Vec::new();
    for selection in SELECTIONS {
        for list in LISTS {
            let fragment = if selection.contains("...F") {
                "fragment F on Complaint { channel legalForm ... on Complaint { confidential unit { ...U } } } \
                 fragment U on Unit { kind peerGroup }"
            } else {
                ""
            };
            all.push(format!("query Listed {{ complaints({list}) {{ {selection} }} }} {fragment}"));
        }
    }
    all
}

/// A server with the cache, one without it, and the tokens of viewers with different rights.
struct Both<'a> {
    cached: &'a Server,
    plain: Server,
    viewers: Vec<String>,
}

impl Both<'_> {
    /// Compares the answers to all documents; the second answer of the cached server comes from its cache.
    #[track_caller]
    fn agree(&self, documents: &[String]) {
        for document in documents {
            for viewer in &self.viewers {
                let plain = self.plain.graphql(viewer, document, &json!({}));
                for _ in 0..2 {
                    let cached = self.cached.graphql(viewer, document, &json!({}));
                    assert_eq!((cached.status, &cached.text), (plain.status, &plain.text), "{document}");
                }
            }
        }
    }
}

/// (hits, misses) of the cache.
fn uses(server: &Server, admin: &str) -> (u64, u64) {
    let metrics = server.metrics(admin);
    let value = |outcome: &str| {
        let name = format!("phananh_object_cache_requests{{outcome=\"{outcome}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).expect("the metric");
        line.parse::<u64>().expect("a number")
    };
    (value("hit"), value("miss"))
}

fn handled(board: &Client<'_>, mutation: &str, id: &Value, more: &Value) {
    let find = format!("{{ complaint(id: {id}) {{ version }} }}");
    let mut input = json!({ "complaintId": id, "expectedVersion": board.data(&find)["complaint"]["version"] });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    let of = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    board.data_with(
        &format!("mutation ($input: {of}!) {{ {mutation}(input: $input) {{ position }} }}"),
        &json!({ "input": input }),
    );
}

#[test]
fn a_list_from_the_cache_is_the_list_without_it_after_every_kind_of_write() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let key = app.key_file(&files).display().to_string();
        let settings = files.put("phananh.toml", "[api]\nobject_cache_mb = 0\n").display().to_string();
        let cached = program().serve(&app.database, &["--no-jobs", "--key-file", &key]);
        let plain = program().serve(&app.database, &["--no-jobs", "--key-file", &key, "--config", &settings]);
        let token = |role: &str, unit| program().token(&app.database, role, unit);
        let (board, admin) = (token("BOARD", None), token("ADMIN", None));
        let viewers = vec![
            board.clone(),
            token("UNIT_HEAD", Some("02")),
            token("UNIT_HEAD", Some("03TG")),
            token("DATA_TEAM", None),
        ];
        let both = Both { cached: &cached, plain, viewers };
        let documents = documents();
        both.agree(&documents);
        let (hits, _) = uses(&cached, &admin);
        assert!(hits > 1_000, "the second answers come from the cache: {hits}");
        assert_eq!(uses(&both.plain, &admin), (0, 0), "a cache without memory is off");

        let on_cached = Client { server: &cached, token: board.clone() };
        let on_plain = Client { server: &both.plain, token: board };
        let all = on_plain.data("{ complaints(orderBy: [{field: RECEIVED_AT, direction: ASC}]) { nodes { id } } }");
        let ids: Vec<Value> = all["complaints"]["nodes"].list().iter().map(|node| node["id"].clone()).collect();
        // A write is seen in the next answer, whichever node it went through.
        for (client, mutation, nth, more) in [
            (&on_cached, "classifyComplaint", 3, json!({ "category": "TD1" })),
            (&on_plain, "classifyComplaint", 4, json!({ "category": "TD2" })),
            (
                &on_cached,
                "recordFinding",
                1,
                json!({ "officer": "CC01", "finding": "SUSTAINED", "decidedOn": "2024-03-02" }),
            ),
            (&on_plain, "assignComplaint", 4, json!({})),
            (&on_cached, "redactComplaint", 5, json!({ "text": "Đã lược bỏ." })),
            (&on_plain, "changeComplaintState", 3, json!({ "state": "REJECTED", "reason": "Không thuộc thẩm quyền" })),
        ] {
            handled(client, mutation, &ids[nth], &more);
            both.agree(&documents);
        }
        let responses = "so_pa,don_vi,luc,noi_dung,hai_long\nPA-2,02CV,2024-01-20 09:00:00,Đã kiểm tra lại,\n";
        program().run(&app.database, files.import("responses", responses, fixtures::RESPONSES_MAP)).ok();
        both.agree(&documents);

        // New names are seen when the snapshot has them.
        let renamed = fixtures::UNITS.replace("Hải Phòng KV I", "Hải Phòng KV II");
        program().run(&app.database, files.import("units", renamed, fixtures::UNITS_MAP)).ok();
        let officers = fixtures::OFFICERS.replace("Lê Văn Cường", "Lê Văn Cương");
        program().run(&app.database, files.import("officers", officers, fixtures::OFFICERS_MAP)).ok();
        let names = "{ complaints { nodes { unit { nameVi } officers { officer { name } } } } }";
        for client in [&on_cached, &on_plain] {
            wait_until(20, "the new names", || {
                let shown = client.data(names).to_string();
                shown.contains("KV II") && shown.contains("Cương") && !shown.contains("Cường")
            });
        }
        both.agree(&documents);
    }
}

#[test]
fn a_cached_list_leaves_the_same_entry_in_the_audit_log() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
        let document = "query Shown { complaints(first: 200) { nodes { id text enterprise { taxCode } officers { officer { name } } } } }";
        let entries = || {
            let all =
                admin.data("{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation objects } } }");
            let own = all["auditLog"]["nodes"].list().iter().filter(|entry| entry["operation"] == "Shown");
            own.map(|entry| entry["objects"].clone()).collect::<Vec<_>>()
        };
        let before = uses(app.server(), &admin.token);
        for _ in 0..3 {
            board.data(document);
        }
        let after = uses(app.server(), &admin.token);
        assert_eq!((after.0 - before.0, after.1 - before.1), (12, 6), "six complaints, asked for three times");
        wait_until(5, "three entries", || entries().len() == 3);
        let entries = entries();
        assert!(entries[0].to_string().contains("officers"), "{}", entries[0]);
        assert!(entries.iter().all(|entry| *entry == entries[0]), "{entries:?}");
    }
}

#[test]
fn a_cached_page_reads_ids_alone_and_rows_that_changed() {
    for app in TestApp::both().world().arguments(&["--dev", "--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let document = "{ complaints { nodes { text officers { finding } responses { nodes { text } } } } }";
        let statements = || app.server().statements(&board.token, document);
        let first = statements();
        assert_eq!((first, statements()), (4, 1), "{}", app.database.name);
        let ids = board.data("{ complaints { nodes { id version } } }");
        handled(&board, "classifyComplaint", &ids["complaints"]["nodes"][5]["id"], &json!({ "category": "TD1" }));
        assert_eq!((statements(), statements()), (4, 1), "one complaint has a new version");
    }
}
