//! `LIKE … ESCAPE` with any character. The engine itself knows the backslash alone: patterns with another character are
//! written anew by it.

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringArray};
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Like, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    ColumnarValue, Expr, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use datafusion::optimizer::AnalyzerRule;
use std::sync::Arc;

/// The escape character of the engine.
const BACKSLASH: char = '\\';

/// Puts the pattern by the backslash in the place of one by another character. It follows the coercion of types, after
/// which the pattern has the type of the text.
#[derive(Debug)]
pub struct LikeEscape(Arc<ScalarUDF>);

impl LikeEscape {
    pub fn new() -> Self {
        let signature = Signature::any(2, Volatility::Immutable);
        Self(Arc::new(ScalarUDF::new_from_impl(ByBackslash { signature })))
    }

    fn escaped(&self, expression: Expr) -> Transformed<Expr> {
        match expression {
            Expr::Like(like) => match like.escape_char {
                Some(escape) if escape != BACKSLASH => {
                    let arguments = vec![*like.pattern, lit(escape.to_string())];
                    let pattern = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.0), arguments));
                    let like = Like::new(like.negated, like.expr, Box::new(pattern), None, like.case_insensitive);
                    Transformed::yes(Expr::Like(like))
                }
                _ => Transformed::no(Expr::Like(like)),
            },
            other => Transformed::no(other),
        }
    }
}

impl AnalyzerRule for LikeEscape {
    fn name(&self) -> &'static str {
        "like_escape"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let escaped = plan.transform_up_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            node.map_expressions(|expression| {
                let name = names.save(&expression);
                let escaped = expression.transform_up(|one| Ok(self.escaped(one)))?;
                Ok(if escaped.transformed { escaped.update_data(|one| name.restore(one)) } else { escaped })
            })?
            .map_data(LogicalPlan::recompute_schema)
        })?;
        Ok(escaped.data)
    }
}

/// A pattern with an escape character, written by the backslash.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ByBackslash {
    signature: Signature,
}

impl ScalarUDFImpl for ByBackslash {
    fn name(&self) -> &'static str {
        "pattern_by_backslash"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let first = arguments.first();
        first.cloned().ok_or_else(|| DataFusionError::Internal("a pattern without its text".into()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [patterns, escapes] = arguments.args.as_slice() else {
            return Err(DataFusionError::Internal("a pattern without its escape character".into()));
        };
        let texts = |of: &ColumnarValue| -> Result<ArrayRef> {
            Ok(cast(&of.to_array_of_size(arguments.number_rows)?, &DataType::Utf8)?)
        };
        let (patterns, escapes) = (texts(patterns)?, texts(escapes)?);
        let both = patterns.as_string::<i32>().iter().zip(escapes.as_string::<i32>());
        let written = both.map(|(pattern, escape)| {
            let escape = escape.and_then(|escape| escape.chars().next());
            pattern.zip(escape).map(|(pattern, escape)| by_backslash(pattern, escape)).transpose()
        });
        let written: StringArray = written.collect::<Result<_>>()?;
        let written = cast(&written, arguments.return_field.data_type())?;
        Ok(ColumnarValue::Array(written))
    }
}

/// Rewrites a pattern: the escape character quotes the character that follows, and a backslash means itself.
fn by_backslash(pattern: &str, escape: char) -> Result<String> {
    let mut written = String::with_capacity(pattern.len() + 2);
    let mut characters = pattern.chars();
    while let Some(one) = characters.next() {
        let (one, is_escaped) = match one == escape {
            true => match characters.next() {
                Some(next) => (next, true),
                None => {
                    let message = format!("the pattern {pattern:?} of LIKE ends with its escape character");
                    return Err(DataFusionError::Execution(message));
                }
            },
            false => (one, false),
        };
        if one == BACKSLASH || (is_escaped && matches!(one, '%' | '_')) {
            written.push(BACKSLASH);
        }
        written.push(one);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::common::cast::as_boolean_array;
    use datafusion::prelude::SessionContext;

    #[test]
    fn patterns_are_written_by_the_backslash() {
        for (pattern, escape, expected) in [
            ("pg/_%", '/', "pg\\_%"),
            ("a//_%", '/', "a/_%"),
            ("a///_%", '/', "a/\\_%"),
            ("100!%", '!', "100\\%"),
            ("C:\\x%", '/', "C:\\\\x%"),
            ("/\\/x", '/', "\\\\x"),
            ("đ_", 'đ', "\\_"),
        ] {
            assert_eq!(by_backslash(pattern, escape).unwrap(), expected, "{pattern}");
        }
        assert!(by_backslash("a/", '/').is_err());
    }

    #[tokio::test]
    async fn like_takes_any_escape_character() {
        let context = SessionContext::new();
        context.add_analyzer_rule(Arc::new(LikeEscape::new()));
        let text = "SELECT 'pg_x' LIKE 'pg/_' || '%' ESCAPE '/' AND 'pgax' NOT LIKE 'pg/_%' ESCAPE '/' \
                    AND 'A/B' ILIKE 'a//b' ESCAPE '/' AND (NULL LIKE 'a' ESCAPE '/') IS NULL";
        let rows = context.sql(text).await.unwrap().collect().await.unwrap();
        assert!(as_boolean_array(rows[0].column(0)).unwrap().value(0));
    }
}
