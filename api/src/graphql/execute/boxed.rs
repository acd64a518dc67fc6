//! An object whose type leads back to the object that has it.

use super::Inline;
use super::inline_resolver::type_of_inner;
use async_graphql::parser::types::Field;
use async_graphql::{ContainerType, ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use futures_util::future::BoxFuture;

/// An object that is resolved in a box of its own. Without the box the future of a complaint would hold that of the
/// complaint of its escalation, and the compiler could not tell whether it may be sent to another thread.
pub struct Boxed<T>(pub T);

impl<T: ContainerType> OutputType for Boxed<T> {
    type_of_inner!();

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let object = Inline(&self.0);
        let resolving: BoxFuture<'_, ServerResult<Value>> = Box::pin(object.resolve(ctx, field));
        resolving.await
    }
}
