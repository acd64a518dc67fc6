//! The statements that make the tables of a lake in an engine.
//!
//! DuckDB, Spark and ClickHouse take lists of files: they read the state of the manifest. DataFusion and Trino take
//! folders: they read the newest files.

use super::manifest::{LakeFile, Manifest};
use super::tables_of;
use crate::tables::{ColumnType, Table};
use std::fmt::Write;
use std::path::Path;

/// An engine with statements of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    DuckDb,
    DataFusion,
    Spark,
    ClickHouse,
    Trino,
}

const ENGINES: [Engine; 5] = [Engine::DuckDb, Engine::DataFusion, Engine::Spark, Engine::ClickHouse, Engine::Trino];

/// Settings with which ClickHouse reads the files. A folder above the lake, such as `year=2025`, gives no column, which
/// would replace one of that name. And what a left join does not find, or an aggregate of no rows, is null and no zero.
const CLICKHOUSE: &str = "use_hive_partitioning = 0, schema_inference_make_columns_nullable = 1";

impl Engine {
    const fn word(self) -> &'static str {
        match self {
            Self::DuckDb => "duckdb",
            Self::DataFusion => "datafusion",
            Self::Spark => "spark",
            Self::ClickHouse => "clickhouse",
            Self::Trino => "trino",
        }
    }

    /// The notes above the statements.
    const fn about(self) -> &'static [&'static str] {
        match self {
            Self::DuckDb => &["DuckDB, in this folder: duckdb -c \".read lake.sql\""],
            Self::DataFusion => &["DataFusion, in this folder: datafusion-cli -f lake.datafusion.sql"],
            Self::Spark => &["Spark, in this folder: spark-sql -i lake.spark.sql", "Elsewhere write the paths out."],
            Self::ClickHouse => &[
                "ClickHouse, in this folder: clickhouse local --interactive --queries-file lake.clickhouse.sql",
                "A server finds the paths in its user_files: write that of this folder before them.",
            ],
            Self::Trino => &[
                "Trino, with a Hive catalog: replace the catalog, the schema and the place of the folder.",
                "The columns of instants are in UTC. A table that is there keeps its columns: drop it after an update of the \
                 program.",
            ],
        }
    }
}

/// The files of statements: names and contents. `lake.sql` runs in DuckDB, and has those of the others as comments.
pub(super) fn files(manifest: &Manifest, root: &Path) -> Vec<(String, String)> {
    let root = root.canonicalize().unwrap_or_else(|_| root.to_owned()).display().to_string();
    let header = format!(
        "-- The lake of the register at position {}, {}, for {}.\n-- `phananh lake sync` writes this file anew.\n",
        manifest.position, manifest.day, manifest.role
    );
    let of = |engine: Engine| {
        let mut text: String = engine.about().iter().map(|line| format!("-- {line}\n")).collect();
        if engine == Engine::Trino {
            // Without this setting Trino refuses columns of microseconds.
            text.push_str("SET SESSION hive.timestamp_precision = 'MICROSECONDS';\n");
        }
        for table in tables_of(manifest.role) {
            text.push_str(&statement(engine, table, manifest, &root));
        }
        text
    };
    let mut all = format!("{header}\n{}", of(Engine::DuckDb));
    for engine in ENGINES.into_iter().filter(|engine| *engine != Engine::DuckDb) {
        all.push('\n');
        for line in of(engine).lines() {
            // A comment of a comment reads badly.
            let _infallible = writeln!(all, "-- {}", line.strip_prefix("-- ").unwrap_or(line));
        }
    }
    let own = |engine: Engine| (format!("lake.{}.sql", engine.word()), format!("{header}{}", of(engine)));
    [("lake.sql".to_owned(), all)].into_iter().chain(ENGINES.map(own)).collect()
}

fn statement(engine: Engine, table: &Table, manifest: &Manifest, root: &str) -> String {
    let name = table.name;
    let files = manifest.tables.get(name).map(|table| table.files.as_slice()).unwrap_or_default();
    match engine {
        Engine::DuckDb => {
            let list: Vec<String> = files.iter().map(|file| format!("\n  {}", text(&file.path))).collect();
            let list = list.join(",");
            format!(
                "CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet([{list}], hive_partitioning = false);\n{}",
                comments(table)
            )
        }
        Engine::DataFusion => {
            format!("CREATE OR REPLACE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{name}/';\n")
        }
        Engine::Spark => {
            let path = text(&pattern(files));
            format!("CREATE OR REPLACE TEMPORARY VIEW {name} USING parquet OPTIONS (path {path});\n")
        }
        Engine::ClickHouse => {
            let path = text(&pattern(files));
            format!("CREATE OR REPLACE VIEW {name} AS SELECT * FROM file({path}, 'Parquet') SETTINGS {CLICKHOUSE};\n")
        }
        Engine::Trino => {
            let columns: Vec<String> = table
                .columns
                .iter()
                .map(|one| format!("\n  \"{}\" {} COMMENT {}", one.name, trino(one.of), text(one.comment)))
                .collect();
            let place = text(&format!("file://{root}/{name}"));
            format!(
                "CREATE TABLE IF NOT EXISTS hive.phananh.{name} ({}\n) COMMENT {} WITH (format = 'PARQUET', \
                 external_location = {place});\n",
                columns.join(","),
                text(table.comment)
            )
        }
    }
}

fn comments(table: &Table) -> String {
    let mut all = format!("COMMENT ON VIEW {} IS {};\n", table.name, text(table.comment));
    for one in table.columns {
        let _infallible = writeln!(all, "COMMENT ON COLUMN {}.\"{}\" IS {};", table.name, one.name, text(one.comment));
    }
    all
}

/// A pattern that matches these files and no others: they are in one folder.
pub(super) fn pattern(files: &[LakeFile]) -> String {
    match files {
        [] => String::new(),
        [only] => only.path.clone(),
        [first, ..] => {
            let folder = first.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let names: Vec<&str> =
                files.iter().filter_map(|file| file.path.rsplit('/').next()?.strip_suffix(".parquet")).collect();
            format!("{folder}/{{{}}}.parquet", names.join(","))
        }
    }
}

const fn trino(of: ColumnType) -> &'static str {
    match of {
        ColumnType::Text => "VARCHAR",
        ColumnType::Whole => "BIGINT",
        ColumnType::Float => "DOUBLE",
        ColumnType::Flag => "BOOLEAN",
        ColumnType::Day => "DATE",
        ColumnType::Instant => "TIMESTAMP(6)",
        ColumnType::Money => "DECIMAL(18, 0)",
        ColumnType::Texts => "ARRAY(VARCHAR)",
    }
}

/// A text in SQL.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}
