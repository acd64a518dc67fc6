//! The text of values as PostgreSQL writes it: `2025-01-04 20:00:00+00` of an instant, `4` of a double, `{1,2}` of a
//! list, and `t` of a flag in `concat`. The engine writes `2025-01-04T20:00:00Z`, `4.0`, `[1, 2]` and `true`.

use super::rewrite;
use api::sql::cells::postgres_texts;
use arrow_cast::cast;
use arrow_schema::{DataType, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{Case, ScalarFunction};
use datafusion::logical_expr::{
    Cast, ColumnarValue, Expr, ExprSchemable, LogicalPlan, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};
use datafusion::optimizer::AnalyzerRule;
use std::sync::Arc;

/// Functions that write `t` and `f` for flags, where a cast writes `true` and `false`.
const JOINING: [&str; 2] = ["concat", "concat_ws"];

/// Puts a function in the place of casts to text. It has to follow the coercion of types, which adds casts.
#[derive(Debug)]
pub struct TextValues(Arc<ScalarUDF>);

impl TextValues {
    pub fn new() -> Self {
        let signature = Signature::any(1, Volatility::Immutable);
        Self(Arc::new(ScalarUDF::new_from_impl(Text { signature })))
    }

    fn written(&self, expression: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        let Expr::Cast(cast) = expression else { return Ok(Transformed::no(expression)) };
        if !cast.field.data_type().is_string() || !differs(&cast.expr.get_type(schema)?) {
            return Ok(Transformed::no(Expr::Cast(cast)));
        }
        let text = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(&self.0), vec![*cast.expr]));
        Ok(Transformed::yes(Expr::Cast(Cast { expr: Box::new(text), field: cast.field })))
    }
}

impl AnalyzerRule for TextValues {
    fn name(&self) -> &'static str {
        "text_values"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        rewrite::expressions(plan, |expression, schema| self.written(expression, schema))
    }
}

/// Whether the engine writes a type in another way.
fn differs(of: &DataType) -> bool {
    matches!(of, DataType::Timestamp(..) | DataType::Float32 | DataType::Float64 | DataType::List(_))
}

/// The plan with the letters of flags in functions that join texts. It has to come before the coercion of types, which
/// makes the words of them.
///
/// # Errors
/// When the plan cannot be made anew.
pub fn with_letters(plan: LogicalPlan) -> Result<LogicalPlan> {
    rewrite::expressions(plan, |expression, schema| {
        let is_flag = |one: &Expr| one.get_type(schema).is_ok_and(|of| of == DataType::Boolean);
        Ok(match expression {
            Expr::ScalarFunction(mut function)
                if JOINING.contains(&function.name()) && function.args.iter().any(is_flag) =>
            {
                let args = function.args.into_iter().map(|one| if is_flag(&one) { letter(one) } else { one });
                function.args = args.collect();
                Transformed::yes(Expr::ScalarFunction(function))
            }
            other => Transformed::no(other),
        })
    })
}

fn letter(flag: Expr) -> Expr {
    let cases = [(flag.clone(), "t"), (Expr::Not(Box::new(flag)), "f")];
    let cases = cases.into_iter().map(|(when, then)| (Box::new(when), Box::new(lit(then)))).collect();
    Expr::Case(Case::new(None, cases, None))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Text {
    signature: Signature,
}

impl ScalarUDFImpl for Text {
    fn name(&self) -> &'static str {
        "text_of_value"
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
            return Err(DataFusionError::Internal("the text of no single value".into()));
        };
        let values = of.to_array_of_size(arguments.number_rows)?;
        let values = cast(&values, &written_type(values.data_type()))?;
        Ok(ColumnarValue::Array(Arc::new(postgres_texts(values.as_ref())?)))
    }
}

/// The type of which PostgreSQL has a text.
fn written_type(of: &DataType) -> DataType {
    match of {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Microsecond, zone.clone()),
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::UInt32 | DataType::Int8 | DataType::UInt8 | DataType::UInt16 => DataType::Int64,
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::List(item) => {
            DataType::List(Arc::new(item.as_ref().clone().with_data_type(written_type(item.data_type()))))
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::local_times::ZONE_OF_INSTANTS;
    use super::*;
    use arrow_array::cast::AsArray;
    use datafusion::execution::SessionStateBuilder;
    use datafusion::prelude::{DataFrame, SessionConfig, SessionContext};

    async fn evaluate(value: &str) -> Option<String> {
        let text = Arc::new(TextValues::new());
        let mut config = SessionConfig::new();
        config.options_mut().execution.time_zone = Some(ZONE_OF_INSTANTS.into());
        let state =
            SessionStateBuilder::new().with_config(config).with_default_features().with_analyzer_rule(text).build();
        let frame = SessionContext::new_with_state(state).sql(&format!("SELECT {value} AS v")).await.unwrap();
        let (state, plan) = frame.into_parts();
        let rows = DataFrame::new(state, with_letters(plan).unwrap()).collect().await.unwrap();
        let texts = cast(rows[0].column(0), &DataType::Utf8).unwrap();
        texts.as_string::<i32>().iter().next().flatten().map(str::to_owned)
    }

    #[tokio::test]
    async fn texts_are_those_of_postgresql() {
        for (value, expected) in [
            ("CAST(TIMESTAMP '2025-01-05 10:00:00.5' AS TEXT)", "2025-01-05 10:00:00.5"),
            ("CAST(CAST('2025-01-04T20:00:00Z' AS TIMESTAMPTZ) AS TEXT)", "2025-01-04 20:00:00+00"),
            ("CAST(TIMESTAMP '2025-01-05 10:00:00' AS TEXT) || '!'", "2025-01-05 10:00:00!"),
            ("CAST(CAST(4 AS DOUBLE) AS TEXT)", "4"),
            ("CAST(CAST('1e20' AS DOUBLE) AS TEXT)", "1e+20"),
            ("CAST(CAST('0.00001' AS DOUBLE) AS TEXT)", "1e-05"),
            ("CAST(CAST('123456789012345678' AS DOUBLE) AS TEXT)", "1.2345678901234568e+17"),
            ("CAST(CAST('100000000000000' AS DOUBLE) AS TEXT)", "100000000000000"),
            ("CAST(CAST('NaN' AS DOUBLE) AS TEXT)", "NaN"),
            ("CAST(make_array(1, NULL, 2) AS TEXT)", "{1,NULL,2}"),
            ("CAST(true AS TEXT)", "true"),
            ("concat(true, '-', CAST(false AS TEXT))", "t-false"),
            ("concat_ws('-', 1 = 2, 'a')", "f-a"),
        ] {
            assert_eq!(evaluate(value).await.as_deref(), Some(expected), "{value}");
        }
        assert_eq!(evaluate("CAST(CAST(NULL AS DOUBLE) AS TEXT)").await, None);
    }
}
