//! Functions about the only row of a subquery that gives a value.

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_cast::cast;
use arrow_schema::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// As PostgreSQL says it.
const SEVERAL: &str = "more than one row returned by a subquery used as an expression";

/// The value of the only row. More rows than one are an error.
pub fn single_row(rows: Expr, value: Expr) -> Expr {
    call(Function::SingleRow, vec![rows, value])
}

/// The value itself, of which the engine does not know that it never is null.
pub fn maybe_null(value: Expr) -> Expr {
    call(Function::MaybeNull, vec![value])
}

fn call(function: Function, arguments: Vec<Expr>) -> Expr {
    // A volatile function of a value that is written out is not computed beforehand, which would tell that it is never
    // null.
    let volatility = if function == Function::MaybeNull { Volatility::Volatile } else { Volatility::Immutable };
    let function = OfRow { function, signature: Signature::any(arguments.len(), volatility) };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(function)), arguments))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Function {
    SingleRow,
    MaybeNull,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfRow {
    function: Function,
    signature: Signature,
}

impl ScalarUDFImpl for OfRow {
    fn name(&self) -> &'static str {
        match self.function {
            Function::SingleRow => "single_row",
            Function::MaybeNull => "maybe_null",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        let last = arguments.last();
        last.cloned().ok_or_else(|| DataFusionError::Internal("the value of no subquery".into()))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match arguments.args.as_slice() {
            [value] => Ok(value.clone()),
            [rows, value] => {
                let rows = cast(&rows.to_array_of_size(arguments.number_rows)?, &DataType::Int64)?;
                if rows.as_primitive::<Int64Type>().iter().flatten().any(|number| number > 1) {
                    return Err(DataFusionError::Execution(SEVERAL.into()));
                }
                Ok(value.clone())
            }
            _ => Err(DataFusionError::Internal("the value of several subqueries".into())),
        }
    }
}
