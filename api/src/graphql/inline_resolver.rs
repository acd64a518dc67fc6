//! Objects whose fields are resolved one after another, in the order in which they are asked for.
//!
//! async-graphql makes a task of each field of an object, with two allocations and a waker of its own, and puts the
//! values into the object as the tasks end. Nearly all fields of a page of complaints are known at once: a page has 650 of them. Here
//! a field is polled where it stands, and only one that has to wait gets a place of its own.

use super::context::RequestContext;
use crate::budget::Budget;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{
    ContainerType, ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value, indexmap::IndexMap,
};
use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

/// An object that is resolved so. It is of the type that it holds.
pub struct Inline<T>(pub T);

impl<T: ContainerType> OutputType for Inline<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let mut fields = Vec::with_capacity(ctx.item.node.items.len());
        let request = ctx.data_opt::<RequestContext>();
        let budget = request.map(|request| &request.budget);
        // The answer is refused as a whole when it is written.
        if budget.is_some_and(Budget::is_spent) {
            return Ok(Value::Null);
        }
        let watched = request.is_none_or(|request| request.watched);
        let value = if watched || !plain(ctx, &ctx.item.node, &T::type_name(), &mut fields) {
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

/// A place for a future that is used again for the next one, once it is done.
type Place<F> = Pin<Box<Option<F>>>;

/// Polls what is in a place.
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
    let mut object: IndexMap<Name, Value> = IndexMap::with_capacity(fields.len());
    for (field, value) in fields.iter().zip(values) {
        // As async-graphql itself has it: what failed is told, and left out.
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

/// Collects the fields of a selection; false where they are not plain: one is asked for twice and has to be merged, has
/// a directive, or stands in a fragment on another type.
fn plain<'a>(
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
            fits && plain(ctx, &fragment.node.selection_set.node, of, fields)
        }
        Selection::FragmentSpread(spread) => {
            let fragment = ctx.query_env.fragments.get(&spread.node.fragment_name.node);
            fragment.is_some_and(|fragment| {
                fragment.node.type_condition.node.on.node == of
                    && plain(ctx, &fragment.node.selection_set.node, of, fields)
            })
        }
    })
}
