//! The groups of a statistic, asked over the GraphQL schema as the viewer: the access table decides about them.

use super::asker::{Asker, Refused};
use super::request::StatisticsRequest;
use crate::export::People;
use crate::graphql::error::Code;
use actix_web::http::StatusCode;
use anyhow::Context;
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use schema::Timestamp;
use schema::pseudonyms::Subject;
use serde_json::Value;

/// Groups of one answer.
const PAGE: u32 = 1_000;
/// Answers of one export at most.
const PAGES: usize = 1_000;
/// Attempts, if the register changes between two answers.
const TRIES: usize = 4;

/// All groups of a statistic, of one position.
pub struct Groups {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
    /// The columns with pseudonyms of answers.
    pub people: Vec<(usize, Subject)>,
    pub position: i64,
    pub as_of: Timestamp,
}

impl Groups {
    /// The rows with the pseudonyms of files.
    ///
    /// # Errors
    /// If the snapshot has no subject of a pseudonym.
    pub fn in_file(&self, people: &People<'_>) -> anyhow::Result<Vec<RecordBatch>> {
        people.in_file(&self.batches, &self.people)
    }
}

/// One answer.
struct Page {
    batch: RecordBatch,
    position: i64,
    as_of: Timestamp,
    end: Option<String>,
}

/// Asks for all groups, page by page.
///
/// # Errors
/// The refusal of a page, or that the register changed between pages again and again.
pub async fn groups(asker: &Asker<'_>, asked: &StatisticsRequest) -> Result<Groups, Refused> {
    for _ in 0..TRIES {
        if let Some(groups) = of_one_position(asker, asked).await? {
            return Ok(groups);
        }
    }
    let message = "the register changes faster than the groups can be read: ask for fewer groups, or try again";
    Err(Refused::Export((StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, message.to_owned())))
}

/// None where the register changed between two pages.
async fn of_one_position(asker: &Asker<'_>, asked: &StatisticsRequest) -> Result<Option<Groups>, Refused> {
    let first = page(asker, asked, None).await?;
    let (position, as_of, mut end) = (first.position, first.as_of, first.end);
    let mut batches = vec![first.batch];
    while let Some(after) = end {
        if batches.len() == PAGES {
            let message = format!("the statistic has more than {} groups: choose fewer", PAGES * PAGE as usize);
            return Err(Refused::Export((StatusCode::BAD_REQUEST, Code::BadUserInput, message)));
        }
        let next = page(asker, asked, Some(after)).await?;
        if next.position != position {
            return Ok(None);
        }
        batches.push(next.batch);
        end = next.end;
    }
    Ok(Some(Groups { schema: asked.question.schema(), batches, people: asked.question.people(), position, as_of }))
}

async fn page(asker: &Asker<'_>, asked: &StatisticsRequest, after: Option<String>) -> Result<Page, Refused> {
    let mut given = asked.given.clone();
    let mut variables = asked.variables.clone();
    given.push(("first", "Int!"));
    variables.insert("first".into(), PAGE.min(asker.service.limits_of(Some(asker.viewer)).groups).into());
    if let Some(after) = after {
        given.push(("after", "String!"));
        variables.insert("after".into(), after.into());
    }
    let outcome = asker.executed(asked.question.document(&given), variables).await?;
    read(outcome.json(), asked).map_err(|error| {
        tracing::error!(%error, "the answer to a statistic cannot be exported");
        let message = "the statistic could not be written to a file: ask for it over /graphql";
        Refused::Export((StatusCode::INTERNAL_SERVER_ERROR, Code::Internal, message.to_owned()))
    })
}

fn read(answer: &[u8], asked: &StatisticsRequest) -> anyhow::Result<Page> {
    let answer: Value = serde_json::from_slice(answer)?;
    let statistics = &answer["data"]["complaintStatistics"];
    let rows = statistics["rows"].as_array().context("the answer has no rows")?;
    let as_of = statistics["asOf"].as_str().context("the answer has no instant")?;
    let as_of = chrono::DateTime::parse_from_rfc3339(as_of)?.timestamp_micros();
    Ok(Page {
        batch: asked.question.batch(rows)?,
        position: statistics["position"].as_i64().context("the answer has no position")?,
        as_of: Timestamp::from_micros(as_of).context("the instant of the answer is out of range")?,
        end: statistics["endCursor"].as_str().map(str::to_owned),
    })
}
