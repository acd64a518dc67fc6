//! Sessions: how they begin, what they are accepted for, and how they end.

use super::Visitor;
use diesel::prelude::*;
use schema::enums::Role;
use schema::tables::web_sessions;
use schema::{Db, Timestamp};
use tests::{Program, TestApp};

/// A time some minutes ago.
fn ago(minutes: i64) -> Timestamp {
    Timestamp::from_micros(Timestamp::now().micros() - minutes * 60_000_000).expect("a time")
}

fn set_last_seen(db: &Db, at: Timestamp) {
    let set = db.write("test", |tx| {
        Ok(diesel::update(web_sessions::table).set(web_sessions::last_seen_at.eq(at)).execute(tx.conn)?)
    });
    assert!(set.unwrap().value > 0);
}

fn set_expiry(db: &Db, at: Timestamp) {
    let set = db.write("test", |tx| {
        Ok(diesel::update(web_sessions::table).set(web_sessions::expires_at.eq(at)).execute(tx.conn)?)
    });
    assert!(set.unwrap().value > 0);
}

#[test]
fn a_token_signs_in_and_its_cookie_is_guarded() {
    for app in TestApp::both().world() {
        let board = app.as_role(Role::Board);
        let server = app.server();
        let mut visitor = Visitor::of(server);
        let led = visitor.get("/flags?tier=REVIEW");
        // Whether a view exists or not, nothing is shown without a session.
        assert!(led.status == 303 || led.status == 404, "{led:?}");
        let led = visitor.get("/complaints?state=RECEIVED");
        assert_eq!((led.status, led.header("location")), (303, "/sign-in?next=%2Fcomplaints%3Fstate%3DRECEIVED"));
        let form = visitor.get(led.header("location"));
        assert!(form.text.contains("type=\"password\"") && form.text.contains("lang=\"vi\""), "{}", form.text);

        let wrong = visitor.post("/sign-in", &[("token", "pa_wrong")]);
        assert_eq!((wrong.status, wrong.header("set-cookie")), (401, ""));
        assert!(wrong.text.contains("href=\"#token\""), "the summary leads to the field: {}", wrong.text);
        let elsewhere = [("origin", "https://elsewhere.example"), ("sec-fetch-site", "cross-site")];
        let forged = visitor.send("POST", "/sign-in", &elsewhere, &format!("token={}", board.token));
        assert_eq!((forged.status, forged.header("set-cookie")), (403, ""));

        let right = visitor.post("/sign-in", &[("token", &board.token), ("next", "/complaints?state=RECEIVED")]);
        assert_eq!((right.status, right.header("location")), (303, "/complaints?state=RECEIVED"));
        let cookie = right.header("set-cookie");
        for flag in ["HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(flag), "{cookie}");
        }
        assert!(!cookie.contains("Secure"), "a browser keeps no such cookie of plain HTTP: {cookie}");
        let other = [("host", "board.example"), ("origin", "http://board.example")];
        let away = Visitor::of(server).send("POST", "/sign-in", &other, &format!("token={}", board.token));
        let cookie = away.header("set-cookie");
        assert!(cookie.starts_with("__Host-phananh=") && cookie.contains("Secure"), "{cookie}");

        let page = visitor.get("/complaints");
        assert_eq!(page.status, 200, "{page:?}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"), "{policy}");
        assert!(page.header("cache-control").contains("no-store"));
        assert!(!page.text.contains("<script>") && !page.text.contains("style=\""), "{}", page.text);

        let elsewhere = visitor.post("/sign-in", &[("token", &board.token), ("next", "//elsewhere.example")]);
        assert_eq!(elsewhere.header("location"), "/", "only addresses of this server");
    }
}

#[test]
fn a_form_without_the_secret_of_the_session_changes_nothing() {
    let app = TestApp::sqlite().world().start();
    let board = app.as_role(Role::Board);
    let mut visitor = Visitor::signed_in(app.server(), &board.token);
    for fields in [&[][..], &[("csrf", "")], &[("csrf", "0123456789abcdef0123456789abcdef")]] {
        assert_eq!(visitor.post("/sign-out", fields).status, 403, "{fields:?}");
        assert!(visitor.is_signed_in());
    }
    let secret = visitor.secret();
    let elsewhere = [("origin", "https://elsewhere.example"), ("sec-fetch-site", "cross-site")];
    assert_eq!(visitor.send("POST", "/sign-out", &elsewhere, &format!("csrf={secret}")).status, 403);
    assert!(visitor.is_signed_in());
    let mut another = Visitor::signed_in(app.server(), &board.token);
    let of_another = another.secret();
    assert_ne!(secret, of_another);
    assert_eq!(visitor.post("/sign-out", &[("csrf", &of_another)]).status, 403);
    assert_eq!(visitor.post_with_secret("/sign-out", &[]).status, 303);
    assert!(!visitor.is_signed_in() && another.is_signed_in());
}

#[test]
fn graphql_takes_the_cookie_only_from_the_page() {
    let app = TestApp::sqlite().world().arguments(&["--dev"]).start();
    let board = app.as_role(Role::Board);
    let mut visitor = Visitor::signed_in(app.server(), &board.token);
    let (secret, page) = (visitor.secret(), app.server().address.clone());
    let (secret, page) = (secret.as_str(), page.as_str());
    let query = "{ complaints { totalCount } }";
    for headers in [
        &[][..],
        &[("sec-fetch-site", "cross-site"), ("origin", "https://elsewhere.example")],
        &[("sec-fetch-site", "same-site"), ("x-phananh-csrf", secret)],
        &[("origin", "https://elsewhere.example"), ("x-phananh-csrf", secret)],
        &[("x-phananh-csrf", "wrong")],
    ] {
        let (_, answer) = visitor.graphql(headers, query);
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{headers:?}: {answer}");
    }
    for headers in
        [&[("sec-fetch-site", "same-origin"), ("origin", page)][..], &[("origin", page), ("x-phananh-csrf", secret)]]
    {
        let (status, answer) = visitor.graphql(headers, query);
        assert_eq!((status, answer["data"]["complaints"]["totalCount"].is_u64()), (200, true), "{answer}");
    }
    let graphiql = visitor.get("/graphiql");
    assert!(graphiql.text.contains("name=\"phananh-csrf\""), "GraphiQL sends the secret");
    let policy = graphiql.header("content-security-policy");
    assert!(policy.contains("base-uri 'none'; form-action 'none'; frame-ancestors 'none'"), "{policy}");
}

#[test]
fn views_open_their_queries_in_graphiql_where_the_settings_allow_it() {
    let app = TestApp::sqlite().world().start();
    let board = app.as_role(Role::Board);
    let script = "/graphiql/start.js";
    let mut stranger = Visitor::of(app.server());
    for path in ["/graphiql", script, "/graphiql?query=%7B__typename%7D"] {
        assert_eq!(stranger.get(path).status, 404, "{path} without a session");
    }
    let mut visitor = Visitor::signed_in(app.server(), &board.token);
    let page = visitor.get("/complaints").text.replace("&#x2f;", "/");
    let href = page.split("href=\"/graphiql?").nth(1).and_then(|rest| rest.split('"').next()).expect("the link");
    let opened = visitor.get(&format!("/graphiql?{}", href.replace("&amp;", "&")));
    assert_eq!(opened.status, 200, "{opened:?}");
    let policy = opened.header("content-security-policy");
    assert!(policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert_eq!(visitor.get(script).status, 200);
    let secret = opened.text.split("name=\"phananh-csrf\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    let headers = [("origin", app.server().address.as_str()), ("x-phananh-csrf", secret.expect("the secret"))];
    let (_, answer) = visitor.graphql(&headers, "{ __schema { queryType { name } } complaints { totalCount } }");
    assert!(answer["data"]["complaints"]["totalCount"].is_u64() && answer["errors"].is_null(), "{answer}");
    assert_eq!(visitor.post_with_secret("/sign-out", &[]).status, 303);
    assert_eq!(visitor.get("/graphiql").status, 404);

    let files = tests::fixtures::Files::new();
    let config = files.put("phananh.toml", "[web]\ngraphiql = false\n").display().to_string();
    let closed = Program::built().serve(&app.database, &["--no-jobs", "--config", &config]);
    let mut visitor = Visitor::signed_in(&closed, &board.token);
    assert_eq!((visitor.get("/graphiql").status, visitor.get(script).status), (404, 404));
    let page = visitor.get("/complaints").text.replace("&#x2f;", "/");
    assert!(page.contains("class=\"queries\"") && !page.contains("/graphiql"), "{page}");
}

#[test]
fn a_session_ends_when_it_is_idle_or_old_or_its_token_ends() {
    for app in TestApp::both().world() {
        let board = app.as_role(Role::Board);
        let db = app.database.open();
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        set_last_seen(&db, ago(29));
        assert!(visitor.is_signed_in());
        set_last_seen(&db, ago(31));
        assert!(!visitor.is_signed_in(), "idle for more than 30 minutes");

        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        set_expiry(&db, ago(1));
        assert!(!visitor.is_signed_in(), "after its last moment");

        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        app.run(&["token", "revoke", "--name", "BOARD-all"]);
        assert!(!visitor.is_signed_in(), "its token was revoked");
    }
}

#[test]
fn who_stays_is_kept_and_a_form_sent_too_late_leads_back_to_its_page() {
    for app in TestApp::both().world() {
        let board = app.as_role(Role::Board);
        let db = app.database.open();
        let seen = || -> Timestamp {
            let seen = db.read(|conn| Ok(web_sessions::table.select(web_sessions::last_seen_at).first(conn)?));
            seen.expect("one session")
        };
        let mut visitor = Visitor::signed_in(app.server(), &board.token);
        set_last_seen(&db, ago(29));
        let stays = visitor.get("/session");
        assert_eq!((stays.status, stays.text.as_str()), (204, ""), "{stays:?}");
        assert!(seen() > ago(2), "to stay is a use of the session");

        set_last_seen(&db, ago(31));
        assert_eq!(visitor.get("/session").status, 303);
        let page = app.server().address.clone();
        let mut sent = |site: &str, origin: &str, from: &str| -> String {
            let headers = [("sec-fetch-site", site), ("origin", origin), ("referer", from)];
            let answer = visitor.send("POST", "/sign-out", &headers, "csrf=old");
            assert_eq!(answer.status, 303, "{answer:?}");
            answer.header("location").to_owned()
        };
        let form = format!("{page}/complaints?state=RECEIVED");
        assert_eq!(sent("same-origin", &page, &form), "/sign-in?next=%2Fcomplaints%3Fstate%3DRECEIVED");
        assert_eq!(sent("same-origin", &page, "nonsense"), "/sign-in?next=%2F");
        let elsewhere = "https://elsewhere.example";
        assert_eq!(sent("cross-site", elsewhere, &format!("{elsewhere}/complaints")), "/sign-in?next=%2F");
    }
}

#[test]
fn signing_out_everywhere_ends_the_sessions_of_one_reader_only() {
    for app in TestApp::both().world() {
        let (board, other) = (app.as_role(Role::Board), app.as_holder(&["--name", "other", "--role", "BOARD"]));
        let (mut one, mut two) =
            (Visitor::signed_in(app.server(), &board.token), Visitor::signed_in(app.server(), &board.token));
        let mut three = Visitor::signed_in(app.server(), &other.token);
        let before = one.cookie.clone();
        let again = one.post("/sign-in", &[("token", &board.token)]);
        assert_eq!(again.status, 303);
        assert_ne!(one.cookie, before, "each signing in makes a new session");
        let mut old = Visitor { server: app.server(), cookie: before };
        assert!(!old.is_signed_in(), "and ends the one before");
        assert_eq!(one.post("/sign-out/everywhere", &[("csrf", &three.secret())]).status, 403);
        assert!(one.is_signed_in() && two.is_signed_in(), "the secret of another session ends none");
        assert_eq!(one.post_with_secret("/sign-out/everywhere", &[]).status, 303);
        assert!(!one.is_signed_in() && !two.is_signed_in() && three.is_signed_in());
    }
}

#[test]
fn a_row_that_the_key_file_does_not_vouch_for_is_no_session() {
    let files = tests::fixtures::Files::new();
    for app in TestApp::both().world() {
        let key = files.key_file();
        let server = Program::built().serve(&app.database, &["--key-file", &key]);
        let data_team = app.as_role(Role::DataTeam);
        let mut visitor = Visitor::signed_in(&server, &data_team.token);
        assert!(visitor.is_signed_in());
        // An attacker who can write the database gives the session the token of someone else.
        let board = app.as_role(Role::Board);
        assert!(!board.token.is_empty());
        app.database.tamper(
            "UPDATE web_sessions SET token_id = (SELECT t.id FROM api_tokens t JOIN principals p \
             ON p.id = t.principal_id WHERE p.name = 'BOARD-all')",
        );
        assert!(!visitor.is_signed_in(), "{}", app.database.name);
        std::fs::remove_file(key).expect("the key file");
    }
}

#[test]
fn attempts_of_an_address_that_fail_are_limited() {
    let app = TestApp::sqlite().world().start();
    let board = app.as_role(Role::Board);
    let mut visitor = Visitor::of(app.server());
    // As many readers sign in as may work behind one proxy.
    let statuses: Vec<u16> = (0..40).map(|_| visitor.post("/sign-in", &[("token", &board.token)]).status).collect();
    assert!(statuses.iter().all(|status| *status == 303), "{statuses:?}");
    let statuses: Vec<u16> = (0..40).map(|_| visitor.post("/sign-in", &[("token", "pa_wrong")]).status).collect();
    assert!(statuses[..20].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
}
