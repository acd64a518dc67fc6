//! The command `classify`: trains the classifier, measures it, and lists its versions.

use super::jobs::day;
use super::output::{Output, print_note, table};
use anyhow::Context;
use chrono::NaiveDate;
use jobs::classification::evaluation::Evaluation;
use jobs::classification::register::{confirmed, store};
use jobs::classification::training::{Corpus, cross_validate, train};
use jobs::classification::{Rules, name_of_version};
use jobs::runner::settings::Settings;
use regex::Regex;
use schema::domain::calendar::local_date;
use schema::models::ClassifierModel;
use schema::{Db, Timestamp, queries};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Train the classifier on complaints that people classified, and store it as the next version
    Train {
        #[command(flatten)]
        sample: Sample,
    },
    /// Measure how well the classifier suggests categories of complaints that it has not learnt from
    Evaluate(EvaluateArgs),
    /// List the versions of the classifier, the newest first
    List,
}

// The complaints to learn from. A doc comment would replace the description of the command.
#[derive(Debug, clap::Args)]
pub struct Sample {
    /// Learn only from complaints received up to this day [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    as_of: Option<NaiveDate>,
    /// Number that decides which complaints are drawn and held out
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u32,
    /// Maximum number of complaints
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20_000,
        value_parser = clap::value_parser!(u32).range(50..=1_000_000)
    )]
    rows: u32,
}

#[derive(Debug, clap::Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    sample: Sample,
    /// Parts of the sample, each of which tests a model of the others
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(2..=20))]
    folds: u64,
    /// Measure on the texts of this CSV file instead of the register
    #[arg(long, value_name = "FILE", requires = "text", requires = "category")]
    file: Option<PathBuf>,
    /// Column of the file with the text
    #[arg(long, value_name = "COLUMN", requires = "file")]
    text: Option<String>,
    /// Column of the file with the category
    #[arg(long, value_name = "COLUMN", requires = "file")]
    category: Option<String>,
    /// Regular expression whose first group is the text in its column
    #[arg(long, value_name = "REGEX", requires = "file")]
    text_pattern: Option<Regex>,
    /// Regular expression whose first group is the category in its column
    #[arg(long, value_name = "REGEX", requires = "file")]
    category_pattern: Option<Regex>,
}

/// Runs `phananh classify`.
///
/// # Errors
/// If the training data are too few or cannot be read, or the database or the output fails.
pub fn run(
    open: impl FnOnce() -> anyhow::Result<Db>,
    settings: &Settings,
    command: &Command,
    out: &Output,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Train { sample } => trained(&open()?, settings, sample, out)?,
        Command::Evaluate(args) => evaluated(open, settings, args, out)?,
        Command::List => listed(&open()?, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn trained(db: &Db, settings: &Settings, sample: &Sample, out: &Output) -> anyhow::Result<()> {
    let as_of = sample.as_of.unwrap_or_else(today);
    let rules = Rules::load(settings.classification.rules.as_deref())?;
    let found = db.read_snapshot(|conn| confirmed(conn, as_of, sample.rows as usize, sample.seed.into()))?;
    let trained = train(&found.corpus, sample.seed.into(), &rules)?;
    let (model, is_new) = db.write("cli", |tx| store(tx, &trained, &found, as_of, sample.seed))?.value;
    if !is_new {
        print_note(format_args!("version {} has the same weights: nothing was stored", model.version));
    }
    let mut document = version(&model);
    document["stored"] = json!(is_new);
    document["available"] = json!(found.available);
    out.print(&document, |_| format!("version {} of the classifier\n{}", model.version, in_words(&trained.evaluation)))
}

fn evaluated(
    open: impl FnOnce() -> anyhow::Result<Db>,
    settings: &Settings,
    args: &EvaluateArgs,
    out: &Output,
) -> anyhow::Result<()> {
    let rules = Rules::load(settings.classification.rules.as_deref())?;
    let (most, seed) = (args.sample.rows as usize, u64::from(args.sample.seed));
    let mut document = json!({ "seed": args.sample.seed, "folds": args.folds });
    let corpus = match (&args.file, &args.text, &args.category) {
        (Some(file), Some(text), Some(category)) => {
            let text = Column { name: text, pattern: args.text_pattern.as_ref() };
            let category = Column { name: category, pattern: args.category_pattern.as_ref() };
            let (all, left_out) = read(file, &text, &category).with_context(|| file.display().to_string())?;
            document["file"] = json!(file);
            document["available"] = json!(all.examples.len());
            document["leftOut"] = json!(left_out);
            all.sample(most, seed)
        }
        _ => {
            let as_of = args.sample.as_of.unwrap_or_else(today);
            let found = open()?.read_snapshot(|conn| confirmed(conn, as_of, most, seed))?;
            document["asOf"] = json!(as_of);
            document["position"] = json!(found.position);
            document["available"] = json!(found.available);
            found.corpus
        }
    };
    let evaluation = cross_validate(&corpus, args.folds, seed, &rules)?;
    document["evaluation"] = json!(evaluation);
    out.print(&document, |_| in_words(&evaluation))
}

fn listed(db: &Db, out: &Output) -> anyhow::Result<()> {
    let versions = db.read(queries::classifier_versions)?;
    let documents: Vec<Value> = versions.iter().map(version).collect();
    out.print(&documents, |_| {
        let header = ["VERSION", "TRAINED AT", "AS OF", "POSITION", "SEED", "COMPLAINTS", "ACCURACY", "HASH"];
        table(
            &header,
            versions.iter().map(|model| {
                vec![
                    model.version.to_string(),
                    model.trained_at.utc().format("%Y-%m-%d %H:%M:%SZ").to_string(),
                    model.as_of.to_string(),
                    model.position.to_string(),
                    model.seed.to_string(),
                    model.examples.to_string(),
                    model.metrics.0["accuracy"].as_f64().map(percent).unwrap_or_default(),
                    model.hash.chars().take(12).collect(),
                ]
            }),
        )
    })
}

fn today() -> NaiveDate {
    local_date(Timestamp::now())
}

/// A version of the classifier as JSON.
fn version(model: &ClassifierModel) -> Value {
    json!({
        "version": model.version,
        "classifier": name_of_version(model.version),
        "trainedAt": model.trained_at,
        "asOf": model.as_of,
        "position": model.position,
        "seed": model.seed,
        "examples": model.examples,
        "hash": model.hash,
        "codeVersion": model.code_version,
        "evaluation": model.metrics,
    })
}

/// A column of a file, and which part of its cells counts.
struct Column<'a> {
    name: &'a str,
    pattern: Option<&'a Regex>,
}

impl Column<'_> {
    fn index(&self, header: &csv::StringRecord) -> anyhow::Result<usize> {
        let index = header.iter().position(|name| name == self.name);
        index.with_context(|| {
            let names: Vec<&str> = header.iter().collect();
            format!("there is no column {:?}: the file has {}", self.name, names.join(", "))
        })
    }

    /// The part of a cell that counts; None if it is blank, or the pattern does not match.
    fn relevant_part<'c>(&self, cell: &'c str) -> Option<&'c str> {
        let part = match self.pattern {
            None => cell,
            Some(pattern) => {
                let found = pattern.captures(cell)?;
                found.get(1).or_else(|| found.get(0))?.as_str()
            }
        };
        Some(part.trim()).filter(|part| !part.is_empty())
    }
}

/// Reads the texts of a file with their categories, and the number of rows without one of them.
fn read(file: &Path, text: &Column<'_>, category: &Column<'_>) -> anyhow::Result<(Corpus, usize)> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(file)?;
    let header = reader.headers()?.clone();
    let (text_at, category_at) = (text.index(&header)?, category.index(&header)?);
    let mut rows = Vec::new();
    let mut left_out = 0;
    for record in reader.records() {
        let record = record?;
        let text = record.get(text_at).and_then(|cell| text.relevant_part(cell));
        let category = record.get(category_at).and_then(|cell| category.relevant_part(cell));
        match (text, category) {
            (Some(text), Some(category)) => rows.push((text.to_owned(), category.to_owned())),
            _ => left_out += 1,
        }
    }
    Ok((Corpus::new(rows), left_out))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// An evaluation as text.
fn in_words(evaluation: &Evaluation) -> String {
    let measures = [
        ("texts that were held out", evaluation.examples.to_string()),
        ("different texts among all", evaluation.distinct_texts.to_string()),
        ("right: first suggestion", percent(evaluation.accuracy)),
        ("right: among the suggestions", percent(evaluation.among_suggestions)),
        ("right: the most frequent category", percent(evaluation.majority_accuracy)),
        ("right: keyword rules", percent(evaluation.rules_accuracy)),
        ("keyword rules suggest something", percent(evaluation.rules_answered)),
        ("macro F1", format!("{:.3}", evaluation.macro_f1)),
        ("log loss", format!("{:.3}", evaluation.log_loss)),
        ("calibration error", format!("{:.3}", evaluation.calibration_error)),
        ("calibration error before calibration", format!("{:.3}", evaluation.uncalibrated_error)),
    ];
    let summary = table(&["MEASURE", "VALUE"], measures.map(|(name, value)| vec![name.to_owned(), value]));
    let categories = table(
        &["CATEGORY", "TEXTS", "SUGGESTED", "RECALL", "PRECISION", "RECALL OF RULES"],
        evaluation.categories.iter().map(|one| {
            vec![
                one.category.clone(),
                one.examples.to_string(),
                one.suggested.to_string(),
                percent(one.recall),
                percent(one.precision),
                percent(one.rules_recall),
            ]
        }),
    );
    let curve = table(
        &["CONFIDENCE", "TEXTS", "MEAN CONFIDENCE", "RIGHT"],
        evaluation.curve.iter().filter(|bin| bin.examples > 0).map(|bin| {
            vec![
                format!("{:.1}-{:.1}", bin.from, bin.to),
                bin.examples.to_string(),
                percent(bin.confidence),
                percent(bin.accuracy),
            ]
        }),
    );
    format!("{summary}\n\n{categories}\n\n{curve}")
}
