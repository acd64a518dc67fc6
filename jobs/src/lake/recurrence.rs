//! The counting stage of recurrence as SQL over the tables of a lake: one text for DataFusion, Spark, Sail and DuckDB.
//!
//! For each officer it counts complaints about conduct, episodes and distinct enterprises in the four windows, as
//! [`crate::analyses::recurrence`] does, and in the longest one observed and expected episodes. Two things differ,
//! because the lake has no texts and its workload is by month. No campaigns are found: each enterprise counts. And the
//! exposure is the declarations recorded for the months that begin in the window, as they are: none is carried over
//! from another month, and episodes count from the first of these months on.
//!
//! An episode begins where the one before began more than `episode_days` days ago, so that it depends on the episode
//! before. SQL that all these engines share has no recursion for it. Complaints of a pair with a longer pause between
//! them begin one in any case, and divide its days into clusters; within a cluster each step finds the next beginning.

use crate::analyses::recurrence::{Rules, WINDOWS};
use chrono::{Datelike, Days, Months, NaiveDate};
use std::fmt::Write;

/// Steps within a cluster: a cluster with more episodes is reported as cut off.
const STEPS: usize = 16;

/// The columns of each window, named with its days: `complaints_30`, ….
pub const COUNTS: [&str; 9] = [
    "complaints",
    "episodes",
    "without_not_sustained",
    "enterprises",
    "enterprises_confirmed",
    "enterprises_without_not_sustained",
    "anonymous",
    "serious",
    "serious_confirmed",
];

/// Counts by officer as of the end of a day: `officer`, the columns of [`COUNTS`] for each window, `cut_off` (clusters
/// with more episodes than steps), and `observed`, `exposure` and `expected` of the longest window.
pub fn counts(as_of: NaiveDate, rules: &Rules) -> String {
    let longest = WINDOWS.iter().copied().max().unwrap_or(365);
    let mut sql = format!("WITH {}", begun(as_of, rules.episode_days));
    let _infallible = write!(
        sql,
        ", counted AS (SELECT subject, {} , SUM(CASE WHEN b{STEPS} IS NULL THEN 0 ELSE 1 END) AS cut_off FROM begun \
         WHERE received_on > DATE '{}' GROUP BY subject), {}",
        columns(as_of),
        before(as_of, longest),
        expected(as_of, longest, rules.stratum_episodes)
    );
    let names: Vec<String> =
        WINDOWS.iter().flat_map(|days| COUNTS.iter().map(move |name| format!("counted.{name}_{days}"))).collect();
    let _infallible = write!(
        sql,
        " SELECT counted.subject AS officer, {}, counted.cut_off, of_officer.observed, of_officer.exposure, \
         of_officer.expected FROM counted LEFT JOIN of_officer ON of_officer.subject = counted.subject \
         ORDER BY counted.subject",
        names.join(", ")
    );
    sql
}

/// The first day of no window: a window holds the days after it.
fn before(as_of: NaiveDate, days: i32) -> NaiveDate {
    as_of - Days::new(days.unsigned_abs().into())
}

/// A day as a number whose differences are days: engines subtract dates in different ways.
fn day_number(day: &str) -> String {
    let part = |part: &str| format!("CAST(EXTRACT({part} FROM {day}) AS BIGINT)");
    // The year begins in March, so that a leap day is its last one.
    let year = format!("({} - CASE WHEN {} < 3 THEN 1 ELSE 0 END)", part("YEAR"), part("MONTH"));
    let month = format!("({m} + CASE WHEN {m} < 3 THEN 9 ELSE -3 END)", m = part("MONTH"));
    let floor = |number: &str, by: &str| format!("CAST(FLOOR({number} / {by}) AS BIGINT)");
    format!(
        "(365 * {year} + {} - {} + {} + {} + {})",
        floor(&year, "4.0"),
        floor(&year, "100.0"),
        floor(&year, "400.0"),
        floor(&format!("(153 * {month} + 2)"), "5.0"),
        part("DAY")
    )
}

/// The complaints that count, one row for each officer and complaint, and whether an episode begins with it. `b0`,
/// `b1`, … are the days on which the episodes of its cluster begin.
fn begun(as_of: NaiveDate, episode_days: i32) -> String {
    let known = format!("(a.decided_on IS NULL OR a.decided_on <= DATE '{as_of}')");
    let flag = |condition: &str| format!("CASE WHEN {condition} THEN 1 ELSE 0 END");
    let serious = flag("k.serious");
    let confirmed = flag("a.attribution = 'CONFIRMED'");
    let both = flag("k.serious AND a.attribution = 'CONFIRMED'");
    let not_sustained = flag(&format!("a.finding = 'NOT_SUSTAINED' AND {known}"));
    let mut sql = format!(
        "named AS (SELECT a.officer AS subject, a.complaint AS complaint, c.received_on AS received_on, {} AS n, \
         c.enterprise AS enterprise, c.peer_group AS peer_group, {serious} AS serious, {confirmed} AS confirmed, \
         {both} AS serious_confirmed, {not_sustained} AS not_sustained FROM allegations a JOIN complaints c ON \
         c.complaint = a.complaint JOIN categories k ON k.code = COALESCE(a.category, c.category) WHERE k.kind = \
         'CONDUCT' AND c.received_on <= DATE '{as_of}' AND NOT (c.state IN ('WITHDRAWN', 'REJECTED') AND c.ended_on IS \
         NOT NULL AND c.ended_on <= DATE '{as_of}') AND NOT (a.finding IN ('UNFOUNDED', 'EXONERATED') AND {known})), \
         facts AS (SELECT subject, complaint, MIN(received_on) AS received_on, MIN(n) AS n, MIN(enterprise) AS \
         enterprise, COALESCE(MIN(enterprise), complaint) AS party, MIN(peer_group) AS peer_group, MAX(serious) AS \
         serious, MAX(confirmed) AS confirmed, MAX(serious_confirmed) AS serious_confirmed, MIN(not_sustained) AS \
         not_sustained FROM named GROUP BY subject, complaint), ",
        day_number("c.received_on")
    );
    let next = episode_days + 1;
    let _infallible = write!(
        sql,
        "paused AS (SELECT facts.*, CASE WHEN n - LAG(n) OVER (PARTITION BY subject, party ORDER BY n, complaint) <= \
         {episode_days} THEN 0 ELSE 1 END AS pauses, MIN(n) OVER (PARTITION BY subject, party ORDER BY n RANGE BETWEEN \
         {next} FOLLOWING AND UNBOUNDED FOLLOWING) AS next, ROW_NUMBER() OVER (PARTITION BY subject, party, n ORDER BY \
         complaint) AS nth FROM facts), clusters AS (SELECT paused.*, SUM(pauses) OVER (PARTITION BY subject, party \
         ORDER BY n, complaint ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cluster FROM paused), \
         step0 AS (SELECT clusters.*, MIN(n) OVER (PARTITION BY subject, party, cluster) AS b0, MAX(n) OVER (PARTITION \
         BY subject, party, cluster) AS last FROM clusters)"
    );
    for step in 1..=STEPS {
        let before = step - 1;
        let _infallible = write!(
            sql,
            ", step{step} AS (SELECT step{before}.*, MAX(CASE WHEN n = b{before} AND next <= last THEN next END) OVER \
             (PARTITION BY subject, party, cluster) AS b{step} FROM step{before})"
        );
    }
    let begins: Vec<String> = (0..=STEPS).map(|step| format!("(b{step} IS NOT NULL AND n = b{step})")).collect();
    let _infallible = write!(
        sql,
        ", begun AS (SELECT step{STEPS}.*, CASE WHEN nth = 1 AND ({}) THEN 1 ELSE 0 END AS opens FROM step{STEPS})",
        begins.join(" OR ")
    );
    sql
}

/// The counts of all windows.
fn columns(as_of: NaiveDate) -> String {
    let mut all: Vec<String> = Vec::new();
    for days in WINDOWS {
        let within = format!("received_on > DATE '{}'", before(as_of, days));
        let sum = |of: &str| format!("SUM(CASE WHEN {within} THEN {of} ELSE 0 END)");
        let distinct = |and: &str| format!("COUNT(DISTINCT CASE WHEN {within}{and} THEN enterprise END)");
        let counts = [
            sum("1"),
            sum("opens"),
            sum("1 - not_sustained"),
            distinct(""),
            distinct(" AND confirmed = 1"),
            distinct(" AND not_sustained = 0"),
            sum("CASE WHEN enterprise IS NULL THEN 1 ELSE 0 END"),
            sum("serious"),
            sum("serious_confirmed"),
        ];
        all.extend(counts.iter().zip(COUNTS).map(|(count, name)| format!("{count} AS {name}_{days}")));
    }
    all.join(", ")
}

/// Observed and expected episodes: the exposure of each stratum (peer group and month) times the rate of the others
/// there, or in the peer group, or in all, where they have too few episodes.
fn expected(as_of: NaiveDate, days: i32, enough: u32) -> String {
    let from = before(as_of, days);
    let first = (from + Days::new(1)).with_day(1).unwrap_or(from);
    // The first month that lies in the window as a whole.
    let first = if first > from { first } else { first + Months::new(1) };
    let month = |day: &str| format!("CAST(date_trunc('month', {day}) AS DATE)");
    let over = |of: &str, by: &str, name: &str| format!("SUM({of}) OVER ({by}) AS {name}");
    let sums = [
        over("x", "PARTITION BY peer_group, month", "sx"),
        over("e", "PARTITION BY peer_group, month", "se"),
        over("x", "PARTITION BY peer_group", "gx"),
        over("e", "PARTITION BY peer_group", "ge"),
        over("x", "PARTITION BY subject, peer_group", "ogx"),
        over("e", "PARTITION BY subject, peer_group", "oge"),
        over("x", "PARTITION BY subject", "ox"),
        over("e", "PARTITION BY subject", "oe"),
        over("x", "", "ax"),
        over("e", "", "ae"),
    ];
    let others = |x: &str, own: &str| format!("{x} - {own} > {x} * 0.000000001");
    let rate = format!(
        "CASE WHEN se - e >= {enough} AND {} THEN (se - e) / (sx - x) WHEN ge - oge >= {enough} AND {} THEN (ge - oge) \
         / (gx - ogx) WHEN {} THEN (ae - oe) / (ax - ox) END",
        others("sx", "x"),
        others("gx", "ogx"),
        others("ax", "ox")
    );
    format!(
        "parts AS (SELECT subject, COALESCE(peer_group, 'NONE') AS peer_group, {} AS month, CAST(0 AS DOUBLE) AS x, \
         CAST(opens AS DOUBLE) AS e FROM begun WHERE opens = 1 AND received_on >= DATE '{first}' UNION ALL SELECT \
         w.officer AS subject, COALESCE(b.peer_group, u.peer_group, 'NONE') AS peer_group, w.month AS month, \
         CAST(w.declarations AS DOUBLE) AS x, CAST(0 AS DOUBLE) AS e FROM workload w JOIN units u ON u.code = w.unit \
         LEFT JOIN units b ON b.code = u.branch WHERE w.officer IS NOT NULL AND w.month >= DATE '{first}' AND w.month \
         <= DATE '{as_of}'), cells AS (SELECT subject, peer_group, month, SUM(x) AS x, SUM(e) AS e FROM parts GROUP BY \
         subject, peer_group, month), strata AS (SELECT cells.*, {} FROM cells), rates AS (SELECT subject, x, e, \
         {rate} \
         AS rate FROM strata), of_officer AS (SELECT subject, CAST(SUM(e) AS BIGINT) AS observed, SUM(x) AS exposure, \
         CASE WHEN SUM(CASE WHEN x > 0 AND rate IS NULL THEN 1 ELSE 0 END) = 0 THEN SUM(x * rate) END AS expected FROM \
         rates GROUP BY subject)",
        month("received_on"),
        sums.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_window_has_every_count() {
        let day = NaiveDate::from_ymd_opt(2025, 12, 31).expect("a day");
        let sql = counts(day, &Rules::default());
        for days in WINDOWS {
            for name in COUNTS {
                assert!(sql.contains(&format!(" AS {name}_{days}")), "{name}_{days}");
            }
        }
        // A year of whole months: 2025-01 is the first one.
        assert!(sql.contains("w.month >= DATE '2025-01-01'") && sql.contains("received_on > DATE '2024-12-31'"));
        assert!(!sql.contains('"') && !sql.contains('\\'), "a cluster would read it otherwise");
    }
}
