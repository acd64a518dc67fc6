//! Parameters: `$1`, `$2`, …

use api::sql::Parameter;
use arrow_schema::{DataType, Field, Schema};
use chrono::NaiveDate;
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlan;
use std::collections::HashMap;

/// The type of decimal numbers whose place tells none.
const DECIMAL: DataType = DataType::Decimal128(38, 9);

/// The plan with the values of its parameters, each of the type that its place asks for.
///
/// # Errors
/// When a value is missing, too many or not of that type.
pub fn bind(plan: LogicalPlan, parameters: &[Parameter]) -> Result<LogicalPlan, DataFusionError> {
    let types = plan.get_parameter_types()?;
    let wanted = count(&types)?;
    if wanted != parameters.len() {
        return Err(wrong(format!("the query has {wanted} parameters, and {} values were given", parameters.len())));
    }
    if parameters.is_empty() {
        return Ok(plan);
    }
    let value = |(parameter, number): (&Parameter, usize)| {
        let name = format!("${number}");
        let place = types.get(&name).cloned().flatten();
        let (value, own) = scalar(parameter);
        match place.or(own) {
            None => Ok(value),
            Some(of) => value.cast_to(&of).map_err(|e| wrong(format!("parameter {name}: {}", e.strip_backtrace()))),
        }
    };
    let values: Vec<ScalarValue> = parameters.iter().zip(1..).map(value).collect::<Result<_, _>>()?;
    plan.with_param_values(values)
}

/// The types of the parameters as a schema; Null where the place tells none.
///
/// # Errors
/// When a parameter has no number.
pub fn describe(plan: &LogicalPlan) -> Result<Schema, DataFusionError> {
    let types = plan.get_parameter_types()?;
    let field = |number: usize| {
        let name = format!("${number}");
        let of = types.get(&name).cloned().flatten().unwrap_or(DataType::Null);
        Field::new(name, of, true)
    };
    Ok(Schema::new((1..=count(&types)?).map(field).collect::<Vec<_>>()))
}

/// The largest number of a parameter.
fn count(types: &HashMap<String, Option<DataType>>) -> Result<usize, DataFusionError> {
    let mut most = 0;
    for name in types.keys() {
        let number = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        match number {
            Some(number @ 1..=1_000) => most = most.max(number),
            _ => return Err(wrong(format!("the parameter {name} has no number: write $1, $2, …"))),
        }
    }
    Ok(most)
}

/// A value, and the type that it takes where its place tells none.
fn scalar(parameter: &Parameter) -> (ScalarValue, Option<DataType>) {
    let value = match parameter {
        Parameter::Null => ScalarValue::Null,
        Parameter::Flag(flag) => ScalarValue::Boolean(Some(*flag)),
        Parameter::Whole(number) => ScalarValue::Int64(Some(*number)),
        Parameter::Float(number) => ScalarValue::Float64(Some(*number)),
        Parameter::Text(text) => ScalarValue::Utf8(Some(text.clone())),
        Parameter::Day(day) => {
            let days = day.signed_duration_since(NaiveDate::default()).num_days();
            ScalarValue::Date32(i32::try_from(days).ok())
        }
        Parameter::Instant(at) => ScalarValue::TimestampMicrosecond(Some(at.timestamp_micros()), Some("UTC".into())),
        Parameter::Decimal(text) => return (ScalarValue::Utf8(Some(text.clone())), Some(DECIMAL)),
    };
    (value, None)
}

fn wrong(message: String) -> DataFusionError {
    DataFusionError::Plan(message)
}
