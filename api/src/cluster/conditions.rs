//! Finds `IN (SELECT …)` in conditions, by the brackets of a text at any depth. Engines differ where it makes a
//! difference whether such a part is false or unknown.

use super::lexer::Token;
use std::ops::Range;

/// Words at which a clause ends and another begins.
const CLAUSES: [&str; 21] = [
    "select",
    "from",
    "where",
    "group",
    "having",
    "window",
    "order",
    "limit",
    "offset",
    "fetch",
    "union",
    "intersect",
    "except",
    "join",
    "left",
    "right",
    "full",
    "inner",
    "cross",
    "natural",
    "on",
];

/// The brackets of a text, of which `CASE … END` is one.
pub struct Brackets<'t> {
    tokens: &'t [Token],
    /// Index of the other end of each token's bracket; for an opening one without an end, the number of tokens.
    partners: Vec<usize>,
    /// Index of the bracket around each token, by its beginning.
    around: Vec<Option<usize>>,
}

impl<'t> Brackets<'t> {
    /// Finds the brackets of a text.
    pub fn of(tokens: &'t [Token]) -> Self {
        let mut partners = vec![tokens.len(); tokens.len()];
        let mut around = Vec::with_capacity(tokens.len());
        let mut open: Vec<usize> = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            if let Some(begin) = open.pop_if(|begin| is_pair(&tokens[*begin], token)) {
                (partners[begin], partners[at]) = (at, begin);
            }
            around.push(open.last().copied());
            if opens(token) {
                open.push(at);
            }
        }
        Self { tokens, partners, around }
    }

    /// Whether the answer depends on how an engine reads the `IN` at this place when it is unknown. A subquery follows
    /// the word.
    pub fn is_decisive(&self, at: usize) -> bool {
        let (mut part, mut is_negated, mut is_alternative) = (at..self.after(at + 1), false, false);
        let mut is_alone = true;
        loop {
            let around = self.around[part.start];
            let level =
                around.map_or(0, |begin| begin + 1)..around.map_or(self.tokens.len(), |begin| self.partners[begin]);
            let before = self.before_part(level.start, part.start);
            let negations = before.iter().filter(|place| self.is_word(**place, "not")).count();
            // The first part has its left side before it; another one is a condition in brackets.
            let is_computed_with = part.start != at && before.len() > negations;
            let is_compared = part.end < level.end && !self.ends_part(part.end);
            let is_negated_as_a_whole = part.start != at && negations > 0 && !is_alone;
            if is_computed_with || is_compared || is_negated_as_a_whole {
                return true;
            }
            is_negated ^= negations % 2 == 1;
            let clause = self.clause(&level, part.start);
            is_alternative |= clause.iter().any(|place| self.is_word(*place, "or"));
            is_alone &= !clause.iter().any(|place| ["and", "or"].iter().any(|word| self.is_word(*place, word)));
            // What is shown, shows whether it is unknown.
            if clause.first().is_some_and(|place| self.is_word(*place, "select")) {
                return true;
            }
            let Some(begin) = around else { break };
            // The condition of a subquery, or of an aggregate's rows, begins anew.
            let first = &self.tokens[level.start];
            if ["select", "with", "values", "where"].iter().any(|word| first.is_word(word)) {
                break;
            }
            if !self.tokens[begin].is('(') {
                return true;
            }
            part = begin..self.after(begin);
        }
        is_alternative && is_negated
    }

    /// The place after a token, and after the bracket that it begins.
    fn after(&self, at: usize) -> usize {
        let end = self.tokens.get(at).filter(|token| opens(token)).map_or(at, |_| self.partners[at]);
        (end + 1).min(self.tokens.len())
    }

    /// The tokens of the part before an index in it, back to AND, OR or the beginning, without those in brackets of
    /// their own but with these brackets.
    fn before_part(&self, from: usize, at: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut place = at;
        while place > from && !self.ends_part(place - 1) {
            // A closing bracket has no partner where nothing was opened.
            place = (place - 1).min(self.partners[place - 1]);
            found.push(place);
        }
        found
    }

    /// The tokens of the clause around a place, without those in brackets of their own.
    fn clause(&self, level: &Range<usize>, at: usize) -> Vec<usize> {
        let mut found = Vec::new();
        let mut place = level.start;
        while place < level.end {
            if self.is_clause(place) {
                if place > at {
                    break;
                }
                found.clear();
            }
            found.push(place);
            place = self.after(place);
        }
        found
    }

    /// Whether a part of a condition ends at a token.
    fn ends_part(&self, at: usize) -> bool {
        ["and", "or"].iter().any(|word| self.is_word(at, word)) || self.tokens[at].is(',') || self.is_clause(at)
    }

    fn is_clause(&self, at: usize) -> bool {
        // `left(…)` and `right(…)` are functions.
        let is_call = self.tokens.get(at + 1).is_some_and(|next| next.is('('))
            && ["left", "right"].iter().any(|word| self.is_word(at, word));
        // `IS DISTINCT FROM` and `WITHIN GROUP` are no clauses, either.
        let is_after = |word: &str| at.checked_sub(1).is_some_and(|before| self.is_word(before, word));
        let is_inner =
            (self.is_word(at, "from") && is_after("distinct")) || (self.is_word(at, "group") && is_after("within"));
        !is_call && !is_inner && CLAUSES.iter().any(|word| self.is_word(at, word))
    }

    fn is_word(&self, at: usize, word: &str) -> bool {
        self.tokens[at].is_word(word)
    }
}

fn opens(token: &Token) -> bool {
    token.is('(') || token.is('[') || token.is_word("case")
}

fn is_pair(begin: &Token, end: &Token) -> bool {
    (begin.is('(') && end.is(')')) || (begin.is('[') && end.is(']')) || (begin.is_word("case") && end.is_word("end"))
}
