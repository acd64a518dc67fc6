//! The lexer of SQL texts for clusters. Constructs that dialects read differently are refused, so that the cluster
//! reads the same tokens.

/// The kind of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A key word or a name, in lower case.
    Word(String),
    /// A name in double quotes.
    Name(String),
    /// A text in single quotes.
    Text(String),
    Number(String),
    /// `$1`, `$2`, …
    Parameter(usize),
    Symbol(char),
}

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    /// Whether a space or a comment precedes it.
    pub spaced: bool,
}

impl Token {
    pub fn is(&self, symbol: char) -> bool {
        self.kind == Kind::Symbol(symbol)
    }

    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }
}

/// Symbols that operators, lists and calls consist of.
const SYMBOLS: &str = "()[],.*+-/%<>=!|:~^&;";
/// Words that a quoted text may follow without a space.
const BEFORE_TEXT: [&str; 4] = ["date", "timestamp", "interval", "like"];

/// The tokens of a text, without comments.
///
/// # Errors
/// Names what is refused.
pub fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut lexer = Lexer { rest: text, spaced: false, tokens: Vec::new() };
    while lexer.step()? {}
    Ok(lexer.tokens)
}

struct Lexer<'t> {
    rest: &'t str,
    spaced: bool,
    tokens: Vec<Token>,
}

impl<'t> Lexer<'t> {
    /// Reads one token, or white space or a comment. Returns false at the end.
    fn step(&mut self) -> Result<bool, String> {
        let Some(first) = self.rest.chars().next() else { return Ok(false) };
        if first.is_whitespace() {
            self.take_while(char::is_whitespace);
            self.spaced = true;
        } else if self.rest.starts_with("--") {
            self.take_while(|c| c != '\n');
            self.spaced = true;
        } else if self.rest.starts_with("/*") {
            self.comment()?;
            self.spaced = true;
        } else if first == '\'' {
            self.check_prefix()?;
            let text = self.quoted('\'')?;
            self.push(Kind::Text(text));
        } else if first == '"' {
            let name = self.quoted('"')?;
            if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == ' ') {
                return Err(format!("the name {name:?} in double quotes has characters that no column has"));
            }
            self.push(Kind::Name(name));
        } else if first == '$' {
            self.rest = &self.rest[1..];
            let digits = self.take_while(|c| c.is_ascii_digit());
            let number = digits.parse::<usize>().ok().filter(|number| (1..=1_000).contains(number));
            let number = number.ok_or("write parameters as $1, $2, …, and texts in single quotes")?;
            self.push(Kind::Parameter(number));
        } else if first.is_ascii_digit() {
            let number = self.number()?;
            self.push(Kind::Number(number));
        } else if first.is_alphabetic() || first == '_' {
            let word = self.take_while(|c| c.is_alphanumeric() || c == '_').to_lowercase();
            self.push(Kind::Word(word));
        } else if SYMBOLS.contains(first) {
            if self.rest.starts_with("|>") {
                return Err("|> is not allowed: write a SELECT".into());
            }
            self.rest = &self.rest[first.len_utf8()..];
            self.push(Kind::Symbol(first));
        } else {
            return Err(format!(
                "the character {first:?} is not allowed: names are in double quotes, texts in single ones"
            ));
        }
        Ok(true)
    }

    fn push(&mut self, kind: Kind) {
        let spaced = std::mem::take(&mut self.spaced);
        self.tokens.push(Token { kind, spaced });
    }

    fn take_while(&mut self, is_part: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c: char| !is_part(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Comments within comments end with the outer one.
    fn comment(&mut self) -> Result<(), String> {
        let mut depth = 0usize;
        loop {
            if let Some(rest) = self.rest.strip_prefix("/*") {
                (self.rest, depth) = (rest, depth + 1);
            } else if let Some(rest) = self.rest.strip_prefix("*/") {
                (self.rest, depth) = (rest, depth - 1);
                if depth == 0 {
                    return Ok(());
                }
            } else {
                let mut characters = self.rest.chars();
                characters.next().ok_or("a comment does not end")?;
                self.rest = characters.as_str();
            }
        }
    }

    /// `E'…'`, `r'…'` and the like are read differently by each dialect.
    fn check_prefix(&self) -> Result<(), String> {
        match self.tokens.last() {
            Some(Token { kind: Kind::Word(word), .. }) if !self.spaced && !BEFORE_TEXT.contains(&word.as_str()) => {
                Err(format!("{word}'…' is not allowed: write a text in single quotes alone"))
            }
            _ => Ok(()),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut content = String::new();
        self.rest = &self.rest[1..];
        loop {
            let end = self.rest.find(quote).ok_or_else(|| format!("a {quote} is not closed"))?;
            content.push_str(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            if !self.rest.starts_with(quote) {
                return Ok(content);
            }
            content.push(quote);
            self.rest = &self.rest[1..];
        }
    }

    fn number(&mut self) -> Result<String, String> {
        let mut number = self.take_while(|c| c.is_ascii_digit()).to_owned();
        if let Some(rest) = self.rest.strip_prefix('.') {
            self.rest = rest;
            number.push('.');
            number.push_str(self.take_while(|c| c.is_ascii_digit()));
        }
        if let Some(rest) = self.rest.strip_prefix(['e', 'E']) {
            self.rest = rest;
            number.push('e');
            if let Some(sign) = self.rest.chars().next().filter(|c| "+-".contains(*c)) {
                self.rest = &self.rest[1..];
                number.push(sign);
            }
            number.push_str(self.take_while(|c| c.is_ascii_digit()));
        }
        if self.rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') || number.ends_with(['e', '+', '-']) {
            return Err(format!("{number} is followed by letters: write a number alone"));
        }
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_comments_end_where_they_do_in_sql() {
        let kinds = |text: &str| tokens(text).map(|all| all.into_iter().map(|one| one.kind).collect::<Vec<_>>());
        let word = |word: &str| Kind::Word(word.to_owned());
        assert_eq!(
            kinds(r"Select 'a''b\' /* ' /* */ */ AS -- x").unwrap(),
            [word("select"), Kind::Text(r"a'b\".into()), word("as")]
        );
        assert_eq!(kinds("1.5e-3 $2").unwrap(), [Kind::Number("1.5e-3".into()), Kind::Parameter(2)]);
        for refused in
            ["`a`", "'a", "\"a", "/* /* */", "E'a'", "$$a$$", "1L", "1e", "\"a/b\"", "a\\b", "a |> b", "@a", "$0"]
        {
            assert!(tokens(refused).is_err(), "{refused}");
        }
    }
}
