//! The counting stage of recurrence as SQL over the tables of a lake: one text for DataFusion, Spark, Sail and DuckDB.
//!
//! For each officer it counts complaints about conduct, episodes and distinct enterprises in the four windows, as
//! [`crate::analyses::recurrence`] does by the default rules, and in the longest one observed and expected episodes.
//! What the job takes from texts and from the tree of units of earlier days, the lake has in the tables
//! `recurrence_complaints` and `recurrence_exposure`, which the code of the job makes as of the day of the lake: on
//! that day all numbers are those of the job. As of an earlier day, a campaign has the members that it had by then of
//! those that it has on the day of the lake, and ranges of exposure that the window cuts count by days.
//!
//! All joins are by equal columns, and all counts are sums by groups, so that engines hash them and their memory grows
//! with the groups. Engines evaluate a part of WITH once for each use of it, so that few parts are used twice. A
//! distinct enterprise counts on the last day of its pair with an officer, which needs no COUNT(DISTINCT …). Window
//! functions see only cells (officer, peer group and month).

mod days;
mod episodes;
mod expected;
mod found;

use crate::analyses::recurrence::{Rules, WINDOWS};
use chrono::NaiveDate;
use days::Span;

/// The columns of each window, named with its days: `complaints_30`, ….
pub const COUNTS: [&str; 11] = [
    "complaints",
    "episodes",
    "without_not_sustained",
    "enterprises",
    "enterprises_of_campaigns_apart",
    "campaign_complaints",
    "enterprises_confirmed",
    "enterprises_without_not_sustained",
    "anonymous",
    "serious",
    "serious_confirmed",
];

/// The tables that the counts read and that a lake of an earlier version of the program may lack.
pub const TABLES: [&str; 2] = ["recurrence_complaints", "recurrence_exposure"];

/// Counts by officer as of the end of a day, by the default rules: `officer`, the columns of [`COUNTS`] for each
/// window, `cut_off` (enterprises that complained in each block of days before the longest window, so that the
/// beginnings of their episodes are not known), and of the longest window `observed`, `exposure` and `expected`
/// episodes, and whether some exposure is `carried` over from another month (1 or 0).
pub fn counts(as_of: NaiveDate) -> String {
    let rules = Rules::default();
    let span = Span::new(as_of, rules.episode_days);
    let mut parts = found::parts(&span);
    let begun = episodes::add_parts(&span, &mut parts);
    parts.push(marked(&span, &begun));
    let (all, sums) = (of_all(str::to_owned), of_all(|name| format!("SUM({name}) AS {name}")));
    parts.push(format!(
        "counted AS (SELECT subject, nth, grp, month, {sums} FROM marked GROUP BY GROUPING SETS ((subject, nth), \
         (subject, grp, month)))"
    ));
    parts.extend(expected::parts(&span, &all, &sums, rules.stratum_episodes));
    let windows: Vec<String> = (0..)
        .zip(WINDOWS)
        .flat_map(|(nth, days)| COUNTS.iter().map(move |name| format!("SUM({name} * in_{nth}) AS {name}_{days}")))
        .collect();
    let longest = WINDOWS.len() - 1;
    format!(
        "WITH {} SELECT subject AS officer, {}, SUM(cut_off * in_{longest}) AS cut_off, {} FROM rates GROUP BY \
         subject HAVING SUM(complaints * in_{longest}) > 0 ORDER BY subject",
        parts.join(", "),
        windows.join(", "),
        expected::COLUMNS
    )
}

/// The columns of [`COUNTS`] and `cut_off`.
fn of_all(column: impl Fn(&str) -> String) -> String {
    COUNTS.iter().chain(&["cut_off"]).map(|name| column(name)).collect::<Vec<_>>().join(", ")
}

/// The days on which an enterprise, or another party, complained about an officer in the longest window, with what
/// counts on them and `nth`, the shortest window that has the day.
fn marked(span: &Span, begun: &str) -> String {
    let nth: Vec<String> = (0..)
        .zip(WINDOWS)
        .map(|(nth, days)| format!("WHEN d > {} THEN {nth}", span.number(span.before(days))))
        .collect();
    let words: Vec<String> =
        (span.first_word_of_window()..span.words).map(|word| format!("WHEN {word} THEN b{word}")).collect();
    let is = |condition: &str| format!("CASE WHEN {condition} THEN 1 ELSE 0 END");
    let opens = format!("complaints > 0 AND (d = first_d OR (spot & CASE word {} END) > 0)", words.join(" "));
    format!(
        "marked AS (SELECT subject, grp, month, CASE {} END AS nth, complaints, {} AS episodes, \
         without_not_sustained, {} AS enterprises, {} AS enterprises_of_campaigns_apart, campaign_complaints, {} AS \
         enterprises_confirmed, {} AS enterprises_without_not_sustained, anonymous, serious, serious_confirmed, {} \
         AS cut_off FROM days JOIN {begun} ON pair_subject = subject AND pair_party = party)",
        nth.join(" "),
        is(&opens),
        is("d = last_d"),
        is("d = last_own"),
        is("d = last_confirmed"),
        is("d = last_sustained"),
        is(&format!("d = last_d AND blocks = {}", span.all_blocks())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most bytes and tokens that the engine of this machine takes.
    const MOST: (usize, usize) = (64 * 1024, 5_000);

    /// The tokens of a text, or more.
    fn tokens(sql: &str) -> usize {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut before = ' ';
        let begins = |c: char| {
            let continues = is_part(c) && is_part(before);
            let begins = !(c.is_whitespace() || continues);
            before = c;
            begins
        };
        sql.chars().map(begins).filter(|begins| *begins).count()
    }

    #[test]
    fn every_window_has_every_count() {
        let day = NaiveDate::from_ymd_opt(2025, 12, 31).expect("a day");
        let sql = counts(day);
        for days in WINDOWS {
            for name in COUNTS {
                assert!(sql.contains(&format!(" AS {name}_{days}")), "{name}_{days}");
            }
        }
        assert!(sql.contains("last_day > DATE '2024-12-31'") && sql.contains("received_on > DATE '2024-10-02'"));
        assert!(!sql.contains('"') && !sql.contains('\\'), "a cluster would read it otherwise");
    }

    #[test]
    fn the_text_is_one_that_engines_take_and_plan_by_hash_tables() {
        let sql = counts(NaiveDate::from_ymd_opt(2025, 12, 31).expect("a day"));
        assert!(sql.len() < MOST.0 && tokens(&sql) < MOST.1, "{} bytes, {} tokens", sql.len(), tokens(&sql));
        // Distinct texts, frames and unequal joins took most of the time and memory.
        for slow in ["DISTINCT", "ROWS BETWEEN", "RANGE BETWEEN", "ROW_NUMBER", "LAG(", "CROSS JOIN"] {
            assert!(!sql.contains(slow), "{slow}");
        }
    }
}
