//! What corrections and merges do to flags: raised by what is added, retracted with what is taken away, told in the
//! next digest; and earlier runs are still derived again.

use crate::program;
use serde_json::{Value, json};
use tests::fixtures::{self, Files};
use tests::work::Mutations;
use tests::{Client, Database, Json, Role, TestApp, merged};

/// Five enterprises complain about the same branch, and name nobody.
const COMPLAINTS: &str = "\
so_pa;ngay_nhan;mst;ten_dn;don_vi;can_bo;loai;ket_luan;ngay_kl;chi_phi;gio;noi_dung;kin
N-1;01/03/2024;0100233488;Công ty A;02DS;;TD2;;;;;Một;
N-2;02/03/2024;0314409058;Công ty B;02DS;;TD2;;;;;Hai;
N-3;03/03/2024;001099012345;Hộ C;02DS;;TD2;;;;;Ba;
N-4;04/03/2024;001099012346;Hộ D;02DS;;TD2;;;;;Bốn;
N-5;05/03/2024;001099012347;Hộ E;02DS;;TD2;;;;;Năm;
";

fn fill(database: &Database) {
    fixtures::fill(database);
    fixtures::import(database, "complaints", COMPLAINTS, fixtures::COMPLAINTS_MAP);
}

/// Runs the recurrence job by rules that count enterprises, and above WATCH only confirmed attributions.
fn run(database: &Database, as_of: &str) -> Value {
    let files = Files::new();
    let rules = fixtures::COUNTS.replace("days = 365", "days = 365, confirmed = true");
    let rules = files.put("rules.toml", rules);
    program()
        .json(database, &["jobs", "run", "recurrence", "--as-of", as_of, "--rules", rules.to_str().expect("a path")])
}

fn of_the_five(board: &Client<'_>) -> Vec<Value> {
    let all = board.data("{ complaints(first: 50) { nodes { id version text } } }")["complaints"]["nodes"].clone();
    let texts = ["Một", "Hai", "Ba", "Bốn", "Năm"];
    all.list().iter().filter(|one| texts.contains(&one["text"].text())).cloned().collect()
}

fn correct_all(board: &Client<'_>, more: &Value) {
    let all = of_the_five(board);
    assert_eq!(all.len(), 5, "{all:?}");
    for one in all {
        let input = json!({ "complaintId": one["id"], "expectedVersion": one["version"], "reason": "Xác minh." });
        let query = "mutation ($input: CorrectComplaintInput!) { correctComplaint(input: $input) { position } }";
        board.data_with(query, &json!({ "input": merged(&input, more) }));
    }
}

/// Tier and state of the flag on an officer; None without one.
fn flag(board: &Client<'_>, officer: &str) -> Option<(String, String)> {
    let flags = board.data("{ flags(first: 50) { nodes { tier state officer { code } } } }");
    let found = flags["flags"]["nodes"].list().iter().find(|flag| flag["officer"]["code"] == officer).cloned()?;
    Some((found["tier"].text().to_owned(), found["state"].text().to_owned()))
}

fn is(tier: &str, state: &str) -> Option<(String, String)> {
    Some((tier.to_owned(), state.to_owned()))
}

#[track_caller]
fn assert_reproduced(database: &Database, run: &Value) {
    let again = program().run(database, ["flags", "reproduce", run["run"].text(), "--format", "json"]);
    assert_eq!(again.status, 0, "{again:?}");
}

fn digest(database: &Database, day: &str) {
    for job in ["timeliness", "trends", "escalate-overdue", "digest"] {
        program().run(database, ["jobs", "run", job, "--as-of", day]).ok();
    }
}

/// The codes in a group of the digest of a day.
fn told(board: &Client<'_>, day: &str, group: &str) -> Vec<String> {
    let digests = board.data("{ digests(filter: {locale: {eq: VI}}) { nodes { asOf document } } }");
    let digests = digests["digests"]["nodes"].clone();
    let of_day = digests.list().iter().find(|digest| digest["asOf"] == day).expect("the digest").clone();
    let groups = of_day["document"]["flags"]["groups"].list().to_vec();
    let found = groups.iter().find(|one| one["key"] == group).expect("the group");
    found["listed"].list().iter().map(|line| line["code"].text().to_owned()).collect()
}

#[test]
fn an_officer_who_is_named_and_confirmed_is_flagged_and_the_flag_retracted_when_it_was_another() {
    for app in TestApp::both().filled(fill).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let nameless = run(&app.database, "2024-04-01");
        assert_eq!(flag(&board, "CC02"), None);
        correct_all(&board, &json!({ "addOfficers": [{ "officer": "CC02" }] }));
        let asserted = run(&app.database, "2024-04-02");
        assert_eq!(flag(&board, "CC02"), is("WATCH", "OPEN"), "asserted only");
        correct_all(
            &board,
            &json!({ "changeAllegations": [{ "officer": "CC02", "ordinal": 0, "attribution": "CONFIRMED" }] }),
        );
        let confirmed = run(&app.database, "2024-04-03");
        assert_eq!(flag(&board, "CC02"), is("SUSPENSION_REVIEW", "OPEN"));
        digest(&app.database, "2024-04-03");
        assert!(told(&board, "2024-04-03", "flags-new").contains(&"CC02".to_owned()));
        correct_all(&board, &json!({ "replaceOfficers": [{ "from": "CC02", "to": "CC03" }] }));
        let replaced = run(&app.database, "2024-04-04");
        assert_eq!(flag(&board, "CC02"), is("SUSPENSION_REVIEW", "RETRACTED"));
        assert_eq!(flag(&board, "CC03"), is("SUSPENSION_REVIEW", "OPEN"));
        digest(&app.database, "2024-04-04");
        assert_eq!(told(&board, "2024-04-04", "flags-retracted"), ["CC02"]);
        assert!(told(&board, "2024-04-04", "flags-new").contains(&"CC03".to_owned()));
        for run in [&nameless, &asserted, &confirmed, &replaced] {
            assert_reproduced(&app.database, run);
        }
    }
}

#[test]
fn enterprises_that_are_one_count_once_and_the_flag_that_counted_them_is_retracted() {
    for app in TestApp::both().filled(fill).arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        correct_all(&board, &json!({ "addOfficers": [{ "officer": "CC02", "attribution": "CONFIRMED" }] }));
        let before = run(&app.database, "2024-04-01");
        assert_eq!(flag(&board, "CC02"), is("SUSPENSION_REVIEW", "OPEN"));
        let merge = |from: &str| {
            let input = json!({ "from": from, "into": "0100233488", "reason": "Một chủ." });
            board.done("mergeEnterprises", "merge { complaints intoEnterprise { taxCode } }", &input)["merge"].clone()
        };
        for from in ["0314409058", "001099012345", "001099012346", "001099012347"] {
            assert_eq!(merge(from)["intoEnterprise"]["taxCode"], "0100233488");
        }
        let merged_run = run(&app.database, "2024-04-02");
        assert_eq!(flag(&board, "CC02"), is("SUSPENSION_REVIEW", "RETRACTED"), "one enterprise is left");
        let count =
            "{ complaintStatistics(filter: {officerIn: [\"CC02\"]}) { totals { complaints distinctEnterprises } } }";
        let totals = board.data(count)["complaintStatistics"]["totals"].clone();
        assert_eq!(totals["distinctEnterprises"], 1, "{totals}");
        let again = json!({ "from": "0314409058", "into": "001099012345", "reason": "x" });
        assert_eq!(board.send("mergeEnterprises", "position", &again).codes(), ["CONFLICT"]);
        let split = json!({ "taxCode": "0314409058", "reason": "Hai chủ." });
        board.done("splitEnterprise", "complaints merge { splitReason }", &split);
        let split_run = run(&app.database, "2024-04-03");
        for run in [&before, &merged_run, &split_run] {
            assert_reproduced(&app.database, run);
        }
    }
}

const STATE: &str = "{
    complaints(first: 50, orderBy: [{field: RECEIVED_AT}]) { nodes {
        id unit { code } category { code } enterprise { taxCode }
        officers { officer { code } ordinal category { code } unit { code } attribution finding decidedOn } } }
    officers(first: 50, orderBy: [{field: CODE}]) { nodes {
        code postings { unit { code } validFrom validTo } mergedInto { code } } }
    measures { nodes { kind decidedOn officer { code } } } }";

#[test]
fn a_split_takes_back_exactly_what_a_merge_moved() {
    for app in TestApp::both().filled(fill).arguments(&["--no-jobs"]) {
        let files = Files::new();
        let workload = "dv,cb,thang,so\n02CV,CC01,2024-01-01,120\n03TG,CC03,2024-01-01,80\n";
        let map = "source = \"them\"\n[fields]\nunit = \"dv\"\nofficer = \"cb\"\n\
            month = { column = \"thang\", format = \"%Y-%m-%d\" }\ndeclarations = \"so\"\n";
        app.import("workload", workload, map);
        let board = app.as_role(Role::Board);
        let measure = json!({
            "officer": "CC03", "kind": "FORMAL_REVIEW", "grounds": "Căn cứ.", "decisionMaker": "Chi cục trưởng",
            "decidedOn": "2024-02-10", "noBasisReason": "Theo đề nghị.",
        });
        app.as_head("03TG").done("recordMeasure", "measure { id }", &measure);
        let first = run(&app.database, "2024-04-01");
        let before = board.data(STATE);
        let input = json!({ "from": "CC03", "into": "CC01", "reason": "Cùng một người." });
        let merge = board.done("mergeOfficers", "merge { complaints fromOfficer { code } reason } position", &input);
        assert_eq!(merge["merge"]["complaints"], 2, "{merge}");
        let merged = board.data(STATE);
        let names = |state: &Value, code: &str| {
            let named = state["complaints"]["nodes"].list().iter().flat_map(|one| one["officers"].list());
            named.filter(|row| row["officer"]["code"] == code).count()
        };
        assert_eq!((names(&before, "CC03"), names(&merged, "CC03")), (2, 0));
        assert_eq!(names(&merged, "CC01"), names(&before, "CC01") + 2);
        let of = |state: &Value, code: &str| -> Value {
            let officers = state["officers"]["nodes"].list();
            officers.iter().find(|officer| officer["code"] == code).expect("the officer").clone()
        };
        assert_eq!(of(&merged, "CC03")["mergedInto"]["code"], "CC01");
        assert_eq!(of(&merged, "CC03")["postings"], json!([]));
        assert_eq!(merged["measures"]["nodes"][0]["officer"]["code"], "CC01");
        // What comes in under the merged code is about the other officer, submitted or imported.
        let submission = json!({ "idempotencyKey": "after", "text": "Sau khi gộp.", "officers": ["CC03", "CC01"] });
        let intake = app.as_role(Role::Intake);
        let late = intake.done("submitComplaint", "id", &submission)["id"].clone();
        let query = format!("{{ complaint(id: {late}) {{ officers {{ officer {{ code }} }} }} }}");
        assert_eq!(board.data(&query)["complaint"]["officers"], json!([{ "officer": { "code": "CC01" } }]));
        app.import("complaints", fixtures::COMPLAINTS, fixtures::COMPLAINTS_MAP);
        let changed = fixtures::COMPLAINTS.replace("Ẩn danh", "Vẫn ẩn danh");
        let imported = program().run(&app.database, files.import("complaints", changed, fixtures::COMPLAINTS_MAP)).ok();
        assert!(!imported.err.contains("keeps what the Board corrected"), "{imported:?}");
        assert_eq!(names(&board.data(STATE), "CC03"), 0);
        let second = run(&app.database, "2024-04-02");
        for (more, code) in [
            (json!({ "from": "CC03", "into": "CC02" }), "CONFLICT"),
            (json!({ "from": "CC02", "into": "CC03" }), "CONFLICT"),
            (json!({ "from": "CC02", "into": "CC02" }), "BAD_USER_INPUT"),
            (json!({ "from": "CC02", "into": "CC99" }), "BAD_USER_INPUT"),
            (json!({ "from": "CC02", "into": "CC01", "reason": " " }), "BAD_USER_INPUT"),
        ] {
            let input = tests::merged(&json!({ "reason": "x" }), &more);
            let answer = board.send("mergeOfficers", "position", &input);
            assert_eq!(answer.codes(), [code], "{more}: {}", answer.text);
        }
        // The member was CC03 and is CC01 now, and still sees no complaint about themselves.
        let member = app.as_member("merged", "CC03");
        let seen = member.data("{ complaints(first: 50) { nodes { officers { officer { code } } } } }").to_string();
        assert!(!seen.contains("CC01"), "{seen}");
        assert_eq!(member.send("mergeOfficers", "position", &input).codes(), ["FORBIDDEN"]);
        assert_eq!(member.data("{ merges { totalCount } }")["merges"]["totalCount"], 0);
        let split = board.done(
            "splitOfficer",
            "complaints merge { splitAt splitReason }",
            &json!({ "officer": "CC03", "reason": "Hai người." }),
        );
        assert_eq!((&split["complaints"], &split["merge"]["splitReason"]), (&json!(2), &json!("Hai người.")));
        let mut after = board.data(STATE);
        let nodes = after["complaints"]["nodes"].list().iter().filter(|one| one["id"] != late).cloned();
        let nodes: Value = nodes.collect();
        after["complaints"]["nodes"] = nodes;
        assert_eq!(after, before);
        let third = run(&app.database, "2024-04-03");
        for run in [&first, &second, &third] {
            assert_reproduced(&app.database, run);
        }
        // Some complaints are moved by themselves.
        let moved = json!({ "officer": "CC01", "to": "CC02", "complaintIds": [late], "reason": "Nhầm người." });
        assert_eq!(
            board.done("splitOfficer", "complaints merge { id }", &moved),
            json!({ "complaints": 1, "merge": null })
        );
        assert_eq!(board.send("splitOfficer", "complaints", &moved).codes(), ["BAD_USER_INPUT"], "it names CC02 now");
        let bare = json!({ "officer": "CC01", "to": "CC02", "reason": "x" });
        assert_eq!(board.send("splitOfficer", "complaints", &bare).codes(), ["BAD_USER_INPUT"]);
        assert_eq!(
            board.send("splitOfficer", "complaints", &json!({ "officer": "CC03", "reason": "x" })).codes(),
            ["BAD_USER_INPUT"]
        );
        let merges = board.data(
            "{ merges(filter: {splitAt: {isNull: false}}) { nodes {
                fromOfficer { code } intoOfficer { code } complaints } } }",
        );
        let expected =
            json!([{ "fromOfficer": { "code": "CC03" }, "intoOfficer": { "code": "CC01" }, "complaints": 2 }]);
        assert_eq!(merges["merges"]["nodes"], expected);
    }
}
