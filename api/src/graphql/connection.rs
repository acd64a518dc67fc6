//! Connections: edges, nodes, page info, and a count that is made only when asked for.

use super::complaint_children::{ComplaintCountKey, ComplaintsKey};
use super::context::{loaders, request};
use super::loaders::{ResponseCountKey, one};
use super::response_children::{SomeResponsesCountKey, SomeResponsesKey};
use async_graphql::{Context, Result};
use schema::{Conn, Id, StoreError};
use std::sync::Arc;

/// How the whole list is counted, when somebody asks.
pub enum Counter {
    /// By a statement of its own.
    Query(CountQuery),
    /// The responses of a complaint, counted together with those of the page's other complaints.
    ResponsesOf(Id),
    /// Those of them that a filter finds.
    SomeResponsesOf(SomeResponsesKey),
    /// It is known.
    Known(i64),
    /// The complaints of a parent, counted together with those of the page's other parents.
    ComplaintsOf(ComplaintsKey),
}

pub type CountQuery = Arc<dyn Fn(&mut Conn) -> Result<i64, StoreError> + Send + Sync>;

impl Counter {
    pub async fn count(&self, ctx: &Context<'_>) -> Result<i64> {
        match self {
            Self::Query(query) => {
                let query = Arc::clone(query);
                request(ctx)?.read(move |conn| query(conn)).await
            }
            Self::Known(number) => Ok(*number),
            Self::ComplaintsOf(key) => Ok(one(loaders(ctx)?, ComplaintCountKey(key.clone())).await?.unwrap_or(0)),
            Self::SomeResponsesOf(key) => {
                Ok(one(loaders(ctx)?, SomeResponsesCountKey(key.clone())).await?.unwrap_or(0))
            }
            Self::ResponsesOf(complaint) => Ok(one(loaders(ctx)?, ResponseCountKey(*complaint)).await?.unwrap_or(0)),
        }
    }
}

/// Defines the connection of a type.
macro_rules! connection {
    ($node:ident, $connection:ident, $edge:ident) => {
        pub struct $edge {
            pub cursor: $crate::graphql::page::Cursor,
            pub node: $node,
        }

        #[async_graphql::Object]
        impl $edge {
            /// Where this row stands in the list.
            async fn cursor(&self) -> String {
                self.cursor.encode()
            }

            async fn node(&self) -> $crate::graphql::inline_resolver::Inline<&$node> {
                $crate::graphql::inline_resolver::Inline(&self.node)
            }
        }

        pub struct $connection {
            pub edges: Vec<$edge>,
            pub page_info: $crate::graphql::page::PageInfo,
            pub counter: $crate::graphql::connection::Counter,
        }

        #[async_graphql::Object]
        impl $connection {
            async fn edges(&self) -> Vec<$crate::graphql::inline_resolver::Inline<&$edge>> {
                self.edges.iter().map($crate::graphql::inline_resolver::Inline).collect()
            }

            /// The rows without their cursors.
            async fn nodes(&self) -> Vec<$crate::graphql::inline_resolver::Inline<&$node>> {
                self.edges.iter().map(|edge| $crate::graphql::inline_resolver::Inline(&edge.node)).collect()
            }

            async fn page_info(&self) -> &$crate::graphql::page::PageInfo {
                &self.page_info
            }

            /// How many rows the whole list has, whatever the page. Counted only when asked for.
            async fn total_count(&self, ctx: &async_graphql::Context<'_>) -> async_graphql::Result<i64> {
                Box::pin(self.counter.count(ctx)).await
            }
        }
    };
}
pub(crate) use connection;

/// Reads a part of a list and makes a connection of it. `children`: reads what is asked for of all rows. `filter` makes the condition anew for
/// each use, since a condition cannot be cloned.
macro_rules! connect {
    ($ctx:expr, $page:expr, $filter:expr, $order:expr, $list:path, $count:path, $sort:ty, $node:ident, $connection:ident, $edge:ident $(, $children:path)?) => {{
        let request = $crate::graphql::context::request($ctx)?;
        let sealer = request.cursors();
        let window = $page.window(request.limits.page_size, sealer)?;
        let filter = std::sync::Arc::new($filter);
        let order: Vec<($sort, schema::queries::Direction)> = $order;
        let (to_list, list_order, list_window) = (std::sync::Arc::clone(&filter), order.clone(), window.clone());
        let slice = $crate::graphql::context::request($ctx)?
            .read(move |conn| $list(conn, to_list()?, &list_order, &list_window))
            .await?;
        $($children($ctx, &slice.rows).await?;)?
        let cursors: Vec<_> = slice
            .rows
            .iter()
            .map(|row| sealer.at($crate::graphql::page::Place::Keys(<$sort>::keys(&order, row))))
            .collect();
        let page_info = $crate::graphql::page::PageInfo::new(&slice, &window, &cursors);
        let edges =
            slice.rows.into_iter().zip(cursors).map(|(row, cursor)| $edge { cursor, node: $node::from(row) }).collect();
        let counter =
            $crate::graphql::connection::Counter::Query(std::sync::Arc::new(move |conn| $count(conn, filter()?)));
        Ok($connection { edges, page_info, counter })
    }};
}
pub(crate) use connect;
