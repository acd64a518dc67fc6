//! Regular expressions as PostgreSQL reads them. The engine's know other classes, escapes and replacements: `$1` in a
//! replacement, which PostgreSQL takes as it stands, `\b`, which is a backspace there, and `[[:alpha:]]` without the
//! letters of Vietnamese.

use super::rewrite;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::Transformed;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, LogicalPlan, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};
use regex::Regex;
use std::iter::Peekable;
use std::str::Chars;
use std::sync::Arc;

/// Functions whose second argument is a pattern, each with the index of its flags.
const FUNCTIONS: [(&str, usize); 5] =
    [("regexp_count", 3), ("regexp_instr", 5), ("regexp_like", 2), ("regexp_match", 2), ("regexp_replace", 3)];
const FLAGS: &str = "the flags of regular expressions are g and i: write (…|…) and [^…] for others";
const GROUPS: &str = "regexp_match would leave out a group that takes part in no match: write each alternative as a \
                      pattern of its own";

const TOO_LARGE: &str = "the regular expression is too large: write smaller numbers of repetitions";

/// The plan with patterns and replacements as the engine reads them.
///
/// # Errors
/// When the engine has not what a pattern asks for.
pub fn as_postgresql(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite::expressions(plan, |expression, _| {
        Ok(match expression {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_match(op) => {
                let right = Box::new(written(*right, Part::Pattern)?);
                Transformed::yes(Expr::BinaryExpr(BinaryExpr::new(left, op, right)))
            }
            Expr::ScalarFunction(function) => of_function(function)?,
            other => Transformed::no(other),
        })
    })
}

const fn is_match(op: Operator) -> bool {
    use Operator::{RegexIMatch, RegexMatch, RegexNotIMatch, RegexNotMatch};
    matches!(op, RegexMatch | RegexIMatch | RegexNotMatch | RegexNotIMatch)
}

fn of_function(mut function: ScalarFunction) -> Result<Transformed<Expr>> {
    let Some((name, flags)) = FUNCTIONS.into_iter().find(|(name, _)| *name == function.name()) else {
        return Ok(Transformed::no(Expr::ScalarFunction(function)));
    };
    let texts: Vec<Option<&str>> = function.args.iter().map(literal).collect();
    let text = |index: usize| texts.get(index).copied().flatten();
    if text(flags).is_some_and(|flags| flags.contains(|flag| !matches!(flag, 'g' | 'i'))) {
        return refused(FLAGS);
    }
    if name == "regexp_match" && text(1).is_some_and(has_optional_group) {
        return refused(GROUPS);
    }
    let mut arguments = Vec::with_capacity(function.args.len());
    for (index, argument) in function.args.into_iter().enumerate() {
        arguments.push(match index {
            1 => written(argument, Part::Pattern)?,
            2 if name == "regexp_replace" => written(argument, Part::Replacement)?,
            _ => argument,
        });
    }
    function.args = arguments;
    Ok(Transformed::yes(Expr::ScalarFunction(function)))
}

fn refused<T>(message: impl Into<String>) -> Result<T> {
    Err(DataFusionError::Plan(message.into()))
}

fn literal(one: &Expr) -> Option<&str> {
    match one {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

/// A pattern, or a group of it.
#[derive(Default)]
struct Group {
    captures: bool,
    has_alternatives: bool,
    /// Whether a group within it captures.
    has_captures: bool,
}

/// Whether a group that captures is in an alternative, or may be left out.
fn has_optional_group(pattern: &str) -> bool {
    let (mut around, mut group) = (Vec::new(), Group::default());
    let mut characters = pattern.chars().peekable();
    while let Some(one) = characters.next() {
        match one {
            '\\' => _ = characters.next(),
            '[' => skip_bracket(&mut characters),
            '|' => group.has_alternatives = true,
            '(' => {
                let captures = characters.peek() != Some(&'?');
                around.push(std::mem::replace(&mut group, Group { captures, ..Group::default() }));
            }
            ')' => {
                let is_left_out = match characters.peek().copied() {
                    Some('?' | '*') => true,
                    Some('{') => matches!(characters.clone().nth(1), Some('0' | ',')),
                    _ => false,
                };
                let captures = group.captures || group.has_captures;
                if (group.has_alternatives && group.has_captures) || (is_left_out && captures) {
                    return true;
                }
                group = around.pop().unwrap_or_default();
                group.has_captures |= captures;
            }
            _ => {}
        }
    }
    group.has_alternatives && group.has_captures
}

/// Reads what is between brackets, after the first one.
fn skip_bracket(characters: &mut Peekable<Chars<'_>>) {
    characters.next_if_eq(&'^');
    characters.next_if_eq(&']');
    while let Some(one) = characters.next() {
        match one {
            ']' => return,
            '\\' => _ = characters.next(),
            // A class such as [:alpha:] ends with a bracket of its own.
            '[' if characters.peek() == Some(&':') => while characters.next().is_some_and(|one| one != ']') {},
            _ => {}
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Part {
    Pattern,
    Replacement,
}

impl Part {
    fn translated(self, text: &str) -> Result<String> {
        match self {
            Self::Pattern => pattern(text),
            Self::Replacement => replacement(text),
        }
    }
}

/// The part as the engine reads it: at once if it is written out, else row by row.
fn written(one: Expr, part: Part) -> Result<Expr> {
    match &one {
        Expr::Literal(value, _) => match value.try_as_str().flatten() {
            Some(text) => {
                let made = part.translated(text)?;
                // The engine would take the size for an error of its own.
                if matches!(part, Part::Pattern) && matches!(Regex::new(&made), Err(regex::Error::CompiledTooBig(_))) {
                    return refused(TOO_LARGE);
                }
                Ok(lit(made))
            }
            None => Ok(one),
        },
        _ => {
            let function = Translated { part, signature: Signature::any(1, Volatility::Immutable) };
            let function = Arc::new(ScalarUDF::new_from_impl(function));
            Ok(Expr::ScalarFunction(ScalarFunction::new_udf(function, vec![one])))
        }
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Translated {
    part: Part,
    signature: Signature,
}

impl ScalarUDFImpl for Translated {
    fn name(&self) -> &'static str {
        match self.part {
            Part::Pattern => "pattern_of_engine",
            Part::Replacement => "replacement_of_engine",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn is_strict(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [of] = arguments.args.as_slice() else {
            return Err(DataFusionError::Internal("not one pattern".into()));
        };
        if let ColumnarValue::Scalar(value) = of {
            let text = value.try_as_str().flatten().map(|text| self.part.translated(text)).transpose()?;
            return Ok(ColumnarValue::Scalar(ScalarValue::Utf8(text)));
        }
        let texts = cast(&of.to_array_of_size(arguments.number_rows)?, &DataType::Utf8)?;
        let texts = texts.as_string::<i32>().iter().map(|text| text.map(|text| self.part.translated(text)).transpose());
        Ok(ColumnarValue::Array(Arc::new(texts.collect::<Result<StringArray>>()?)))
    }
}

/// `\1` and `\&` stand for what was found, and all else for itself.
fn replacement(text: &str) -> Result<String> {
    let mut made = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(one) = characters.next() {
        match one {
            '$' => made.push_str("$$"),
            '\\' => match characters.next() {
                Some(group @ '1'..='9') => made.extend(['$', '{', group, '}']),
                Some('&') => made.push_str("${0}"),
                _ => return refused("a backslash in a replacement stands before 1 to 9 and & alone"),
            },
            other => made.push(other),
        }
    }
    Ok(made)
}

fn pattern(text: &str) -> Result<String> {
    if text.starts_with("***") {
        return refused("a regular expression must not begin with ***");
    }
    // A point is also the end of a line.
    let mut made = if text.contains('.') { "(?s)".to_owned() } else { String::new() };
    let mut characters = text.chars().peekable();
    while let Some(one) = characters.next() {
        match one {
            '\\' => escape(characters.next(), &mut made)?,
            '[' => bracket(&mut characters, &mut made)?,
            '(' if characters.peek() == Some(&'?') => {
                characters.next();
                match characters.next() {
                    Some(':') => made.push_str("(?:"),
                    _ => return refused("a regular expression has no (?…) but (?:…): write ~* for (?i)"),
                }
            }
            other => made.push(other),
        }
    }
    Ok(made)
}

fn escape(one: Option<char>, made: &mut String) -> Result<()> {
    match one {
        Some('y') => made.push_str("\\b"),
        Some('Y') => made.push_str("\\B"),
        Some('m') => made.push_str("\\b{start}"),
        Some('M') => made.push_str("\\b{end}"),
        Some('Z') => made.push_str("\\z"),
        Some(one @ ('A' | 'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'n' | 'r' | 't' | 'f' | 'v')) => made.extend(['\\', one]),
        Some('b') => return refused("\\b is a backspace in regular expressions of PostgreSQL: write \\y"),
        Some(one) if one.is_ascii_alphanumeric() => {
            return refused(format!("a regular expression has no \\{one}"));
        }
        Some(one) if one.is_ascii() => made.extend(['\\', one]),
        Some(one) => made.push(one),
        None => return refused("a regular expression must not end with \\"),
    }
    Ok(())
}

/// What stands between brackets, from behind the first one.
fn bracket(characters: &mut Peekable<Chars<'_>>, made: &mut String) -> Result<()> {
    made.push('[');
    if let Some(not) = characters.next_if_eq(&'^') {
        made.push(not);
    }
    if characters.next_if_eq(&']').is_some() {
        made.push_str("\\]");
    }
    while let Some(one) = characters.next() {
        match one {
            ']' => {
                made.push(one);
                return Ok(());
            }
            '\\' => match characters.next() {
                Some(one) if matches!(one, 'd' | 's' | 'w' | 'n' | 'r' | 't') || one.is_ascii_punctuation() => {
                    made.extend(['\\', one]);
                }
                _ => return refused("a backslash between brackets stands before d, s, w, n, r, t and signs alone"),
            },
            '[' if characters.peek() == Some(&':') => class(characters, made)?,
            '[' if matches!(characters.peek(), Some('.' | '=')) => {
                return refused("[. .] and [= =] are not supported: write the letters");
            }
            // The engine would take two of them for an operator.
            '[' | '&' | '~' => made.extend(['\\', one]),
            '-' if characters.peek() == Some(&'-') => return refused("write \\- for a sign between brackets"),
            other => made.push(other),
        }
    }
    refused("a regular expression lacks ]")
}

/// A class such as `[:alpha:]`, whose first bracket has been read.
fn class(characters: &mut Peekable<Chars<'_>>, made: &mut String) -> Result<()> {
    characters.next();
    let name: String = std::iter::from_fn(|| characters.next_if(char::is_ascii_alphabetic)).collect();
    if characters.next() != Some(':') || characters.next() != Some(']') {
        return refused("a class of letters is written [[:alpha:]]");
    }
    made.push_str(match name.as_str() {
        "alpha" => "\\p{Alphabetic}",
        "alnum" => "\\p{Alphabetic}\\p{Nd}",
        "lower" => "\\p{Lowercase}",
        "upper" => "\\p{Uppercase}",
        "digit" => "0-9",
        "xdigit" => "0-9A-Fa-f",
        "space" => "\\s",
        "blank" => "\\t ",
        "punct" => "\\p{P}\\p{S}",
        "word" => "\\w",
        _ => return refused(format!("a regular expression has no class [:{name}:]")),
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::common::cast::as_boolean_array;
    use datafusion::prelude::{DataFrame, SessionContext};

    async fn holds(condition: &str) -> Result<bool> {
        let from = "(VALUES ('b(.)', 'xabcx', 'Đường 5')) AS t (p, x, d)";
        let frame = SessionContext::new().sql(&format!("SELECT {condition} AS c FROM {from}")).await?;
        let (state, plan) = frame.into_parts();
        let rows = DataFrame::new(state, as_postgresql(plan)?).collect().await?;
        Ok(as_boolean_array(rows[0].column(0))?.value(0))
    }

    #[tokio::test]
    async fn patterns_are_those_of_postgresql() {
        for condition in [
            "regexp_replace(x, 'b(.)', '[\\1]$1') = 'xa[c]$1x'",
            "regexp_replace(x, p, '\\&\\&') = 'xabcbcx'",
            "regexp_replace(x, 'X', '-', 'gi') = '-abc-'",
            "d ~ '^[[:alpha:]]+ [[:digit:]]$' AND d ~ '[[:upper:]]' AND NOT d ~ '[[:punct:]]'",
            "d ~ '\\m5\\M' AND d ~ '\\yĐường\\y' AND d ~* 'đƯỜNG'",
            "(chr(10) || 'b') ~ '.b' AND NOT ('a' || chr(10) || 'b') ~ '^b'",
            "x ~ p AND x !~ 'B(.)' AND x ~* 'B(.)'",
            "'&' ~ '[a&&b]' AND 'a-b' ~ '[.\\-]' AND ']' ~ '[]]' AND 'a.b' ~ 'a\\.b'",
            "'aab' ~ '(?:a){2}b'",
            "array_element(regexp_match(x, '(z|a)b'), 1) = 'a'",
            "array_element(regexp_match(d, '(?:Chi|Đường)[?| ]+([[:digit:]])'), 1) = '5'",
        ] {
            assert!(holds(condition).await.unwrap(), "{condition}");
        }
    }

    #[tokio::test]
    async fn what_the_engine_has_not_is_refused() {
        for (condition, message) in [
            ("x ~ '\\bx'", "\\y"),
            ("x ~ 'a(?=b)'", "(?:…)"),
            ("x ~ '(a)\\1'", "\\1"),
            ("x ~ '[[.a.]]'", "letters"),
            ("regexp_replace(x, 'a', '\\\\') = x", "backslash"),
            ("regexp_replace(x, 'a', 'b', 'n') = x", "flags"),
            ("regexp_match(x, '(z)|(a)') IS NULL", "group"),
            ("regexp_match(x, '((z)|a)b') IS NULL", "group"),
            ("regexp_match(x, '(?:(z)y)?b') IS NULL", "group"),
            ("regexp_match(x, '(z){0,1}b') IS NULL", "group"),
        ] {
            let refused = holds(condition).await.unwrap_err().to_string();
            assert!(refused.contains(message), "{condition}: {refused}");
        }
    }
}
