//! Turns a panic of a resolver into an error of its field. Catching around every field is slow, so it is done
//! only after a panic: a query changes nothing and can run again.

use crate::graphql::error::Code;
use async_graphql::async_trait::async_trait;
use async_graphql::extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo};
use async_graphql::{ErrorExtensionValues, PathSegment, Response, ServerError, ServerResult, Value};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

/// Extension that turns the panic of a resolver into an error of its field.
pub struct CatchPanics;

impl ExtensionFactory for CatchPanics {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(PanicErrors::default())
    }
}

/// The errors of the fields of one request that panicked.
#[derive(Default)]
struct PanicErrors(Mutex<Vec<ServerError>>);

#[async_trait]
impl Extension for PanicErrors {
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let mut response = next.run(ctx, operation_name).await;
        response.errors.append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
        response
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let path = info.path_node.to_string_vec();
        let nullable = !info.return_type.ends_with('!');
        AssertUnwindSafe(next.run(ctx, info)).catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!(field = path.join("."), "a resolver panicked");
            let mut error = ServerError::new("this field failed; the server's log says why", None);
            error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", Code::Internal.as_str());
            let segment = |name: String| name.parse().map_or(PathSegment::Field(name), PathSegment::Index);
            error.path = path.into_iter().map(segment).collect();
            // As with any other error, a non-null field makes its parent object null.
            if !nullable {
                return Err(error);
            }
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(error);
            Ok(Some(Value::Null))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};

    struct Query;

    #[Object]
    impl Query {
        async fn well(&self) -> i32 {
            1
        }

        async fn ill(&self) -> Option<i32> {
            if true {
                panic!("on purpose")
            }
            Some(2)
        }
    }

    #[test]
    fn a_panic_is_one_fields_error_and_the_rest_of_the_answer_stays() {
        let schema = Schema::build(Query, EmptyMutation, EmptySubscription).extension(CatchPanics).finish();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let response = runtime.block_on(schema.execute("{ well ill }"));
        assert_eq!(response.data, async_graphql::value!({ "well": 1, "ill": null }));
        let [error] = response.errors.as_slice() else { panic!("{:?}", response.errors) };
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
        assert_eq!(code, Some(&Value::from("INTERNAL_SERVER_ERROR")));
        assert!(!error.message.contains("on purpose"));
    }
}
