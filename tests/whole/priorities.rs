//! Threads that compute have a lower priority than threads that answer requests.

use std::fs;
use tests::{Role, Server, TestApp};

/// The name and the nice value of each thread of a server, and the nice value of its first thread.
fn threads(server: &Server) -> (Vec<(String, i64)>, i64) {
    let of = |file: &str| {
        let stat = fs::read_to_string(file).ok()?;
        // The name is in brackets and may hold anything; the fields after it are numbers (proc(5)).
        let (head, fields) = stat.rsplit_once(") ")?;
        let nice = fields.split(' ').nth(16)?.parse().ok()?;
        Some((head.split_once('(')?.1.to_owned(), nice))
    };
    let (_, first) = of(&format!("/proc/{}/stat", server.pid())).expect("the process");
    let tasks = fs::read_dir(format!("/proc/{}/task", server.pid())).expect("its threads");
    // A thread may have ended meanwhile.
    let all = tasks.filter_map(|task| of(&format!("{}/stat", task.ok()?.path().display())));
    (all.collect(), first)
}

#[test]
#[cfg(target_os = "linux")]
fn statistics_and_jobs_have_a_lower_priority_than_requests() {
    let app = TestApp::sqlite().world().start();
    let board = app.as_role(Role::Board);
    let documents = [
        "{ complaintStatistics(groupBy: [CATEGORY, MONTH]) { rows { complaints distinctEnterprises costVnd } } }",
        "{ responseTimeliness { complaints } }",
        "{ units(first: 1) { nodes { scorecard { answeredInTime } } } }",
        "{ categoryTrends { recentDays } }",
        "{ backtest(from: 2024, to: 2025) { origin } }",
        "{ officers(first: 5, orderBy: [{measure: COMPLAINTS}]) { nodes { code } } }",
        "{ complaints(first: 25) { nodes {
             reference officers { officer { code } } responses(first: 5) { nodes { id } } } } }",
    ];
    for document in documents {
        let answer = board.request(document);
        assert_eq!(answer.status, 200, "{document}: {answer:?}");
    }
    let (all, first) = threads(board.server);
    let computes = |name: &str| name.starts_with("compute") || name.starts_with("polars");
    // The node's threads that answer requests have this name, and so do some threads of polars.
    let tokio = "tokio-rt-worker";
    assert!(all.iter().any(|(name, nice)| name == tokio && *nice == first), "{all:?}");
    for kind in ["compute", "polars"] {
        assert!(all.iter().any(|(name, _)| name.starts_with(kind)), "{kind}: {all:?}");
    }
    for (name, nice) in all.iter().filter(|(name, _)| name != tokio) {
        let expected = if computes(name) { (first + 10).min(19) } else { first };
        assert_eq!(*nice, expected, "{name}: {all:?}");
    }
}
