//! Finds the tables that a text reads. Only those of the lake may follow FROM and JOIN: a cluster would take other
//! names for tables of its catalogs or for paths of files.

use super::functions::{has_from, is_allowed, is_call};
use super::lexer::{Kind, Token};
use std::collections::BTreeSet;

/// Words that end the list of tables of a FROM.
const ENDS_FROM: [&str; 12] = [
    "where",
    "group",
    "having",
    "order",
    "limit",
    "union",
    "intersect",
    "except",
    "window",
    "qualify",
    "select",
    "offset",
];
/// Forbidden words: they change something or run a program.
const FORBIDDEN: [&str; 9] =
    ["insert", "update", "delete", "merge", "into", "directory", "table", "identifier", "transform"];

/// The state of the check between two brackets.
#[derive(Default)]
struct Frame {
    /// Whether a name is a table: the last word was FROM, JOIN or a comma between tables.
    awaits_table: bool,
    in_from: bool,
    /// The arguments of a function, in which FROM precedes no table.
    has_own_from: bool,
    /// Names that WITH gives to queries of this frame.
    named: Vec<String>,
}

/// Checks the tables, and returns those that are read.
///
/// # Errors
/// Names what is refused.
pub fn tables_read(tokens: &[Token], is_table: &dyn Fn(&str) -> bool) -> Result<BTreeSet<String>, String> {
    let mut reader = Reader { tokens, frames: vec![Frame::default()], read: BTreeSet::new(), is_table };
    for at in 0..tokens.len() {
        reader.step(at)?;
    }
    if reader.frames.len() != 1 {
        return Err("a bracket is not closed".into());
    }
    Ok(reader.read)
}

struct Reader<'t> {
    tokens: &'t [Token],
    frames: Vec<Frame>,
    read: BTreeSet<String>,
    is_table: &'t dyn Fn(&str) -> bool,
}

impl<'t> Reader<'t> {
    fn token(&self, at: usize) -> Option<&'t Token> {
        self.tokens.get(at)
    }

    fn is_word(&self, at: usize, words: &[&str]) -> bool {
        self.token(at).is_some_and(|token| words.iter().any(|word| token.is_word(word)))
    }

    fn is_symbol(&self, at: usize, symbol: char) -> bool {
        self.token(at).is_some_and(|token| token.is(symbol))
    }

    fn begins_query(&self, at: usize) -> bool {
        self.is_word(at, &["select", "with", "values"])
    }

    fn step(&mut self, at: usize) -> Result<(), String> {
        let tokens = self.tokens;
        match &tokens[at].kind {
            Kind::Symbol('(') => self.open(at),
            Kind::Symbol(')') => {
                if self.frames.len() < 2 {
                    return Err("a bracket is closed that was not opened".into());
                }
                self.frames.pop();
                Ok(())
            }
            Kind::Symbol(',') => {
                let frame = self.frame();
                frame.awaits_table = frame.in_from;
                Ok(())
            }
            Kind::Word(word) => self.word(at, word),
            Kind::Name(name) => {
                if self.is_symbol(at + 1, '(') && !self.is_query_name(at) {
                    return Err(format!("{name:?} is called in double quotes: write functions without them"));
                }
                self.name(at, &name.to_lowercase())
            }
            Kind::Text(_) if at > 0 && self.is_word(at - 1, &["using", "from", "join"]) => {
                Err("a text cannot be a table or a program".into())
            }
            _ if self.frames.last().is_some_and(|frame| frame.awaits_table) => {
                Err("a table is missing after FROM, JOIN or a comma".into())
            }
            _ => Ok(()),
        }
    }

    fn open(&mut self, at: usize) -> Result<(), String> {
        let frame = self.frame();
        // Brackets in the place of a table: a subquery, or tables that are joined.
        let of_tables = std::mem::take(&mut frame.awaits_table);
        let mut inner = Frame::default();
        if of_tables && !self.begins_query(at + 1) {
            (inner.awaits_table, inner.in_from) = (true, true);
        }
        let before = at.checked_sub(1).and_then(|before| self.token(before));
        if let Some(Token { kind: Kind::Word(word), .. }) = before
            && has_from(word)
            && !self.begins_query(at + 1)
        {
            inner.has_own_from = true;
        }
        self.frames.push(inner);
        Ok(())
    }

    fn word(&mut self, at: usize, word: &str) -> Result<(), String> {
        if FORBIDDEN.contains(&word) {
            return Err(format!("the word {} is not allowed: write one SELECT", word.to_uppercase()));
        }
        let is_qualified = at > 0 && self.is_symbol(at - 1, '.');
        if self.is_symbol(at + 1, '(') && !is_allowed(word) && !self.is_query_name(at) && !self.is_alias(at) {
            return Err(format!("there is no function {word} that a cluster may execute: docs/lake.md lists them"));
        }
        if is_qualified && self.is_symbol(at + 1, '(') {
            return Err(format!("the function {word} has a schema before its name: leave it out"));
        }
        if self.frames.last().is_some_and(|frame| frame.awaits_table) {
            if ["lateral", "only"].contains(&word) {
                return Ok(());
            }
            return self.name(at, word);
        }
        if self.is_query_name(at) {
            let word = word.to_owned();
            self.frame().named.push(word);
            return Ok(());
        }
        let has_own_from = self.frame().has_own_from;
        let compares = at > 1 && self.is_word(at - 1, &["distinct"]) && self.is_word(at - 2, &["is", "not"]);
        match word {
            "from" if !has_own_from && !compares => {
                let frame = self.frame();
                (frame.awaits_table, frame.in_from) = (true, true);
            }
            "join" => {
                let frame = self.frame();
                (frame.awaits_table, frame.in_from) = (true, true);
            }
            _ if ENDS_FROM.contains(&word) => self.frame().in_from = false,
            _ => {}
        }
        Ok(())
    }

    /// Reads a name: the name of a table where a table is expected.
    fn name(&mut self, at: usize, name: &str) -> Result<(), String> {
        if self.is_query_name(at) {
            let name = name.to_owned();
            self.frame().named.push(name);
            return Ok(());
        }
        if !std::mem::take(&mut self.frame().awaits_table) {
            return Ok(());
        }
        if self.is_symbol(at + 1, '.') {
            return Err(format!("{name} has a schema or a catalog before its name: tables of the lake have none"));
        }
        if self.is_symbol(at + 1, '(') && is_call(name) {
            // A table function; `word` has checked its name.
            return Ok(());
        }
        if self.frames.iter().any(|frame| frame.named.iter().any(|one| one == name)) {
            return Ok(());
        }
        if !(self.is_table)(name) {
            return Err(format!("there is no table {name} in the lake"));
        }
        self.read.insert(name.to_owned());
        Ok(())
    }

    /// Whether a name is one that WITH gives to a query: `name AS (SELECT`, or `name (columns) AS (SELECT`.
    fn is_query_name(&self, at: usize) -> bool {
        let begins = at > 0 && (self.is_word(at - 1, &["with", "recursive"]) || self.is_symbol(at - 1, ','));
        let mut next = at + 1;
        if self.is_symbol(next, '(') {
            while self.token(next).is_some_and(|token| !token.is(')')) {
                next += 1;
            }
            next += 1;
        }
        begins
            && self.is_word(next, &["as"])
            && self.is_symbol(next + 1, '(')
            && (self.begins_query(next + 2) || self.is_symbol(next + 2, '('))
    }

    /// Whether a name with columns in brackets is an alias of the table before it: `AS t (a, b)`, `) t (a, b)`.
    fn is_alias(&self, at: usize) -> bool {
        at > 0 && (self.is_word(at - 1, &["as"]) || self.is_symbol(at - 1, ')'))
    }

    /// The innermost frame. `tables_read` begins with one, and `step` never takes the last one away.
    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame::default());
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }
}
