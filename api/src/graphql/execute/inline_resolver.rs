//! Resolves the fields of an object one after another, in the order of the selection.
//!
//! async-graphql makes a task of each field, with two allocations and a waker, and inserts the values as the
//! tasks end. On a page of complaints, 650 fields, nearly all values are ready at once. Here each field is
//! polled in place, and only a field that has to wait gets an allocation. A third of the server's CPU time was there
//! (docs/benchmarks.md, "The API").

use crate::budget::Budget;
use crate::graphql::context::RequestContext;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::{
    ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value, indexmap::IndexMap,
};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Implements the methods of `OutputType` that say the GraphQL type: that of the object inside, of the type `T`.
macro_rules! type_of_inner {
    () => {
        fn type_name() -> std::borrow::Cow<'static, str> {
            T::type_name()
        }

        fn qualified_type_name() -> String {
            T::qualified_type_name()
        }

        fn introspection_type_name(&self) -> std::borrow::Cow<'static, str> {
            self.0.introspection_type_name()
        }

        fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
            T::create_type_info(registry)
        }
    };
}

pub(super) use type_of_inner;

/// An object that is resolved inline. Its GraphQL type is that of `T`.
pub struct Inline<T>(pub T);

impl<T: ContainerType> OutputType for Inline<T> {
    type_of_inner!();

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let mut fields = Vec::with_capacity(ctx.item.node.items.len());
        let request = ctx.data_opt::<RequestContext>();
        let budget = request.map(|request| &request.budget);
        // The budget is spent, so the writer refuses the whole answer.
        if budget.is_some_and(Budget::is_spent) {
            return Ok(Value::Null);
        }
        let catches_panics = request.is_none_or(|request| request.catches_panics);
        let value = if catches_panics || !collect_unmerged(ctx, &ctx.item.node, &T::type_name(), &mut fields) {
            self.0.resolve(ctx, field).await?
        } else {
            resolved(ctx, &self.0, &fields).await
        };
        if let (Some(budget), Value::Object(fields)) = (budget, &value) {
            budget.resolved(fields);
        }
        Ok(value)
    }
}

/// A pinned slot for a future; reused for the next one when the future is done.
type Place<F> = Pin<Box<Option<F>>>;

/// Polls the future in a slot; ready with None if the slot is empty.
fn poll<F: Future>(place: &mut Place<F>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
    place.as_mut().as_pin_mut().map_or(Poll::Ready(None), |running| running.poll(context).map(Some))
}

async fn resolved<T: ContainerType>(ctx: &ContextSelectionSet<'_>, of: &T, fields: &[&Positioned<Field>]) -> Value {
    let one = |field| async move { of.resolve_field(&ctx.with_field(field)).await };
    let mut values = Vec::with_capacity(fields.len());
    let mut waiting = Vec::new();
    let mut began = false;
    poll_fn(|context| {
        if began {
            waiting.retain_mut(|(nth, place)| match poll(place, context) {
                Poll::Ready(done) => {
                    values[*nth] = done;
                    false
                }
                Poll::Pending => true,
            });
        } else {
            began = true;
            let mut place = Box::pin(None);
            for (nth, field) in fields.iter().enumerate() {
                if field.node.name.node == "__typename" {
                    values.push(Some(Ok(Some(Value::String(of.introspection_type_name().into_owned())))));
                    continue;
                }
                place.as_mut().set(Some(one(field)));
                match poll(&mut place, context) {
                    Poll::Ready(done) => values.push(done),
                    Poll::Pending => {
                        values.push(None);
                        waiting.push((nth, std::mem::replace(&mut place, Box::pin(None))));
                    }
                }
            }
        }
        if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    object_of(ctx, fields, values)
}

/// The object of the values of its fields, in their order. Compiled once, and not again for each type of object.
fn object_of(
    ctx: &ContextSelectionSet<'_>,
    fields: &[&Positioned<Field>],
    values: Vec<Option<ServerResult<Option<Value>>>>,
) -> Value {
    let mut object: IndexMap<Name, Value> = IndexMap::with_capacity(fields.len());
    for (field, value) in fields.iter().zip(values) {
        // Like async-graphql: a failed field adds an error and is left out.
        match value {
            Some(Ok(value)) => {
                object.insert(field.node.response_key().node.clone(), value.unwrap_or_default());
            }
            Some(Err(error)) => ctx.add_error(error),
            None => {}
        }
    }
    if object.is_empty() { Value::Null } else { Value::Object(object) }
}

/// Collects the fields of a selection. Returns false if they are not plain: a field is selected twice and must
/// be merged, has a directive, or is in a fragment on another type.
fn collect_unmerged<'a>(
    ctx: &ContextSelectionSet<'a>,
    selections: &'a SelectionSet,
    of: &str,
    fields: &mut Vec<&'a Positioned<Field>>,
) -> bool {
    selections.items.iter().all(|selection| match &selection.node {
        Selection::Field(field) => {
            let name = &field.node.response_key().node;
            let is_new = fields.iter().all(|other| other.node.response_key().node != *name);
            fields.push(field);
            is_new && field.node.directives.is_empty()
        }
        Selection::InlineFragment(fragment) => {
            let fits = fragment.node.type_condition.as_ref().is_none_or(|on| on.node.on.node == of);
            fits && collect_unmerged(ctx, &fragment.node.selection_set.node, of, fields)
        }
        Selection::FragmentSpread(spread) => {
            let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node);
            fragment.is_some_and(|fragment| {
                fragment.node.type_condition.node.on.node == of
                    && collect_unmerged(ctx, &fragment.node.selection_set.node, of, fields)
            })
        }
    })
}
