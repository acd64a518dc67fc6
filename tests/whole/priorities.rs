//! What computes has threads of a lower priority than what answers requests.

use crate::program;
use crate::world;
use serde_json::json;
use std::fs;
use tests::{Database, Server};

/// The name and the nice value of each thread of a server, and that of its first thread.
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
    // One may have ended meanwhile.
    let all = tasks.filter_map(|task| of(&format!("{}/stat", task.ok()?.path().display())));
    (all.collect(), first)
}

#[test]
#[cfg(target_os = "linux")]
fn statistics_and_jobs_have_a_lower_priority_than_requests() {
    let database = Database::sqlite();
    world::fill(&database);
    let board = program().token(&database, "BOARD", None);
    let server = program().serve(&database, &[]);
    let documents = [
        "{ complaintStatistics(groupBy: [CATEGORY, MONTH]) { rows { complaints distinctEnterprises costVnd } } }",
        "{ responseTimeliness { complaints } }",
        "{ units(first: 1) { nodes { scorecard { answeredInTime } } } }",
        "{ categoryTrends { recentDays } }",
        "{ backtest(from: 2024, to: 2025) { origin } }",
        "{ officers(first: 5, orderBy: [{measure: COMPLAINTS}]) { nodes { code } } }",
        "{ complaints(first: 25) { nodes { reference officers { officer { code } } responses(first: 5) { nodes { id } } } } }",
    ];
    for document in documents {
        let answer = server.graphql(&board, document, &json!({}));
        assert_eq!(answer.status, 200, "{document}: {answer:?}");
    }
    let (all, first) = threads(&server);
    let computes = |name: &str| name.starts_with("compute") || name.starts_with("polars");
    // Threads of this name are both the node's, which answer requests, and some of polars.
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
