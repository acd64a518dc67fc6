//! Writes a text in the words of Spark where PostgreSQL and the engine of this machine mean the same by others:
//!
//! - nulls come last in ascending order and first in descending order, also in windows;
//! - a cast to a whole number rounds, and `NUMERIC` alone has ten digits behind the point;
//! - `concat` leaves nulls out;
//! - types have other names.
//!
//! What cannot be written so is refused in [`super::foreign`].

use super::lexer::{Kind, Token};

/// Types of whole numbers.
pub const INTEGERS: [&str; 8] = ["int", "integer", "bigint", "smallint", "tinyint", "int2", "int4", "int8"];
/// Words that end an ORDER BY outside of brackets.
const ENDS_ORDER: [&str; 9] = ["limit", "offset", "fetch", "rows", "range", "groups", "union", "intersect", "except"];

/// Tokens that replace others.
struct Edit {
    at: usize,
    removed: usize,
    inserted: Vec<Token>,
}

impl Edit {
    fn insert(at: usize, inserted: Vec<Token>) -> Self {
        Self { at, removed: 0, inserted }
    }
}

/// The text in the words of Spark.
pub fn in_spark(tokens: Vec<Token>) -> Vec<Token> {
    let mut edits: Vec<Edit> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let calls = tokens.get(at + 1).is_some_and(|next| next.is('('));
        if token.is_word("order") && tokens.get(at + 1).is_some_and(|next| next.is_word("by")) {
            edits.extend(order(&tokens, at));
        } else if calls && (token.is_word("cast") || token.is_word("try_cast")) {
            edits.extend(cast(&tokens, at));
        } else if calls && token.is_word("concat") && !tokens.get(at + 2).is_some_and(|next| next.is(')')) {
            edits.push(Edit { at, removed: 1, inserted: vec![Token { spaced: token.spaced, ..word("concat_ws") }] });
            edits.push(Edit::insert(
                at + 2,
                vec![Token { kind: Kind::Text(String::new()), spaced: false }, symbol(',')],
            ));
        }
    }
    // Of edits at one place the outer ones were found first.
    edits.sort_by_key(|edit| edit.at);
    applied(tokens, edits)
}

fn applied(tokens: Vec<Token>, edits: Vec<Edit>) -> Vec<Token> {
    let mut written = Vec::with_capacity(tokens.len() + edits.len() * 2);
    let mut edits = edits.into_iter().peekable();
    let mut removed = 0_usize;
    for (at, token) in tokens.into_iter().enumerate() {
        while let Some(edit) = edits.next_if(|edit| edit.at == at) {
            written.extend(edit.inserted);
            removed = removed.max(edit.removed);
        }
        match removed.checked_sub(1) {
            Some(left) => removed = left,
            None => written.push(token),
        }
    }
    written.extend(edits.flat_map(|edit| edit.inserted));
    written
}

/// Edits that write out where nulls come, in the order that begins here.
fn order(tokens: &[Token], at: usize) -> Vec<Edit> {
    // The order of percentiles leaves nulls out.
    let is_within_group = at >= 3 && tokens[at - 1].is('(') && tokens[at - 2].is_word("group");
    if is_within_group && tokens[at - 3].is_word("within") {
        return Vec::new();
    }
    let mut edits = Vec::new();
    let (mut depth, mut begin) = (0_usize, at + 2);
    for place in at + 2..=tokens.len() {
        let token = tokens.get(place);
        let ends = depth == 0
            && token.is_none_or(|one| one.is(')') || one.is(';') || ENDS_ORDER.iter().any(|word| one.is_word(word)));
        if ends || (depth == 0 && token.is_some_and(|one| one.is(','))) {
            let item = &tokens[begin..place];
            if !item.is_empty() && !item.iter().any(|one| one.is_word("nulls")) {
                let descends = item.last().is_some_and(|one| one.is_word("desc"));
                edits.push(Edit::insert(place, vec![word("nulls"), word(if descends { "first" } else { "last" })]));
            }
            begin = place + 1;
        }
        if ends {
            break;
        }
        match token {
            Some(one) if one.is('(') => depth += 1,
            Some(one) if one.is(')') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    edits
}

/// A cast: the names of types, and rounding to whole numbers.
fn cast(tokens: &[Token], at: usize) -> Vec<Edit> {
    let Some(end) = closing(tokens, at + 1) else { return Vec::new() };
    let Some(as_word) = (at + 2..end).rev().find(|place| tokens[*place].is_word("as")) else { return Vec::new() };
    let of: Vec<&str> = tokens[as_word + 1..end].iter().filter_map(text_of_word).collect();
    let plain = of.len() == end - as_word - 1;
    let named = |name: &str| vec![Edit { at: as_word + 1, removed: end - as_word - 1, inserted: vec![word(name)] }];
    match of.as_slice() {
        [integer] if plain && INTEGERS.contains(integer) => {
            let mut edits = match as_word - at - 2 {
                // A value alone is what it is.
                0 | 1 => Vec::new(),
                _ => vec![
                    Edit::insert(at + 2, vec![Token { spaced: false, ..word("round") }, symbol('(')]),
                    Edit::insert(as_word, vec![symbol(')')]),
                ],
            };
            edits.extend(match *integer {
                "int2" => named("smallint"),
                "int4" => named("int"),
                "int8" => named("bigint"),
                _ => Vec::new(),
            });
            edits
        }
        ["text" | "varchar"] | ["character", "varying"] if plain => named("string"),
        ["double", "precision"] | ["float8"] if plain => named("double"),
        ["real" | "float4"] if plain => named("float"),
        ["timestamptz"] | ["timestamp", "with", "time", "zone"] if plain => named("timestamp"),
        ["timestamp", "without", "time", "zone"] if plain => named("timestamp_ntz"),
        ["numeric" | "decimal"] if plain => {
            let digits = ["38", "10"].map(|digits| Token { kind: Kind::Number(digits.into()), spaced: false });
            let [all, behind] = digits;
            let inserted = vec![word("decimal"), symbol('('), all, symbol(','), behind, symbol(')')];
            vec![Edit { at: as_word + 1, removed: 1, inserted }]
        }
        _ => Vec::new(),
    }
}

/// The place of the bracket that closes the one at a place.
pub fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate().skip(open) {
        if token.is('(') {
            depth += 1;
        } else if token.is(')') {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(place);
            }
        }
    }
    None
}

fn text_of_word(token: &Token) -> Option<&str> {
    match &token.kind {
        Kind::Word(word) => Some(word),
        _ => None,
    }
}

fn word(word: &str) -> Token {
    Token { kind: Kind::Word(word.to_owned()), spaced: true }
}

const fn symbol(symbol: char) -> Token {
    Token { kind: Kind::Symbol(symbol), spaced: false }
}

#[cfg(test)]
mod tests {
    use super::super::text::check;

    fn written(text: &str) -> String {
        check(text, &[], &|_: &str| true).unwrap_or_else(|error| panic!("{text}: {error}")).sql
    }

    #[test]
    fn a_text_says_in_spark_what_it_says_here() {
        for (text, expected) in [
            (
                "SELECT a FROM t ORDER BY a, b DESC LIMIT 3",
                "select a from t order by a nulls last, b desc nulls first limit 3",
            ),
            ("SELECT a FROM t ORDER BY a NULLS FIRST;", "select a from t order by a nulls first"),
            (
                "SELECT LAG(a) OVER (PARTITION BY b ORDER BY COALESCE(a, 1) ROWS 2 PRECEDING) FROM t",
                "select lag(a) over (partition by b order by coalesce(a, 1) nulls last rows 2 preceding) from t",
            ),
            (
                "(SELECT a FROM t ORDER BY (a) LIMIT 1) UNION ALL SELECT b FROM t ORDER BY 1",
                "(select a from t order by (a) nulls last limit 1) union all select b from t order by 1 nulls last",
            ),
            (
                "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM t",
                "select percentile_cont(0.5) within group (order by a) from t",
            ),
            ("SELECT CAST(a / b AS BIGINT) FROM t", "select cast(round(a / b) as bigint) from t"),
            (
                "SELECT CAST(CAST(a * 2 AS INT) + 1 AS int8) FROM t",
                "select cast(round(cast(round(a * 2) as int) + 1) as bigint) from t",
            ),
            ("SELECT CAST('1' AS INT), CAST(a AS TEXT) FROM t", "select cast('1' as int), cast(a as string) from t"),
            (
                "SELECT CAST(a AS DOUBLE PRECISION), CAST(a AS NUMERIC), CAST(a AS NUMERIC(10, 2)) FROM t",
                "select cast(a as double), cast(a as decimal(38,10)), cast(a as numeric(10, 2)) from t",
            ),
            ("SELECT concat(a, 'b') FROM t", "select concat_ws('',a, 'b') from t"),
        ] {
            assert_eq!(written(text), expected);
        }
    }
}
