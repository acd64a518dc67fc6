//! Starting, watching and ending the server.

use crate::program;
use serde_json::json;
use std::time::{Duration, Instant};
use tests::{Database, Role, TestApp, fixtures, wait_until};

#[test]
fn an_empty_database_is_migrated_and_served() {
    for app in TestApp::both() {
        let (board, server) = (app.as_role(Role::Board), app.server());
        assert!(server.address.starts_with("http://127.0.0.1:"), "not to the world unless told: {}", server.address);
        assert_eq!(server.get("/healthz").status, 200);
        let ready = server.get("/readyz");
        assert_eq!((ready.status, &ready.json()["status"]), (200, &json!("ready")));
        let data = board.data(
            "{ complaints { totalCount nodes { id } } flags { totalCount } complaintStatistics { rows { complaints } } }",
        );
        let nothing = json!({
            "complaints": { "totalCount": 0, "nodes": [] },
            "flags": { "totalCount": 0 },
            "complaintStatistics": { "rows": [{ "complaints": 0 }] },
        });
        assert_eq!(data, nothing);
    }
}

#[test]
fn signals_end_it_with_status_0() {
    for signal in ["INT", "TERM"] {
        let database = Database::sqlite();
        let server = program().serve(&database, &[]);
        let began = Instant::now();
        assert_eq!(server.end_by(signal), Some(0), "{signal}");
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_port_in_use_gets_a_clear_word() {
    let database = Database::sqlite();
    let server = program().serve(&database, &[]);
    let listen = server.address.trim_start_matches("http://");
    let result = program().run(&database, ["serve", "--listen", listen]);
    assert_eq!(result.status, 1, "{result:?}");
    assert!(result.err.contains(listen) && result.err.contains("--listen"), "{}", result.err);
}

#[test]
fn production_hides_what_development_shows() {
    let database = Database::sqlite();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let introspection = "{ __schema { queryType { name } } }";
    let typo = "{ complaint { totalCount } complaintz { totalCount } }";
    let production = program().serve(&database, &[]);
    assert_eq!(production.get("/graphiql").status, 404);
    assert_eq!(production.get("/schema.graphql").status, 401);
    assert_eq!(production.graphql("", introspection, &json!({})).status, 401);
    assert_eq!(production.graphql(&board, introspection, &json!({})).status, 200);
    assert!(!production.graphql(&board, typo, &json!({})).text.contains("Did you mean"));
    let development = program().serve(&database, &["--dev"]);
    assert_eq!(development.get("/graphiql").status, 200);
    assert!(development.get("/schema.graphql").text.contains("type Complaint"));
    assert_eq!(development.graphql("", introspection, &json!({})).status, 200);
    assert_eq!(
        development.graphql("", "{ complaints { totalCount } }", &json!({})).status,
        401,
        "data needs a token also here"
    );
    assert!(development.graphql(&board, typo, &json!({})).text.contains("Did you mean"));
}

#[test]
fn it_says_when_the_database_is_gone_and_recovers() {
    use diesel::connection::SimpleConnection;
    let app = TestApp::postgres().start();
    let (board, server) = (app.as_role(Role::Board), app.server());
    let name = app.database.url.rsplit('/').next().unwrap().to_owned();
    let admin = app.database.url.replace(&name, "postgres");
    let mut conn = <diesel::PgConnection as diesel::Connection>::establish(&admin).unwrap();
    // Within one transaction, the pool could connect again before it sees that connections are no longer allowed.
    conn.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).unwrap();
    conn.batch_execute(&format!(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"
    ))
    .unwrap();
    assert_eq!(server.get("/readyz").status, 503);
    assert_eq!(server.get("/healthz").status, 200, "the process itself is well");
    assert_eq!(board.request("{ complaints { totalCount } }").status, 503);
    conn.batch_execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).unwrap();
    wait_until(60, "the server recovers", || server.get("/readyz").status == 200);
    assert_eq!(board.data("{ complaints { totalCount } }")["complaints"]["totalCount"], 0);
}
