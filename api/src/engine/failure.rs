//! Errors of the SQL engine, as an analyst can use them.

use api::sql::protocol::Failed;
use datafusion::error::DataFusionError;
use jobs::tables::TABLES;

/// What the engine advises about a column in capital letters: nobody can change that setting.
const SETTING: &str = " or disable the datafusion.sql_parser.enable_ident_normalization configuration.";
/// Most characters of a message.
const LONGEST: usize = 2_000;

/// What an error tells the asker.
pub fn of_engine(error: &DataFusionError, memory_mb: u32, board: bool) -> Failed {
    let root = error.find_root();
    let message = match root {
        DataFusionError::ResourcesExhausted(_) => {
            format!("the query needs more than {memory_mb} MB: ask for fewer rows or groups")
        }
        // The message would ask for a report to the authors of the engine.
        DataFusionError::Internal(_) | DataFusionError::Ffi(_) | DataFusionError::ExecutionJoin(_) => {
            "the engine failed on this query: write it in another way".to_owned()
        }
        DataFusionError::SQL(parser, _) => parser.to_string(),
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
