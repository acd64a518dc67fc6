//! Lists of complaints from the cache of objects are byte for byte those of a server without the cache.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
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
    "nodes { version responses(last: 2, filter: {text: {like: \"%kiểm%\"}}) { edges { cursor node { action } } } }",
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

/// Lists that are compared after each write.
fn some_documents() -> Vec<String> {
    documents()
        .into_iter()
        .filter(|document| document.contains("(first: 200)") || document.contains("COST_VND"))
        .collect()
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
                let is_allowed =
                    *viewer != self.viewers[0] || plain.status == 200 && !plain.text.contains("\"errors\"");
                assert!(is_allowed, "the Board may ask for everything: {document}: {}", plain.text);
                for _ in 0..2 {
                    let cached = self.cached.graphql(viewer, document, &json!({}));
                    assert_eq!((cached.status, &cached.text), (plain.status, &plain.text), "{document}");
                }
            }
        }
    }
}

/// (hits, misses) of a cache.
pub fn uses(server: &Server, admin: &str, cache: &str) -> (u64, u64) {
    let metrics = server.metrics(admin);
    let value = |outcome: &str| {
        let name = format!("phananh_{cache}_requests_total{{outcome=\"{outcome}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name)).expect("the metric");
        line.parse::<u64>().expect("a number")
    };
    (value("hit"), value("miss"))
}

/// A mutation of a complaint, which must give it a new version.
pub fn handled(board: &Client<'_>, mutation: &str, id: &Value, more: &Value) {
    let find = format!("{{ complaint(id: {id}) {{ version category {{ code }} state }} }}");
    let found = board.data(&find)["complaint"].clone();
    let mut input = json!({ "complaintId": id, "expectedVersion": found["version"] });
    for (name, value) in more.as_object().expect("an object") {
        input[name] = value.clone();
    }
    let of = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let before = input["expectedVersion"].integer();
    board.data_with(
        &format!("mutation ($input: {of}!) {{ {mutation}(input: $input) {{ position }} }}"),
        &json!({ "input": input }),
    );
    let after = board.data(&find)["complaint"]["version"].integer();
    // A classified complaint that has the category already stays as it is.
    let has_category = found["state"] != "RECEIVED" && found["category"]["code"] == more["category"];
    let is_unchanged = mutation == "classifyComplaint" && has_category && more.get("attributions").is_none();
    assert!(after > before || is_unchanged, "{mutation} of {found} with {more} gives a new version");
}

/// The ids of all complaints.
pub fn oldest_first(client: &Client<'_>) -> Vec<Value> {
    let all = client.data("{ complaints(orderBy: [{field: RECEIVED_AT, direction: ASC}]) { nodes { id } } }");
    all["complaints"]["nodes"].list().iter().map(|node| node["id"].clone()).collect()
}

/// A server with the cache of objects, and one without caches.
fn servers(app: &TestApp, files: &Files) -> [Server; 2] {
    let key = files.key_file();
    [files.without_answer_cache(), files.without_caches()].map(|[option, settings]| {
        program().serve(&app.database, &["--no-jobs", "--key-file", &key, &option, &settings])
    })
}

#[test]
fn a_list_from_the_cache_is_the_list_without_it_after_every_kind_of_write() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let [cached, plain] = servers(&app, &files);
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
        let (hits, _) = uses(&cached, &admin, "object_cache");
        assert!(hits > 500, "the second answers come from the cache: {hits}");
        assert_eq!(uses(&both.plain, &admin, "object_cache"), (0, 0), "a cache without memory is off");

        let on_cached = Client { server: &cached, token: board.clone() };
        let on_plain = Client { server: &both.plain, token: board };
        let ids = oldest_first(&on_plain);
        // A write is seen in the next answer, whichever node it went through.
        let some = some_documents();
        let confirmed = json!([{ "officer": "CC03", "attribution": "CONFIRMED" }]);
        for (client, mutation, nth, more) in [
            (&on_cached, "classifyComplaint", 3, json!({ "category": "TD1", "attributions": confirmed })),
            (&on_plain, "classifyComplaint", 1, json!({ "category": "TD2" })),
            (
                &on_cached,
                "recordFinding",
                1,
                json!({ "officer": "CC01", "finding": "SUSTAINED", "decidedOn": "2024-03-02" }),
            ),
            (&on_plain, "assignComplaint", 3, json!({})),
            (&on_cached, "redactComplaint", 5, json!({ "text": "Đã lược bỏ." })),
            (&on_plain, "changeComplaintState", 1, json!({ "state": "REJECTED", "reason": "Không thuộc thẩm quyền" })),
        ] {
            handled(client, mutation, &ids[nth], &more);
            both.agree(&some);
        }
        let head = Client { server: &both.plain, token: token("UNIT_HEAD", Some("03TG")) };
        handled(&head, "respondToComplaint", &ids[3], &json!({ "action": "EXPLANATION", "text": "Đã kiểm tra." }));
        both.agree(&some);
        let intake = Client { server: &cached, token: token("INTAKE", None) };
        intake.submitted("new", &json!({ "unit": "02CV", "officers": ["CC02"] }));
        both.agree(&some);
        let responses = "so_pa,don_vi,luc,noi_dung,hai_long\nPA-1,02CV,2024-01-20 09:00:00,Đã kiểm tra lại,\n";
        app.import("responses", responses, fixtures::RESPONSES_MAP);
        both.agree(&some);
        let corrected =
            fixtures::COMPLAINTS.replace("Cán bộ đòi tiền", "Cán bộ vòi tiền").replace("1.250.000", "1.300.000");
        app.import("complaints", corrected, fixtures::COMPLAINTS_MAP);
        both.agree(&some);
        assert!(on_cached.data("{ complaints { nodes { text } } }").to_string().contains("vòi tiền"));

        // New names are seen when the snapshot has them.
        let renamed = fixtures::UNITS
            .replace("Hải Phòng KV I", "Hải Phòng KV II")
            .replace("02CV-D1,Đội Thủ tục,TEAM,02CV", "02CV-D1,Đội Thủ tục,TEAM,02DS");
        app.import("units", renamed, fixtures::UNITS_MAP);
        let officers = fixtures::OFFICERS.replace("Lê Văn Cường", "Lê Văn Cương");
        app.import("officers", officers, fixtures::OFFICERS_MAP);
        let categories = fixtures::CATEGORIES.replace("Hách dịch", "Hách dịch và cửa quyền");
        app.import("categories", categories, fixtures::CATEGORIES_MAP);
        let enterprises = "mst,ten,nhom\n0100233488,Công ty A mới,N1\n";
        app.import("enterprises", enterprises, ENTERPRISES_MAP);
        let names = "{ complaints(first: 200) { nodes { unit { nameVi } category { nameVi } enterprise { name groupCode } officers { officer { name } } } } }";
        for client in [&on_cached, &on_plain] {
            wait_until(20, "the new names", || {
                let shown = client.data(names).to_string();
                let new = ["KV II", "Cương", "cửa quyền", "Công ty A mới", "N1"];
                new.iter().all(|name| shown.contains(name)) && !shown.contains("Cường")
            });
        }
        both.agree(&documents);
    }
}

pub const ENTERPRISES_MAP: &str =
    "source = \"danh-muc\"\n[fields]\ntax_code = \"mst\"\nname = \"ten\"\ngroup = \"nhom\"\n";

#[test]
fn a_cached_list_leaves_the_same_entry_in_the_audit_log() {
    for app in TestApp::both().world() {
        let files = Files::new();
        let [cached, plain] = servers(&app, &files);
        let token = |role: &str| program().token(&app.database, role, None);
        let (board, admin) = (token("BOARD"), token("ADMIN"));
        let people = "enterprise { taxCode } officers { officer { name } }";
        let selections = [
            format!("nodes {{ id text {people} }}"),
            format!("nodes {{ state {people} }}"),
            format!("edges {{ node {{ {people} }} }} nodes {{ reference }}"),
        ];
        let entries = |operation: &str| {
            let all = "{ auditLog(first: 200, filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
            let data = plain.data(&admin, all);
            let own = data["auditLog"]["nodes"].list().iter().filter(|entry| entry["operation"] == operation);
            own.map(|entry| entry["objects"].clone()).collect::<Vec<_>>()
        };
        for (nth, selection) in selections.iter().enumerate() {
            let operation = format!("Shown{nth}");
            let asked = |server: &Server, first: u32| {
                server.data(&board, &format!("query {operation} {{ complaints(first: {first}) {{ {selection} }} }}"));
            };
            // Another operation fills the cache with three of the six complaints.
            cached.data(&board, &format!("query Warm {{ complaints(first: 3) {{ {selection} }} }}"));
            asked(&plain, 200);
            asked(&cached, 200);
            asked(&cached, 200);
            wait_until(5, "three entries", || entries(&operation).len() == 3);
            let entries = entries(&operation);
            assert!(entries[0]["officers"].list().len() > 2 && !entries[0]["enterprises"].list().is_empty());
            assert!(entries.iter().all(|entry| *entry == entries[0]), "{selection}: {entries:?}");
        }
        let (hits, misses) = uses(&cached, &admin, "object_cache");
        assert!(hits > misses, "{hits} {misses}");
    }
}

#[test]
fn a_cached_page_reads_ids_alone_and_rows_that_changed() {
    for app in TestApp::both().world().arguments(&["--dev", "--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let document = "{ complaints { nodes { text officers { finding } responses { nodes { text } } } } }";
        let statements = || app.server().statements(&board.token, document);
        assert_eq!((statements(), statements()), (3, 1), "{}", app.database.name);
        let ids = board.data("{ complaints { nodes { id version } } }");
        handled(&board, "classifyComplaint", &ids["complaints"]["nodes"][5]["id"], &json!({ "category": "TD1" }));
        assert_eq!((statements(), statements()), (4, 1), "one complaint has a new version");
    }
}

#[test]
fn a_document_that_expands_without_end_is_refused_before_it_is_examined() {
    let app = TestApp::sqlite().world().arguments(&["--no-jobs"]).start();
    // Each of eleven fragments spreads the next in ten fields: 10^11 fields, in two kilobytes.
    let fields = |below: &str| (0..10).map(|n| format!("a{n}: parents {{ unit {{ {below} }} }}")).collect::<String>();
    let mut document = String::from("query { unit(code: \"02\") { ...F0 } } ");
    for nth in 0..11 {
        let below = if nth == 10 { "id".to_owned() } else { format!("...F{}", nth + 1) };
        document.push_str(&format!("fragment F{nth} on Unit {{ {} }} ", fields(&below)));
    }
    let answer = app.as_role(Role::Board).request(&document);
    assert_eq!((answer.status, answer.codes()), (400, vec!["GRAPHQL_VALIDATION_FAILED".to_owned()]), "{}", answer.text);
}
