//! The days on which the episodes of a pair of an officer and a party begin.
//!
//! An episode begins with the first complaint that is more than `episode_days` days after the beginning of the one
//! before, so that it depends on all before it. SQL that all these engines share has no recursion for it. The days of
//! a pair are the bits of some words (`w0`, `w1`, …), the earliest one the lowest bit. The lowest bit of a word is the
//! first beginning; a product with it is the block of days of that episode, which a step takes away; then the lowest
//! bit that is left is the next beginning. The block of a word's last beginning reaches into the next word.
//!
//! The chain begins with the first day of the [`Span`], some months before the longest window. It is that of the job
//! if the pair has a pause before the window, because after a pause an episode begins in any case. Where it has a
//! complaint in each block of days before the window, it may have none, and is reported as cut off.

use super::days::{Span, whole};

/// Adds the tables of WITH; the last one, whose name it returns, has a row for each pair: the columns of `paired`, and
/// the days on which its episodes begin as bits of `b0`, `b1`, ….
pub(super) fn add_parts(span: &Span, parts: &mut Vec<String>) -> String {
    parts.push(paired(span));
    let mut before = "paired".to_owned();
    let mut add = |name: String, expression: String, column: &str| {
        parts.push(format!("{name} AS (SELECT *, {expression} AS {column} FROM {before})"));
        before = name;
    };
    let block = (1_u64 << span.block) - 1;
    // A block that begins on these days reaches into the next word.
    let last = ((1_u64 << (span.block - 1)) - 1) << (span.bits - span.block + 1);
    for word in 0..span.words {
        let mut left = format!("w{word}");
        let mut lowest = Vec::new();
        if let Some(earlier) = word.checked_sub(1) {
            let reaches = format!("{left} - ({left} & (({block} * (b{earlier} & {last})) >> {}))", span.bits);
            left = format!("l{word}_0");
            add(format!("v{word}_0"), reaches, &left);
        }
        let days = if word == 0 { span.bits - span.spare } else { span.bits };
        let most = days.div_ceil(span.block);
        for step in 1..=most {
            lowest.push(format!("({left} & -{left})"));
            if step < most {
                let next = format!("l{word}_{step}");
                add(format!("v{word}_{step}"), format!("{left} - ({left} & ({block} * ({left} & -{left})))"), &next);
                left = next;
            }
        }
        add(format!("v{word}"), lowest.join(" + "), &format!("b{word}"));
    }
    before
}

/// SQL with one row for each pair: its first day, its days as bits, the last days on which it counts as an enterprise,
/// and the blocks before the longest window that have a complaint, as bits.
fn paired(span: &Span) -> String {
    let words: Vec<String> =
        (0..span.words).map(|word| format!("BIT_OR(CASE word WHEN {word} THEN spot ELSE 0 END) AS w{word}")).collect();
    format!(
        "paired AS (SELECT subject AS pair_subject, party AS pair_party, MIN(CASE counts WHEN 1 THEN d END) AS \
         first_d, MAX(CASE named WHEN 1 THEN d END) AS last_d, MAX(CASE WHEN in_campaign = 0 AND own IS NOT NULL \
         THEN d END) AS last_own, MAX(CASE named * confirmed WHEN 1 THEN d END) AS last_confirmed, MAX(CASE named * \
         sustained WHEN 1 THEN d END) AS last_sustained, BIT_OR(CASE WHEN d < {} AND spot > 0 THEN CAST(1 AS BIGINT) \
         << {} ELSE 0 END) AS blocks, {} FROM named GROUP BY subject, party)",
        span.whole_blocks() * span.block,
        whole("d", span.block),
        words.join(", ")
    )
}
