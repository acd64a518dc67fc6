//! Errors of the SQL engine, as an analyst can use them.

use api::sql::protocol::Failed;
use arrow_schema::ArrowError;
use datafusion::error::DataFusionError;
use jobs::tables::TABLES;

/// The advice of the engine about a column in capital letters, which is left out: askers cannot change that setting.
const SETTING: &str = " or disable the datafusion.sql_parser.enable_ident_normalization configuration.";
/// Where the limit of memory is set.
const LIMIT: &str = " (sql_memory_mb in [api.limits], --memory-mb of a command)";
/// Words of the engine about a subquery that it cannot rewrite as a join.
const PLACE: &str = "does not support logical expression";
/// Most characters of a message.
const LONGEST: usize = 2_000;

/// The message of an error for the asker.
pub fn of_engine(error: &DataFusionError, memory_mb: u32, board: bool) -> Failed {
    let root = error.find_root();
    let message = match root {
        DataFusionError::ResourcesExhausted(_) => {
            format!("the query needs more than {memory_mb} MB: ask for fewer rows or groups, or allow more{LIMIT}")
        }
        // The message would ask for a report to the authors of the engine.
        DataFusionError::Internal(_) | DataFusionError::Ffi(_) | DataFusionError::ExecutionJoin(_) => {
            "the engine failed on this query: write it in another way".to_owned()
        }
        DataFusionError::SQL(parser, _) => parser.to_string(),
        DataFusionError::ArrowError(error, _) if matches!(**error, ArrowError::DivideByZero) => {
            "division by zero: write NULLIF(…, 0) around the divisor for null instead".to_owned()
        }
        // The message would be the engine's own form of the subquery.
        DataFusionError::NotImplemented(message) if message.contains(PLACE) => {
            "a subquery is not supported in this place, or compares with columns outside of it by another operator \
             than =, across two levels or within UNION: write a join instead"
                .to_owned()
        }
        DataFusionError::Plan(message) if message.contains("' not found") && message.contains("table ") => {
            format!("{}; there are {}", message.replace("phananh.public.", ""), tables(board))
        }
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::NotImplemented(message)
        | DataFusionError::Configuration(message) => message.clone(),
        // A message is one line.
        other => other.strip_backtrace().replace(SETTING, ".").replace('\n', " "),
    };
    Failed::Sql(shortened(message))
}

fn tables(board: bool) -> String {
    let names = TABLES.iter().filter(|table| board || !table.board_only).map(|table| table.name);
    names.collect::<Vec<_>>().join(", ")
}

fn shortened(message: String) -> String {
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &message[..end]),
        None => message,
    }
}
