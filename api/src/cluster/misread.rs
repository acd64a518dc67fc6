//! Refuses clauses that the engine of the register refuses, or answers in other words, because it would not answer the
//! rows that PostgreSQL answers. A cluster may be built on the same engine, and a question must have one answer wherever
//! it is asked.

use super::conditions::Brackets;
use super::lexer::Token;
use crate::sql::misread::{JOINS, QUANTIFIED, SAMPLE, SETS, SIMILAR, UNKNOWN};

/// Words after which a join has no condition any more.
const ENDS_JOIN: [&str; 10] =
    ["where", "group", "having", "order", "limit", "union", "intersect", "except", "window", "select"];

/// Refuses a text with such a clause.
///
/// # Errors
/// When it has one.
pub fn refuse(tokens: &[Token]) -> Result<(), String> {
    let brackets = Brackets::of(tokens);
    match (0..tokens.len()).find_map(|at| misread(&brackets, at, &tokens[..at], &tokens[at..])) {
        Some(message) => Err(message.to_owned()),
        None => Ok(()),
    }
}

/// Why a clause that begins with the first token of `rest`, at the index `at`, is refused; None if it is not.
fn misread(brackets: &Brackets<'_>, at: usize, before: &[Token], rest: &[Token]) -> Option<&'static str> {
    if begins(rest, &["similar", "to"]) {
        return Some(SIMILAR);
    }
    if begins(rest, &["except", "all"]) || begins(rest, &["intersect", "all"]) {
        return Some(SETS);
    }
    if begins(rest, &["tablesample"]) {
        return Some(SAMPLE);
    }
    if ["any", "all", "some"].iter().any(|word| begins(rest, &[*word])) && is_subquery(&rest[1..]) {
        return Some(QUANTIFIED);
    }
    let is_outer =
        ["right", "full"].iter().any(|side| begins(rest, &[*side, "join"]) || begins(rest, &[*side, "outer", "join"]));
    if is_outer && (before.last().is_some_and(|one| one.is_word("natural")) || joins_by_using(rest)) {
        return Some(JOINS);
    }
    if begins(rest, &["in"]) && is_subquery(&rest[1..]) && brackets.is_decisive(at) {
        return Some(UNKNOWN);
    }
    None
}

fn begins(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.is_word(word))
}

/// Whether a subquery in brackets begins here.
fn is_subquery(tokens: &[Token]) -> bool {
    let begins_here = tokens.iter().find(|one| !one.is('('));
    tokens.first().is_some_and(|one| one.is('('))
        && begins_here.is_some_and(|one| ["select", "with", "values"].iter().any(|word| one.is_word(word)))
}

/// Whether the condition of a join, of which `rest` begins before the word JOIN, is USING. Joins that follow before it
/// have their conditions before it.
fn joins_by_using(rest: &[Token]) -> bool {
    let after = rest.iter().skip_while(|one| !one.is_word("join")).skip(1);
    let (mut inner, mut has_condition) = (0_usize, true);
    for one in outside_of_brackets(after) {
        if ENDS_JOIN.iter().any(|word| one.is_word(word)) || one.is(',') {
            return false;
        }
        if one.is_word("cross") || one.is_word("natural") {
            has_condition = false;
        } else if one.is_word("join") {
            inner += usize::from(has_condition);
            has_condition = true;
        } else if one.is_word("on") || one.is_word("using") {
            let Some(left) = inner.checked_sub(1) else { return one.is_word("using") };
            inner = left;
        }
    }
    false
}

/// The tokens up to the end of the brackets around, without those in brackets of their own.
fn outside_of_brackets<'t>(tokens: impl Iterator<Item = &'t Token>) -> impl Iterator<Item = &'t Token> {
    let mut depth = 0_usize;
    let levels = tokens.map_while(move |one| {
        if one.is('(') || one.is(')') {
            depth = if one.is('(') { depth + 1 } else { depth.checked_sub(1)? };
            return Some((one, 1));
        }
        Some((one, depth))
    });
    levels.filter(|(_, depth)| *depth == 0).map(|(one, _)| one)
}

#[cfg(test)]
mod tests {
    use super::super::lexer::tokens;
    use super::refuse;

    #[test]
    fn clauses_that_the_engine_misreads_are_refused() {
        for text in [
            "SELECT 1 FROM units WHERE code SIMILAR TO '%b%'",
            "SELECT unit FROM complaints EXCEPT ALL SELECT code FROM units",
            "SELECT * FROM (SELECT unit FROM complaints INTERSECT ALL SELECT code FROM units) t",
            "SELECT COUNT(*) FROM complaints TABLESAMPLE BERNOULLI (10)",
            "SELECT code FROM units WHERE code = ANY (SELECT unit FROM complaints)",
            "SELECT code FROM units WHERE code >= ALL ((SELECT unit FROM complaints))",
            "SELECT unit FROM complaints FULL JOIN (SELECT unit FROM allegations) a USING (unit)",
            "SELECT unit FROM complaints RIGHT OUTER JOIN allegations USING (unit)",
            "SELECT unit FROM complaints NATURAL FULL OUTER JOIN allegations",
            "SELECT code FROM units WHERE kind = 'TEAM' OR code NOT IN (SELECT unit FROM complaints)",
            "SELECT code FROM units WHERE (code NOT IN (SELECT unit FROM complaints) OR kind = 'TEAM')",
            "SELECT code FROM units WHERE (code NOT IN (SELECT unit FROM complaints)) OR kind = 'TEAM'",
            "SELECT code FROM units WHERE kind = 'TEAM' OR (((code NOT IN ((SELECT unit FROM complaints))) AND kind = 'a'))",
            "SELECT code FROM units WHERE kind = 'TEAM' OR NOT (code IN (SELECT unit FROM complaints))",
            "SELECT code FROM units WHERE kind = 'TEAM' OR NOT code IN (SELECT unit FROM complaints)",
            "SELECT code FROM units WHERE NOT (code IN (SELECT unit FROM complaints) AND kind = 'TEAM')",
            "SELECT code FROM units WHERE NOT ((code IN (SELECT unit FROM complaints)) OR kind = 'TEAM')",
            "SELECT code FROM units WHERE kind = 'a' OR kind IS DISTINCT FROM 'b' AND code NOT IN (SELECT unit FROM complaints)",
            "SELECT code IN (SELECT unit FROM complaints), kind FROM units",
            "SELECT code FROM units WHERE (code IN (SELECT unit FROM complaints)) IS NULL",
            "SELECT code FROM units WHERE code IN (SELECT unit FROM complaints) IS NOT TRUE",
            "SELECT code FROM units WHERE false = (code IN (SELECT unit FROM complaints))",
            "SELECT code FROM units WHERE COALESCE(code IN (SELECT unit FROM complaints), true)",
            "SELECT code FROM units WHERE CASE WHEN code IN (SELECT unit FROM complaints) THEN false ELSE true END",
            "SELECT 1 FROM units u WHERE EXISTS (SELECT 1 FROM units WHERE (code NOT IN (SELECT unit FROM complaints)) OR kind = 'a')",
            "SELECT kind FROM units GROUP BY kind HAVING (kind NOT IN (SELECT kind FROM complaints)) OR COUNT(*) > 1",
            "SELECT 1 FROM units u FULL JOIN complaints c JOIN allegations a ON a.unit = c.unit USING (unit)",
            "SELECT 1 FROM (units u FULL JOIN (complaints c CROSS JOIN allegations a) USING (unit))",
        ] {
            assert!(refuse(&tokens(text).unwrap()).is_err(), "{text}");
        }
        for text in [
            "SELECT unit FROM complaints EXCEPT SELECT code FROM units UNION ALL SELECT 'a'",
            "SELECT right(unit, 2), COUNT(DISTINCT unit) FROM complaints LEFT JOIN allegations USING (unit) GROUP BY ALL",
            "SELECT 1 FROM complaints c FULL JOIN units u ON c.unit = u.code JOIN allegations a USING (unit)",
            "SELECT code FROM units WHERE code NOT IN (SELECT unit FROM complaints WHERE kind = 'a' OR kind = 'b')",
            "SELECT code FROM units WHERE (kind = 'a' OR kind = 'b') AND code NOT IN (SELECT unit FROM complaints)",
            "SELECT code FROM units WHERE kind NOT IN ('TEAM', 'BRANCH') OR code IN (SELECT unit FROM complaints)",
            "SELECT code FROM units WHERE kind = 'a' OR (kind = 'b' AND (code IN (SELECT unit FROM complaints)))",
            "SELECT code FROM units WHERE NOT ((code IN (SELECT unit FROM complaints))) AND (kind = 'a' OR kind = 'b')",
            "SELECT code = 'a' OR code = 'b' FROM units WHERE (code NOT IN (SELECT unit FROM complaints)) ORDER BY code",
            "SELECT 1 FROM units WHERE kind = 'a' OR EXISTS (SELECT 1 FROM units WHERE code NOT IN (SELECT unit FROM complaints))",
            "SELECT 1 FROM units WHERE left(code, 2) IN (SELECT unit FROM complaints) AND right(code, 2) NOT IN (SELECT unit FROM complaints)",
            "SELECT 1 FROM complaints c FULL JOIN units u JOIN allegations a USING (unit) ON c.unit = u.code",
        ] {
            assert_eq!(refuse(&tokens(text).unwrap()), Ok(()), "{text}");
        }
    }
}
