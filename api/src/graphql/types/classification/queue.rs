//! The query `classificationQueue`: complaints that wait for a classification, the least certain first.

use super::{CategorySuggestion, suggestions};
use crate::graphql::connection::{Counter, assemble, connection};
use crate::graphql::context::{request, snapshot, viewer};
use crate::graphql::execute::{Inline, ListNode};
use crate::graphql::filter::{Filter, OptionalCondition};
use crate::graphql::page::{Beyond, PageArgs, Place};
use crate::graphql::scalars::Moment;
use crate::graphql::types::{Complaint, ComplaintFilter};
use async_graphql::{Context, Object, Result};
use schema::queries::{ClassificationSort, Direction, ListOrder, Pred, Purpose, with_search_index};
use schema::tables::{classifications, complaints};
use schema::{Conn, Id, StoreError, models, queries};
use std::sync::Arc;

connection!(ClassificationQueueItem, ClassificationQueueConnection, ClassificationQueueEdge);

const ORDER: [(ClassificationSort, Direction); 1] = [(ClassificationSort::Margin, Direction::Asc)];

pub struct ClassificationQueueItem {
    complaint: Complaint,
    classification: models::Classification,
    suggestions: Vec<models::CategorySuggestion>,
}

/// A complaint that waits for a classification.
#[Object]
impl ClassificationQueueItem {
    async fn complaint(&self) -> Inline<&Complaint> {
        Inline(&self.complaint)
    }

    /// How certain the suggestions are, from 0 to 1: the confidence in the first less that in the second. 0 without a
    /// suggestion.
    async fn margin(&self) -> f64 {
        self.classification.margin
    }

    /// The version of what read the complaint, as in its suggestions.
    async fn model(&self) -> &str {
        &self.classification.classifier
    }

    async fn suggested_at(&self) -> Moment {
        self.classification.suggested_at.into()
    }

    /// The suggested categories, by rank; empty if none fits.
    async fn suggestions(&self) -> Vec<Inline<CategorySuggestion>> {
        suggestions(&self.classification, self.suggestions.clone()).map(Inline).collect()
    }
}

#[derive(Default)]
pub struct QueueQueries;

#[Object]
impl QueueQueries {
    /// Complaints in the state RECEIVED that the classifier has read, the least certain first: by the margin between
    /// the first two suggestions, then by id. `confirmClassifications` takes them from the queue.
    async fn classification_queue(
        &self,
        ctx: &Context<'_>,
        filter: Option<ComplaintFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<ClassificationQueueConnection> {
        let request = request(ctx)?;
        let window = PageArgs { first, after, last, before }.window(request.limits.page_size, request.cursors())?;
        let reference = snapshot(ctx)?.reference.clone();
        let scope = viewer(ctx)?.scope(&reference.tree);
        let selected =
            Arc::new(move || -> OptionalCondition<complaints::table> { Ok(scope.and(filter.condition(&reference)?)) });
        let (to_list, part) = (Arc::clone(&selected), window.clone());
        let read = move |conn: &mut Conn| {
            let waiting = waiting(conn, Purpose::Page, &*to_list)?;
            let slice = ClassificationSort::list(conn, Some(waiting), &ORDER, &part)?;
            let ids: Vec<Id> = slice.rows.iter().map(|row| row.complaint_id).collect();
            let complaints = queries::complaints_by_id(conn, &ids, || Ok(None))?;
            let suggestions = queries::suggestions_of(conn, &ids)?;
            Ok((slice, complaints, suggestions))
        };
        let (slice, mut complaints, mut suggestions) = request.read(read).await?;
        request.charge_texts(complaints.values().map(|row| row.text.as_ref()))?;
        request.note_complaints(slice.rows.iter().map(|row| row.complaint_id));
        let edges = slice.rows.into_iter().filter_map(|classification| {
            let complaint = Complaint(complaints.remove(&classification.complaint_id)?);
            let suggestions =
                suggestions.remove(&classification.complaint_id).map(|(_, rows)| rows).unwrap_or_default();
            let cursor = request.cursors().at(Place::Keys(ClassificationSort::keys(&ORDER, &classification)));
            Some((cursor, ListNode::from(ClassificationQueueItem { complaint, classification, suggestions })))
        });
        let counter = Counter::Query(Arc::new(move |conn: &mut Conn, most: Option<i64>| match most {
            Some(most) => queries::count_up_to::<ClassificationSort>(conn, most, || {
                Ok(Some(queries::waiting_classifications(selected()?)))
            }),
            None => {
                let waiting = waiting(conn, Purpose::Count, &*selected)?;
                ClassificationSort::count(conn, Some(waiting))
            }
        }));
        Ok(assemble::<ClassificationQueueItem>(edges, Beyond::window(&window, slice.more), counter))
    }
}

/// The classifications of complaints that wait for a person, those that a condition selects.
fn waiting(
    conn: &mut Conn,
    purpose: Purpose,
    selected: &impl Fn() -> OptionalCondition<complaints::table>,
) -> Result<Pred<classifications::table>, StoreError> {
    Ok(queries::waiting_classifications(with_search_index(conn, purpose, selected)?))
}
