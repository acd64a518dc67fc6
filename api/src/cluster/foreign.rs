//! Refuses by name what a cluster computes otherwise than this machine and PostgreSQL, where [`super::dialect`] cannot
//! write it in the words of Spark for sure.

use super::dialect::{INTEGERS, closing};
use super::lexer::{Kind, Token};
use jobs::tables::{ColumnType, TABLES};

const POWER: &str = "a ^ b is an exclusive OR in a cluster: write POWER(a, b)";
const MATCHES: &str = "~ is no regular expression in a cluster: write regexp_like(text, pattern)";
const LISTS: &str = "places in lists count from 0 in a cluster: ask without [ ]";
const WHOLE: &str = "x::BIGINT cuts off in a cluster, and rounds here: write CAST(x AS BIGINT), which rounds";
const DAYS: &str = "the difference of two days is an interval in a cluster, and a number here: write \
                    (date_part('epoch', a) - date_part('epoch', b)) / 86400";
const TODAY: &str = "the day of today is that of UTC in a cluster, and that of Vietnam here: write DATE '2025-01-31'";
const WEEKDAY: &str = "DOW counts from 1 or from 0 in a cluster: join calendar, whose weekday is 1 on Mondays";
const PLACES: &str = "places before the first letter mean something else in a cluster: count from 1 in left, right \
                      and substring";

/// Functions of one name and of two meanings, each with what to write instead.
const FUNCTIONS: [(&str, &str); 9] = [
    ("array_agg", "array_agg leaves nulls out in a cluster: write collect_list, which says so"),
    ("date_format", "date_format has other templates in a cluster: write EXTRACT or CAST"),
    ("initcap", "initcap divides words only at spaces in a cluster: leave it out"),
    ("log", "log(x) is the natural logarithm in a cluster, and that to the base 10 here: write LN(x) or LOG10(x)"),
    ("regexp_replace", "regexp_replace replaces all places in a cluster, and the first one here: write REPLACE"),
    ("to_char", "to_char has other templates in a cluster: write EXTRACT, date_trunc or CAST"),
    ("to_date", "to_date has other templates in a cluster: write CAST(text AS DATE)"),
    ("to_timestamp", "to_timestamp has other templates in a cluster: write CAST(text AS TIMESTAMP)"),
    ("trunc", "trunc cuts off days in a cluster, and numbers here: write date_trunc, FLOOR or CEIL"),
];

/// Refuses a text with such a part.
///
/// # Errors
/// Names it, and what to write instead.
pub fn refuse(tokens: &[Token]) -> Result<(), String> {
    match (0..tokens.len()).find_map(|at| meant(&tokens[at..])) {
        Some(message) => Err(message.to_owned()),
        None => Ok(()),
    }
}

/// Why a part that begins here is refused.
fn meant(rest: &[Token]) -> Option<&'static str> {
    let (first, after) = rest.split_first()?;
    match &first.kind {
        Kind::Symbol('^') => Some(POWER),
        Kind::Symbol('~') => Some(MATCHES),
        Kind::Symbol('[') => Some(LISTS),
        Kind::Symbol(':') => match after {
            [colon, of, ..] if colon.is(':') && INTEGERS.iter().any(|word| of.is_word(word)) => Some(WHOLE),
            _ => None,
        },
        Kind::Symbol('-') if is_day(after) => Some(DAYS),
        Kind::Word(word) => of_word(word, after),
        _ => None,
    }
}

fn of_word(word: &str, after: &[Token]) -> Option<&'static str> {
    if matches!(word, "current_date" | "localtimestamp" | "localtime" | "current_time") {
        return Some(TODAY);
    }
    let (open, inner) = after.split_first()?;
    if !open.is('(') {
        return None;
    }
    if matches!(word, "extract" | "date_part") && inner.first().is_some_and(is_weekday) {
        return Some(WEEKDAY);
    }
    if matches!(word, "left" | "right" | "substr" | "substring") && has_place_before_first(after) {
        return Some(PLACES);
    }
    FUNCTIONS.iter().find(|(name, _)| *name == word).map(|(_, message)| *message)
}

fn is_weekday(token: &Token) -> bool {
    match &token.kind {
        Kind::Word(part) => part == "dow",
        Kind::Text(part) => part.eq_ignore_ascii_case("dow"),
        _ => false,
    }
}

/// Whether an argument of a call is a negative number or 0. The first token is the bracket.
fn has_place_before_first(call: &[Token]) -> bool {
    let end = closing(call, 0).unwrap_or(call.len());
    let begins = |pair: &&[Token]| pair[0].is(',') || pair[0].is_word("from");
    call[..end].windows(2).filter(begins).any(|pair| {
        let zero = matches!(&pair[1].kind, Kind::Number(number) if number.bytes().all(|digit| digit == b'0'));
        zero || pair[1].is('-')
    })
}

/// Whether what follows a minus is a day: a literal, a cast, or a column of days.
fn is_day(operand: &[Token]) -> bool {
    match operand {
        [date, Token { kind: Kind::Text(_), .. }, ..] if date.is_word("date") => true,
        [cast, open, ..] if cast.is_word("cast") && open.is('(') => {
            closing(operand, 1).is_some_and(|end| operand[end - 1].is_word("date"))
        }
        _ => {
            let mut last = 0;
            while operand.get(last + 1).is_some_and(|one| one.is('.')) {
                last += 2;
            }
            let is_called = operand.get(last + 1).is_some_and(|one| one.is('('));
            !is_called && operand.get(last).and_then(name).is_some_and(is_column_of_days)
        }
    }
}

fn name(token: &Token) -> Option<&str> {
    match &token.kind {
        Kind::Word(name) | Kind::Name(name) => Some(name),
        _ => None,
    }
}

fn is_column_of_days(name: &str) -> bool {
    let mut columns = TABLES.iter().flat_map(|table| table.columns.iter());
    columns.any(|column| column.name == name && column.of == ColumnType::Day)
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::*;

    #[test]
    fn what_means_something_else_in_a_cluster_is_refused_with_what_to_write() {
        for (text, advice) in [
            ("SELECT log(cost_vnd) FROM complaints", "LOG10"),
            ("SELECT regexp_replace(branch, 'a', 'b') FROM complaints", "REPLACE"),
            ("SELECT 2 ^ 3", "POWER"),
            ("SELECT 1 FROM units WHERE code ~ 'A'", "regexp_like"),
            ("SELECT EXTRACT(DOW FROM received_on) FROM complaints", "calendar"),
            ("SELECT date_part('dow', received_on) FROM complaints", "calendar"),
            ("SELECT c.answered_on - c.received_on FROM complaints c", "epoch"),
            ("SELECT answered_on - DATE '2025-01-01' FROM complaints", "epoch"),
            ("SELECT answered_on - CAST($1 AS DATE) FROM complaints", "epoch"),
            ("SELECT COUNT(*) FROM complaints WHERE due_on < current_date", "DATE '"),
            ("SELECT delay_hours::int FROM complaints", "CAST"),
            ("SELECT to_char(received_on, 'DD') FROM complaints", "EXTRACT"),
            ("SELECT array_agg(branch) FROM complaints", "collect_list"),
            ("SELECT left(branch, -1) FROM complaints", "count from 1"),
            ("SELECT substring(branch FROM 0) FROM complaints", "count from 1"),
        ] {
            let refused = refuse(&tokens(text).unwrap()).unwrap_err();
            assert!(refused.contains(advice), "{text}: {refused}");
        }
        for text in [
            "SELECT LN(cost_vnd), LOG10(cost_vnd), received_on - INTERVAL '3 days' FROM complaints",
            "SELECT date_part('epoch', answered_on) - date_part('epoch', received_on) FROM complaints",
            "SELECT EXTRACT(DAY FROM received_on) - EXTRACT(MONTH FROM received_on), left(branch, 2) FROM complaints",
            "SELECT delay_hours::varchar, cost_vnd - 10, -cost_vnd, substring(branch, 1, 10) FROM complaints",
        ] {
            assert_eq!(refuse(&tokens(text).unwrap()), Ok(()), "{text}");
        }
    }
}
