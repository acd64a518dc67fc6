//! Observed and expected episodes: the exposure of each stratum (peer group and month) times the rate of the others
//! there, or in the peer group, or in all, where they have too few episodes.

use super::days::{Span, part};
use super::found::number_of_group;
use crate::analyses::recurrence::WINDOWS;
use chrono::Days;

/// The columns of the answer. An officer without cells has none of them.
pub(super) const COLUMNS: &str = "CAST(SUM(CASE WHEN month IS NOT NULL THEN e END) AS BIGINT) AS observed, SUM(CASE \
    WHEN month IS NOT NULL THEN x END) AS exposure, CASE WHEN SUM(CASE WHEN x > 0 AND rate IS NULL THEN 1 ELSE 0 \
    END) = 0 AND SUM(x * rate) > 0 THEN SUM(x * rate) END AS expected, MAX(CASE WHEN month IS NOT NULL THEN carried \
    END) AS carried";

/// The tables of WITH, from `counted`, which has rows of counts, without a month, and rows of episodes, with one. Rows
/// of counts pass through: they have neither exposure `x` nor episodes `e`. `all` are the names of the counts, and
/// `sums` their sums.
pub(super) fn parts(span: &Span, all: &str, sums: &str, enough: u32) -> [String; 4] {
    let (as_of, before) = (span.as_of, span.before_longest());
    let none = vec!["0"; all.split(", ").count()].join(", ");
    // A range lies in one month.
    let first = format!("GREATEST(first_day, DATE '{}')", before + Days::new(1));
    let last = format!("LEAST(last_day, DATE '{as_of}')");
    let days = |from: &str, to: &str| format!("CAST({} - {} + 1 AS DOUBLE)", part("DAY", to), part("DAY", from));
    let cells = format!(
        "cells AS (SELECT subject, nth, grp, month, SUM(x) AS x, SUM(e) AS e, MAX(carried) AS carried, {sums} FROM \
         parts GROUP BY subject, nth, grp, month)"
    );
    let parts = format!(
        "parts AS (SELECT subject, nth, grp, month, CAST(0 AS DOUBLE) AS x, CAST(CASE WHEN month IS NULL THEN 0 ELSE \
         episodes END AS DOUBLE) AS e, 0 AS carried, {all} FROM counted WHERE month IS NULL OR episodes > 0 UNION ALL \
         SELECT officer, NULL, {}, 12 * {} + {}, exposure * {} / {}, CAST(0 AS DOUBLE), CASE WHEN carried THEN 1 ELSE \
         0 END, {none} FROM recurrence_exposure WHERE last_day > DATE '{before}' AND first_day <= DATE '{as_of}')",
        number_of_group("peer_group"),
        part("YEAR", "first_day"),
        part("MONTH", "first_day"),
        days(&first, &last),
        days("first_day", "last_day"),
    );
    [parts, cells, strata(), rates(enough)]
}

/// The exposure and the episodes of strata, of peer groups and of all, and the officer's own among them.
fn strata() -> String {
    let over = |of: &str, by: &str, name: &str| format!("SUM({of}) OVER ({by}) AS {name}");
    let sums = [
        over("x", "PARTITION BY grp, month", "sx"),
        over("e", "PARTITION BY grp, month", "se"),
        over("x", "PARTITION BY grp", "gx"),
        over("e", "PARTITION BY grp", "ge"),
        over("x", "PARTITION BY subject, grp", "ogx"),
        over("e", "PARTITION BY subject, grp", "oge"),
        over("x", "PARTITION BY subject", "ox"),
        over("e", "PARTITION BY subject", "oe"),
        over("x", "", "ax"),
        over("e", "", "ae"),
    ];
    format!("strata AS (SELECT *, {} FROM cells)", sums.join(", "))
}

/// The rate of the others. `in_0`, `in_1`, … are 1 where a row of counts is in that window.
fn rates(enough: u32) -> String {
    let others = |x: &str, own: &str| format!("{x} - {own} > {x} * 0.000000001");
    let within: Vec<String> =
        (0..WINDOWS.len()).map(|nth| format!("CASE WHEN nth <= {nth} THEN 1 ELSE 0 END AS in_{nth}")).collect();
    format!(
        "rates AS (SELECT *, CASE WHEN se - e >= {enough} AND {} THEN (se - e) / (sx - x) WHEN ge - oge >= {enough} \
         AND {} THEN (ge - oge) / (gx - ogx) WHEN {} THEN (ae - oe) / (ax - ox) END AS rate, {} FROM strata)",
        others("sx", "x"),
        others("gx", "ogx"),
        others("ax", "ox"),
        within.join(", ")
    )
}
