//! A database that says nothing, and many writes at once: no request waits longer than its deadline, and no thread is
//! left behind.

use crate::program;
use serde_json::json;
use std::thread::sleep;
use std::time::{Duration, Instant};
use tests::fixtures::{self, Files};
use tests::{Beside, Database, Proxy, wait_until};

#[test]
fn while_the_database_is_silent_everybody_is_told_in_time() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let intake = program().token(&database, "INTAKE", None);
    let proxy = Proxy::before(&database);
    let files = Files::new();
    let config = files.put("phananh.toml", "[api.limits]\ndeadline_ms = 2000\n");
    let server =
        program().serve(&database, &["--no-jobs", "--database", &proxy.url, "--config", config.to_str().unwrap()]);
    let page = "{ complaints(first: 3) { nodes { reference officers { finding } } } }";
    let submit = "mutation { submitComplaint(input: {idempotencyKey: \"1\", unit: \"02CV\", category: \"HT\",
        legalForm: FEEDBACK, channel: PORTAL, text: \"a\"}) { reference } }";
    server.data(&board, page);
    server.data(&intake, "{ serviceInfo { version } }");
    let idle = server.threads();
    proxy.hold(true);
    std::thread::scope(|scope| {
        for round in 0..3 {
            let asked: Vec<_> = (0..20)
                .map(|n| {
                    let (token, query) = if n % 5 == 4 { (&intake, submit) } else { (&board, page) };
                    let server = &server;
                    scope.spawn(move || {
                        let began = Instant::now();
                        (server.graphql(token, query, &json!({})), began.elapsed())
                    })
                })
                .collect();
            let began = Instant::now();
            assert_eq!(server.get("/healthz").status, 200);
            let ready = server.get("/readyz");
            assert_eq!(ready.status, 503, "{ready:?}");
            assert!(began.elapsed() < Duration::from_millis(1_200), "{:?}", began.elapsed());
            // However many ask.
            let many: Vec<_> = (0..50).map(|_| scope.spawn(|| server.get("/readyz").status)).collect();
            assert!(many.into_iter().all(|asked| asked.join().expect("an answer") == 503));
            for asked in asked {
                let (answer, took) = asked.join().expect("an answer");
                let codes = answer.codes();
                // The server identifies the token within 5 s, and ends each operation by its deadline.
                assert!(took < Duration::from_millis(5_000 + 2_000 + 500), "round {round}: {took:?}");
                // Whoever's token is looked up by then is told that the database is away.
                let expected = if round == 0 { &["UNAVAILABLE", "TIMEOUT"][..] } else { &["UNAVAILABLE"] };
                assert!(codes.len() == 1 && expected.contains(&codes[0].as_str()), "round {round}: {answer:?}");
                assert_eq!(answer.status, if codes[0] == "TIMEOUT" { 504 } else { 503 }, "{answer:?}");
                assert!(answer.status != 503 || !answer.header("retry-after").is_empty(), "{answer:?}");
            }
        }
    });
    let held = server.threads();
    assert!(held <= idle + 40, "{held} threads, {idle} before");
    proxy.hold(false);
    let back = Instant::now();
    let again = (0..100).any(|_| {
        sleep(Duration::from_millis(100));
        server.graphql(&board, page, &json!({})).status == 200
    });
    assert!(again && back.elapsed() < Duration::from_secs(10), "{:?}", back.elapsed());
    assert_eq!(server.get("/readyz").status, 200);
    // A submission that was cut off is written once, however often it is sent again.
    for _ in 0..2 {
        server.data(&intake, submit);
    }
    let found = server.data(&board, "{ complaints { totalCount } }");
    assert_eq!(found["complaints"]["totalCount"], 7, "{found}");
}

#[test]
fn a_database_that_is_away_is_unavailable() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let proxy = Proxy::before(&database);
    let server = program().serve(&database, &["--no-jobs", "--database", &proxy.url]);
    let page = "{ complaints(first: 3) { nodes { reference } } }";
    // Operations at once open several connections.
    std::thread::scope(|scope| (0..32).for_each(|_| drop(scope.spawn(|| server.data(&board, page)))));
    // PostgreSQL ends all sessions, as it does when it stops.
    let mut beside = Beside::new(&database);
    beside.end_all_others();
    // The first to notice fails. Nobody after it gets another of the connections that ended.
    let answers: Vec<_> = (0..5).map(|_| server.graphql(&board, page, &json!({}))).collect();
    for answer in &answers {
        assert!(answer.status == 200 || answer.codes() == ["UNAVAILABLE"], "{answer:?}");
        assert!(!answer.text.contains("INTERNAL_SERVER_ERROR"), "{answer:?}");
    }
    let failed = answers.iter().filter(|answer| answer.status != 200).count();
    assert!(failed <= 2, "{answers:?}");
    assert_eq!(answers.last().map(|answer| answer.status), Some(200), "{answers:?}");
}

#[test]
fn many_writes_at_once_keep_to_a_few_threads() {
    for database in Database::both() {
        fixtures::fill(&database);
        let intake = program().token(&database, "INTAKE", None);
        let board = program().token(&database, "BOARD", None);
        let server = program().serve(&database, &["--no-jobs"]);
        let submit = "mutation($key: String!) { submitComplaint(input: {idempotencyKey: $key, unit: \"02CV\",
            category: \"HT\", legalForm: FEEDBACK, channel: PORTAL, text: \"a\"}) { reference } }";
        let most = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..32)
                .map(|writer| {
                    let (server, intake, board) = (&server, &intake, &board);
                    scope.spawn(move || {
                        for n in 0..12 {
                            match n % 3 {
                                0 => drop(server.data_with(intake, submit, &json!({ "key": format!("{writer}-{n}") }))),
                                _ => drop(server.data(board, "{ complaints(first: 20) { nodes { reference } } }")),
                            }
                        }
                    })
                })
                .collect();
            let mut most = 0;
            while writers.iter().any(|writer| !writer.is_finished()) {
                most = most.max(server.threads());
                sleep(Duration::from_millis(20));
            }
            most
        });
        assert!(most <= 64, "{}: {most} threads", database.name);
        // What was written is in the statistics soon.
        let last = "mutation { submitComplaint(input: {idempotencyKey: \"last\", unit: \"02CV\", category: \"HT\",
            legalForm: FEEDBACK, channel: PORTAL, text: \"a\"}) { position } }";
        let position = server.data(&intake, last)["submitComplaint"]["position"].clone();
        let counted = server.data(&board, "{ complaints { totalCount } }");
        assert_eq!(counted["complaints"]["totalCount"], 6 + 32 * 4 + 1);
        let seen =
            "query($p: Int!) { complaintStatistics(groupBy: [YEAR], minPosition: $p) { totals { complaints } } }";
        let seen = server.data_with(&board, seen, &json!({ "p": position }));
        assert_eq!(seen["complaintStatistics"]["totals"]["complaints"], 6 + 32 * 4 + 1);
    }
}

#[test]
fn jobs_go_on_soon_after_the_database_speaks_again() {
    let database = Database::postgres();
    fixtures::fill(&database);
    let intake = program().token(&database, "INTAKE", None);
    let proxy = Proxy::before(&database);
    let files = Files::new();
    let key = files.key_file();
    let config = files.put("phananh.toml", crate::failover::EVERY_SECOND);
    let config = config.to_str().unwrap();
    let server = program().serve(&database, &["--database", &proxy.url, "--config", config, "--key-file", &key]);
    let db = database.open();
    wait_until(20, "jobs run", || crate::failover::runs_since(&db, 0) > 2);
    let idle = server.threads();
    proxy.hold(true);
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        let began = Instant::now();
        assert_eq!(server.get("/readyz").status, 503);
        assert!(began.elapsed() < Duration::from_millis(1_200), "{:?}", began.elapsed());
        sleep(Duration::from_millis(500));
    }
    assert!(server.threads() <= idle + 64, "{} threads, {idle} before", server.threads());
    proxy.hold(false);
    crate::failover::assert_goes_on(&database, &db, &server, &intake);
    // A signal ends it in time, whatever hangs.
    proxy.hold(true);
    sleep(Duration::from_secs(3));
    let began = Instant::now();
    server.end_by("TERM");
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
}
