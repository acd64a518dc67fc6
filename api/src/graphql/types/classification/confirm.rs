//! The mutation `confirmClassifications`: classifies many complaints, each by the rules of `classifyComplaint`.

use crate::access::Scope;
use crate::graphql::context::{request, viewer};
use crate::graphql::error::{bad_input, from_store};
use crate::graphql::execute::blocking;
use crate::graphql::scalars::parse_id;
use crate::graphql::types::Complaint;
use async_graphql::{Context, Error, ID, InputObject, Object, Result, SimpleObject, Value};
use schema::db::WriteTx;
use schema::register::complaints::{Case, load};
use schema::register::{Handling, handle};
use schema::{Db, Id, StoreError};

/// Complaints of one mutation, at most.
const MOST: usize = 1_000;
/// Complaints of one transaction: other writers proceed between two.
const AT_ONCE: usize = 100;

/// The category that a person confirms for a complaint, whether or not it was suggested.
#[derive(Debug, InputObject)]
pub struct ConfirmClassificationInput {
    pub complaint_id: ID,
    /// The version that you read; another version gives CONFLICT.
    pub expected_version: i32,
    /// The code of the category.
    pub category: String,
}

/// The result for one complaint.
#[derive(SimpleObject)]
pub struct ConfirmClassificationResult {
    /// The id of the complaint, as in the input.
    complaint_id: ID,
    /// The complaint after the change; null if it was refused.
    complaint: Option<Complaint>,
    /// The code of the error, as in `extensions.code`; null if the complaint is classified.
    code: Option<String>,
    /// The reason of a refusal; null if the complaint is classified.
    message: Option<String>,
}

#[derive(SimpleObject)]
pub struct ConfirmClassificationsPayload {
    /// One for each entry of the input, in its order.
    results: Vec<ConfirmClassificationResult>,
    /// The number of entries that are not refused.
    confirmed: i32,
    /// The position of the register after the changes, for `minPosition`; null if nothing changed.
    position: Option<i64>,
}

#[derive(Default)]
pub struct ClassificationMutations;

#[Object]
impl ClassificationMutations {
    /// Classifies 1 to 1,000 complaints, as `classifyComplaint` does without attributions. Each has a result of its
    /// own; a refused one does not affect the others: NOT_FOUND if you may not see it, BAD_USER_INPUT if the id or the
    /// category is wrong, CONFLICT if it has changed or has ended.
    async fn confirm_classifications(
        &self,
        ctx: &Context<'_>,
        input: Vec<ConfirmClassificationInput>,
    ) -> Result<ConfirmClassificationsPayload> {
        if input.is_empty() || input.len() > MOST {
            return Err(bad_input(format!("input has {} entries: confirm 1 to {MOST} at once", input.len())));
        }
        let viewer = viewer(ctx)?.clone();
        let app = request(ctx)?.app.clone();
        let scope = viewer.scope(&app.snapshots.current().reference.tree);
        let mut outcomes: Vec<Option<Outcome>> = Vec::with_capacity(input.len());
        let mut steps: Vec<Step> = Vec::with_capacity(input.len());
        for (place, one) in input.iter().enumerate() {
            match parse_id(&one.complaint_id) {
                Ok(id) => {
                    let handling = Handling::Classify { category: one.category.clone(), attributions: Vec::new() };
                    steps.push(Step { place, id, expected_version: one.expected_version, handling });
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(Err(error))),
            }
        }
        // Two mutations with the same complaints lock them in one order, so that neither waits for the other for ever.
        steps.sort_by_key(|step| (step.id, step.place));
        let ids: Vec<Id> = steps.iter().map(|step| step.id).collect();
        let (done, position) = blocking(move || Ok(confirmed(&app.db, &viewer.actor(), &scope, &steps))).await?;
        request(ctx)?.note_complaints(ids);
        for (place, outcome) in done {
            outcomes[place] = Some(outcome);
        }
        let results: Vec<ConfirmClassificationResult> =
            input.into_iter().zip(outcomes).map(|(one, outcome)| result(one.complaint_id, outcome)).collect();
        let confirmed = results.iter().filter(|one| one.complaint.is_some()).count();
        let confirmed = i32::try_from(confirmed).unwrap_or(i32::MAX);
        Ok(ConfirmClassificationsPayload { results, confirmed, position })
    }
}

/// The complaint as it is classified, or why it is not.
type Outcome = Result<Case, Error>;

/// A classification to make.
struct Step {
    /// The place in the input.
    place: usize,
    id: Id,
    expected_version: i32,
    handling: Handling,
}

/// Makes the classifications, some in each transaction. Returns the outcome of each by its place in the input, and the
/// last position.
fn confirmed(db: &Db, actor: &str, scope: &Scope, steps: &[Step]) -> (Vec<(usize, Outcome)>, Option<i64>) {
    let mut outcomes = Vec::with_capacity(steps.len());
    let mut last = None;
    for chunk in steps.chunks(AT_ONCE) {
        if let Ok(done) = db.write(actor, |tx| confirmed_within(tx, scope, chunk)) {
            last = done.position.or(last);
            outcomes.extend(done.value);
            continue;
        }
        // The database failed one of them, and undid them all: each alone.
        for step in chunk {
            match db.write(actor, |tx| confirmed_within(tx, scope, std::slice::from_ref(step))) {
                Ok(done) => {
                    last = done.position.or(last);
                    outcomes.extend(done.value);
                }
                Err(error) => outcomes.push((step.place, Err(from_store(error)))),
            }
        }
    }
    (outcomes, last)
}

/// Makes classifications in one transaction. Those that a rule of the register refuses have written nothing.
fn confirmed_within(tx: &mut WriteTx<'_>, scope: &Scope, steps: &[Step]) -> Result<Vec<(usize, Outcome)>, StoreError> {
    let ids: Vec<Id> = steps.iter().map(|step| step.id).collect();
    let found = load(tx.conn, &ids)?;
    let mut outcomes = Vec::with_capacity(steps.len());
    for step in steps {
        // Row scope: a complaint that names the viewer answers as one that does not exist.
        let seen = found.get(&step.id).is_some_and(|case| {
            let officers: Vec<Id> = case.officers.iter().map(|row| row.officer_id).collect();
            scope.contains(&case.complaint, &officers)
        });
        let outcome = match seen {
            true => handle(tx, step.id, step.expected_version, &step.handling),
            false => Err(StoreError::NotFound("there is no such complaint".into())),
        };
        outcomes.push((
            step.place,
            match outcome {
                Ok(case) => Ok(case),
                Err(
                    refused @ (StoreError::Refused(_)
                    | StoreError::NotFound(_)
                    | StoreError::Conflict(_)
                    | StoreError::Rule(_)),
                ) => Err(from_store(refused)),
                Err(failed) => return Err(failed),
            },
        ));
    }
    Ok(outcomes)
}

fn result(complaint_id: ID, outcome: Option<Outcome>) -> ConfirmClassificationResult {
    match outcome {
        Some(Ok(case)) => ConfirmClassificationResult {
            complaint_id,
            complaint: Some(Complaint(case.complaint)),
            code: None,
            message: None,
        },
        Some(Err(error)) => {
            let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
            let code = code.map(|code| match code {
                Value::String(code) => code.clone(),
                other => other.to_string(),
            });
            ConfirmClassificationResult { complaint_id, complaint: None, code, message: Some(error.message) }
        }
        // Every step has an outcome.
        None => ConfirmClassificationResult { complaint_id, complaint: None, code: None, message: None },
    }
}
