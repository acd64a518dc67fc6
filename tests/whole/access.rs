//! Which roles may see and do what: everything is denied by default.

use crate::program;
use api::access::{Guard, allowed, rows};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Client, Json, Role, TestApp, fixtures, wait_until};

pub fn guard() -> Guard {
    Guard::new(&api::graphql::sdl(&api::graphql::schema(false))).unwrap()
}

#[test]
fn the_table_knows_every_field_of_the_schema_and_nothing_else() {
    let guard = guard();
    let fields: BTreeSet<(&str, &str)> = guard.fields().collect();
    assert!(fields.len() > 250, "{}", fields.len());
    let mut table: BTreeSet<(&str, &str)> = BTreeSet::new();
    for (of, field, ..) in rows() {
        assert!(table.insert((of, field)), "{of}.{field} stands in two rows");
    }
    for (of, field) in &fields {
        let has_row = table.contains(&(*of, *field)) || table.contains(&(*of, "*"));
        assert!(has_row, "{of}.{field} stands in no row: it is denied to everybody");
    }
    for (of, field) in &table {
        let is_in_schema = fields.iter().any(|(name, one)| name == of && (*field == "*" || one == field));
        assert!(is_in_schema, "the table speaks of {of}.{field}, which is not in the schema");
    }
    // The table denies what is new until a row says who may see it.
    assert!(!allowed(Role::Board, "Complaint2", "text") && !allowed(Role::Board, "Query", "everything"));
}

#[test]
fn what_a_head_reads_of_a_flag_tells_nothing_of_who_complained_in_confidence() {
    for app in TestApp::both().world_with_flags("2024-03-31").arguments(&["--no-jobs"]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02CV"));
        let query =
            "{ flags { nodes { subjectKind tier evidenceIds reasonVi reasonEn numbers { windows { complaints } } } } }";
        let flags = |client: &Client<'_>| client.data(query)["flags"]["nodes"].list().to_vec();
        let withheld = |flag: &Value| ["numbers", "reasonVi", "reasonEn"].iter().all(|field| flag[*field].is_null());
        let shown = |flag: &Value| ["numbers", "reasonVi", "reasonEn"].iter().all(|field| !flag[*field].is_null());
        let (all, own) = (flags(&board), flags(&head));
        assert!(!all.is_empty() && all.iter().all(shown), "{all:?}");
        // PA-6 names the officer and the branch. The head of the branch may not learn who complained.
        assert!(!own.is_empty() && own.iter().all(withheld), "{own:?}");
        assert!(own.iter().all(|flag| flag["tier"].is_string()), "{own:?}");
        let import = |complaints: &str| app.import("complaints", complaints, fixtures::COMPLAINTS_MAP);
        // The head reads no numbers after PA-6 names somebody else, because the run counted it. The head reads none
        // either where nothing is confidential: otherwise missing numbers would tell of a confidential complaint.
        let kept = "02CV;CC01;TD1;;;;;Xin giữ kín;x";
        assert!(fixtures::COMPLAINTS.contains(kept));
        import(&fixtures::COMPLAINTS.replace(kept, "03TG;CC03;TD1;;;;;Xin giữ kín;x"));
        assert!(flags(&head).iter().all(withheld), "{:?}", flags(&head));
        let open = fixtures::COMPLAINTS.replace("Xin giữ kín;x", "Xin giữ kín;");
        import(&open);
        let nothing_kept = flags(&head);
        assert!(nothing_kept.iter().all(withheld), "{nothing_kept:?}");
        // A further confidential complaint changes nothing that the head reads.
        import(&format!("{open}PA-7;12/03/2024;0100233488;Công ty A;02CV;CC01;TD1;;;;;Xin giữ kín;x\n"));
        assert_eq!(flags(&head), nothing_kept);
        // A member of the Board decides neither about himself nor about a branch in which he served.
        assert_eq!(flags(&app.as_member("named", "CC01")), [Value::Null; 0]);
        // A member sees that others are flagged, but no number: it could count complaints that name the member.
        let other = app.as_member("other", "CC02");
        assert!(flags(&other).len() == all.len() && flags(&other).iter().all(withheld), "{:?}", flags(&other));
    }
}

#[test]
fn readers_of_blame_are_audited_and_do_not_read_about_themselves() {
    let app = TestApp::sqlite().generated(20_000, 3).arguments(&["--no-jobs"]).start();
    app.run(&["jobs", "run", "blame-check"]);
    let (board, admin) = (app.as_role(Role::Board), app.as_role(Role::Admin));
    let officers = |client: &Client<'_>| -> BTreeSet<String> {
        let data = client.data("query Blamed { blameCheck { subjects { kind code } } }");
        let subjects = data["blameCheck"]["subjects"].list().to_vec();
        let officers = subjects.iter().filter(|one| one["kind"] == "OFFICER");
        officers.map(|one| one["code"].text().to_owned()).collect()
    };
    let all = officers(&board);
    let one = all.first().unwrap();
    let others: BTreeSet<String> = all.iter().filter(|code| *code != one).cloned().collect();
    assert_eq!(officers(&app.as_member("one", one)), others);
    let looks = "{ auditLog(filter: {action: {eq: LOOK}}) { nodes { operation objects } } }";
    let noted = (0..100).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let entries = admin.data(looks)["auditLog"]["nodes"].list().to_vec();
        // Without a key file there are no pseudonyms, so the entry holds a count.
        let seen = |entry: &Value| entry["objects"]["files"] == json!({ "count": all.len() });
        entries.iter().any(|entry| entry["operation"] == "Blamed" && seen(entry))
    });
    assert!(noted, "{}", admin.data(looks));
}

#[test]
fn a_field_is_refused_wherever_it_hides() {
    let app = TestApp::sqlite().world().start();
    let (admin, head) = (app.as_role(Role::Admin), app.as_head("02CV"));
    let bearer = format!("Bearer {}", admin.token);
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    for query in [
        "{ complaints { nodes { text } } }",
        "query A { __typename } query B { complaints { totalCount } }",
        "{ ... { complaints { totalCount } } }",
        "{ ...F } fragment F on Query { x: complaints { totalCount } }",
        "{ units { nodes { code } } ...F } fragment F on Query { ... on Query { flags { totalCount } } }",
    ] {
        let body =
            json!({ "query": query, "operationName": if query.starts_with("query") { "B" } else { "" } }).to_string();
        let answer = app.server().send("POST", "/graphql", &headers, &body);
        assert!(
            answer.codes().iter().all(|code| code == "FORBIDDEN") && !answer.codes().is_empty(),
            "{query}: {}",
            answer.text
        );
        assert!(answer.json().get("data").is_none_or(Value::is_null), "{}", answer.text);
    }
    for query in [
        "{ complaints(filter: {officers: {officer: {unit: {code: {eq: \"03TG\"}}}}}) { totalCount } }",
        "{ complaints(filter: {or: [{not: {officers: {officer: {unit: {code: {eq: \"03TG\"}}}}}}]}) { totalCount } }",
        "query ($f: OfficerFilter = {unit: {within: \"03\"}}) { complaints(filter: {officers: {officer: $f}}) \
            { totalCount } }",
        "{ complaints { nodes { officers { officer { postings { unit { code } } } } } } }",
    ] {
        let answer = head.request(query);
        let codes = answer.codes();
        assert!(!codes.is_empty() && codes.iter().all(|code| code == "FORBIDDEN"), "{query}: {}", answer.text);
    }
}

#[test]
fn the_heads_of_two_branches_never_see_each_others_complaints() {
    for app in TestApp::both().world() {
        let board = app.as_role(Role::Board);
        let (saigon, express, province) = (app.as_head("02CV"), app.as_head("02DS"), app.as_head("02"));
        let texts = |client: &Client<'_>, filter: &str| -> Vec<String> {
            let query = format!(
                "{{ complaints(filter: {filter}, orderBy: [{{field: RECEIVED_AT}}]) \
                    {{ totalCount nodes {{ id text }} }} }}"
            );
            let data = client.data(&query);
            let nodes = data["complaints"]["nodes"].list();
            assert_eq!(data["complaints"]["totalCount"], nodes.len());
            nodes.iter().map(|node| node["text"].text().to_owned()).collect()
        };
        // PA-6 of 02CV is confidential: the head of 02CV does not see it yet.
        assert_eq!(texts(&saigon, "{}"), ["Cán bộ đòi tiền", "Nói trống không,\nquát doanh nghiệp", "Không khai được"]);
        assert_eq!(texts(&express, "{}"), ["Chậm trả lời"]);
        assert_eq!(texts(&province, "{}").len(), 4);
        for filter in [
            "{confidential: {eq: true}}",
            "{enterprise: {taxCode: {eq: \"0314409058\"}}}",
            "{or: [{unit: {within: \"02DS\"}}, {confidential: {ne: false}}]}",
            "{not: {unit: {within: \"02CV\"}}}",
        ] {
            assert_eq!(texts(&saigon, filter), [""; 0], "{filter}");
        }
        // A search for its words and a count by enterprise do not find it either.
        assert_eq!(texts(&board, "{search: \"xin giu kin\"}").len(), 1);
        assert_eq!(texts(&saigon, "{search: \"xin giu kin\"}"), [""; 0]);
        assert_eq!(texts(&express, "{search: \"doi tien\"}"), [""; 0]);
        let by = |client: &Client<'_>, code: &str| {
            let query = format!(
                "{{ complaintStatistics(filter: {{enterpriseIn: [\"{code}\"]}}) {{ totals {{ complaints }} }} }}"
            );
            client.data(&query)["complaintStatistics"]["totals"]["complaints"].clone()
        };
        // One enterprise and its branch: two complaints, of which one is confidential.
        assert_eq!(
            (by(&board, "0314409058"), by(&saigon, "0314409058"), by(&express, "0314409058")),
            (json!(2), json!(1), json!(0))
        );
        let all = board.data("{ complaints { nodes { id text confidential unit { code } } } }");
        for complaint in all["complaints"]["nodes"].list() {
            let seen = express.data(&format!("{{ complaint(id: {}) {{ text }} }}", complaint["id"]));
            assert_eq!(seen["complaint"].is_null(), complaint["unit"]["code"] != "02DS", "{complaint}");
        }
        let responses = |client: &Client<'_>| {
            client.data("{ unitResponses { totalCount nodes { text } } }")["unitResponses"].clone()
        };
        assert_eq!(responses(&saigon)["totalCount"], 3);
        assert_eq!(responses(&express), json!({ "totalCount": 0, "nodes": [] }));
        let count = |client: &Client<'_>| {
            let data = client.data("{ complaintStatistics { rows { complaints } } }");
            data["complaintStatistics"]["rows"][0]["complaints"].clone()
        };
        assert_eq!(
            (count(&board), count(&saigon), count(&express), count(&province)),
            (json!(6), json!(3), json!(1), json!(4))
        );
        let page = board.data("{ complaints(first: 1) { pageInfo { endCursor } } }");
        let cursor = &page["complaints"]["pageInfo"]["endCursor"];
        let behind = express.data(&format!("{{ complaints(after: {cursor}) {{ nodes {{ text }} }} }}"));
        assert_eq!(behind["complaints"]["nodes"].list().len(), 1, "the Board's cursor opens no door");
    }
}

#[test]
fn tokens_are_shown_once_stored_hashed_and_end() {
    use diesel::prelude::*;
    use schema::tables::api_tokens;
    for app in TestApp::both().world() {
        let board = app.as_role(Role::Board);
        let token = &board.token;
        assert!(token.starts_with("pa_") && token.len() > 40, "{token}");
        let ask = || board.request("{ complaints { totalCount } }").status;
        assert_eq!(ask(), 200);
        let db = app.database.open();
        let hashes: Vec<Vec<u8>> = db.read(|conn| Ok(api_tokens::table.select(api_tokens::hash).load(conn)?)).unwrap();
        assert!(hashes.iter().all(|hash| hash.len() == 32
            && !hash.windows(8).any(|part| token.as_bytes().windows(8).any(|other| other == part))));
        let expire = |at: Option<schema::Timestamp>, revoke: Option<schema::Timestamp>| {
            db.write("test", |tx| {
                Ok(diesel::update(api_tokens::table)
                    .set((api_tokens::expires_at.eq(at), api_tokens::revoked_at.eq(revoke)))
                    .execute(tx.conn)?)
            })
            .unwrap();
        };
        // On PostgreSQL a node may use the cached owner of a token until the write is announced; SQLite has no cache.
        let seconds = if app.database.folder().is_some() { 0 } else { 10 };
        expire(schema::Timestamp::from_micros(1), None);
        wait_until(seconds, "an expired token is refused", || ask() == 401);
        expire(None, None);
        assert_eq!(ask(), 200);
        expire(None, Some(schema::Timestamp::now()));
        wait_until(seconds, "a revoked token is refused", || ask() == 401);
        expire(None, None);
        assert_eq!(ask(), 200);
        let other = program().run(&app.database, ["token", "create", "--name", "BOARD-all", "--role", "ADMIN"]);
        assert_eq!(other.status, 1, "a name has one role: {other:?}");
        let in_url = app.server().get(&format!("/graphql?query=%7Bcomplaints%7BtotalCount%7D%7D&token={token}"));
        assert_eq!(in_url.status, 401, "never in a URL");
    }
}

#[test]
fn a_head_sees_what_lies_below_also_where_levels_repeat_or_are_not_stored() {
    for app in TestApp::both().world() {
        let units = "\
ma,ten,cap,cha,nhom,tu,den
HQ,Cục Giám sát,HEADQUARTERS_UNIT,TC,,,
HQ-D1,Đội Giám sát,TEAM,HQ,,,
02CV-A,Chi cục trực thuộc,BRANCH,02CV,,,
";
        app.import("units", units, fixtures::UNITS_MAP);
        let header = fixtures::COMPLAINTS.lines().next().unwrap();
        let more = format!(
            "{header}\nPX-1;05/01/2024;;;HQ-D1;;TD1;;;;;Đội;\nPX-2;05/01/2024;;;02CV-A;;TD1;;;;;Chi cục con;\n"
        );
        app.import("complaints", more, fixtures::COMPLAINTS_MAP);
        let board = app.as_role(Role::Board);
        for (unit, seen, all) in
            [("HQ", 1, 1), ("02CV", 4, 5), ("02CV-A", 1, 1), ("02", 5, 6), ("TC", 7, 8), ("03TG", 1, 1)]
        {
            let head = app.as_head(unit);
            let data =
                head.data("{ complaints { totalCount nodes { id } } complaintStatistics { rows { complaints } } }");
            assert_eq!(data["complaints"]["totalCount"], seen, "{unit} on {}", app.database.name);
            assert_eq!(data["complaintStatistics"]["rows"][0]["complaints"], seen, "{unit}");
            for complaint in data["complaints"]["nodes"].list() {
                let one = head.data(&format!("{{ complaint(id: {}) {{ id }} }}", complaint["id"]));
                assert_eq!(one["complaint"]["id"], complaint["id"]);
            }
            let within = format!(
                "{{ complaints(filter: {{unit: {{within: \"{unit}\"}}}}) {{ totalCount }} \
                    complaintStatistics(filter: {{unitWithin: \"{unit}\"}}) {{ rows {{ complaints }} }} }}"
            );
            let within = board.data(&within);
            assert_eq!(
                (&within["complaints"]["totalCount"], &within["complaintStatistics"]["rows"][0]["complaints"]),
                (&json!(all), &json!(all)),
                "{unit}"
            );
        }
    }
}

#[test]
fn those_who_manage_make_and_end_tokens_and_read_who_looked() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let (admin, board) = (app.as_role(Role::Admin), app.as_role(Role::Board));
        let outside = |name: &str, role: &str| {
            program().run(&app.database, ["token", "create", "--name", name, "--role", role, "--outside"])
        };
        assert!(outside("press", "BOARD").err.contains("leave outside out"));
        assert_eq!(outside("press", "DASHBOARD").ok().status, 0);
        let within = program().run(&app.database, ["token", "create", "--name", "press", "--role", "DASHBOARD"]);
        assert!(within.status == 1 && within.err.contains("used outside the organisation"), "{within:?}");
        let create = "mutation ($input: CreateTokenInput!) { createToken(input: $input) \
            { token principal { name role unit { code } tokens { expiresAt revokedAt } } } }";
        let input = json!({ "name": "cảng", "role": "UNIT_HEAD", "unit": "02CV", "expiresAt": "2999-01-01T00:00:00Z" });
        let made = admin.data_with(create, &json!({ "input": input }))["createToken"].clone();
        assert_eq!(
            (&made["principal"]["role"], &made["principal"]["unit"]["code"]),
            (&json!("UNIT_HEAD"), &json!("02CV"))
        );
        let head = Client { server: app.server(), token: made["token"].text().to_owned() };
        let count = "{ complaints { totalCount } }";
        assert_eq!(head.request(count).status, 200);
        for (input, code) in [
            (json!({ "name": "a", "role": "UNIT_HEAD" }), "BAD_USER_INPUT"),
            (json!({ "name": "a", "role": "BOARD", "unit": "02CV" }), "BAD_USER_INPUT"),
            (json!({ "name": "cảng", "role": "BOARD" }), "CONFLICT"),
            (json!({ "name": "a", "role": "BOARD", "expiresAt": "2001-01-01T00:00:00Z" }), "BAD_USER_INPUT"),
        ] {
            let answer = admin.request_with(create, &json!({ "input": input }));
            assert_eq!(answer.codes(), [code], "{input}: {}", answer.text);
        }
        // The Board reads the name of an officer, and the administrator reads that it did.
        board.data("query Nhin { officer(code: \"CC01\") { name } }");
        let looks = "{ auditLog(filter: {action: {eq: LOOK}}) { nodes { number actor role operation objects } } }";
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        let look = loop {
            let found = admin.data(looks)["auditLog"]["nodes"][0].clone();
            if found["operation"] == "Nhin" {
                break found;
            }
            assert!(std::time::Instant::now() < deadline, "{found}");
        };
        assert_eq!((&look["actor"], &look["role"]), (&json!("token:BOARD-all"), &json!("BOARD")));
        // A revoked token ends also on a node that remembers it, and the principal is disabled.
        let end = "mutation { revokeTokens(name: \"cảng\", disable: true) \
            { revoked principal { disabledAt tokens { revokedAt } } } }";
        let ended = admin.data(end)["revokeTokens"].clone();
        assert_eq!(ended["revoked"], 1);
        assert!(
            ended["principal"]["disabledAt"].is_string() && ended["principal"]["tokens"][0]["revokedAt"].is_string()
        );
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(3);
        while head.request(count).status != 401 {
            assert!(std::time::Instant::now() < deadline, "a token that was ended is still taken");
        }
        let nobody = "mutation { revokeTokens(name: \"nobody\") { revoked } }";
        assert_eq!(admin.codes(nobody), ["BAD_USER_INPUT"]);
        let names =
            admin.data("{ principals(filter: {role: {in: [UNIT_HEAD, ADMIN]}}) { totalCount nodes { name } } }");
        assert_eq!(names["principals"]["totalCount"], 2, "{names}");
    }
}
