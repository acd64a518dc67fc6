//! Connections: edges, nodes, page info, and a count that is made only when asked for.

use super::context::{loaders, request};
use super::loaders::{ResponseCountKey, one};
use super::nested::{ComplaintCountKey, ComplaintsKey};
use async_graphql::connection::PageInfo;
use async_graphql::{Context, Result};
use schema::queries::{Slice, Window};
use schema::{Conn, Id, StoreError};
use std::sync::Arc;

/// How the whole list is counted, when somebody asks.
pub enum Counter {
    /// By a statement of its own.
    Query(CountQuery),
    /// The responses of a complaint, counted together with those of the page's other complaints.
    ResponsesOf(Id),
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
            Self::ResponsesOf(complaint) => Ok(one(loaders(ctx)?, ResponseCountKey(*complaint)).await?.unwrap_or(0)),
        }
    }
}

/// The page info of a part of a list.
pub fn page_info<M>(slice: &Slice<M>, window: &Window, cursors: &[String]) -> PageInfo {
    PageInfo {
        has_previous_page: if window.backward { slice.more } else { window.after.is_some() },
        has_next_page: if window.backward { window.before.is_some() } else { slice.more },
        start_cursor: cursors.first().cloned(),
        end_cursor: cursors.last().cloned(),
    }
}

/// Defines the connection of a type.
macro_rules! connection {
    ($node:ident, $connection:ident, $edge:ident) => {
        #[derive(async_graphql::SimpleObject)]
        pub struct $edge {
            /// Where this row stands in the list.
            pub cursor: String,
            pub node: $node,
        }

        pub struct $connection {
            pub edges: Vec<$edge>,
            pub page_info: async_graphql::connection::PageInfo,
            pub counter: $crate::graphql::connection::Counter,
        }

        #[async_graphql::Object]
        impl $connection {
            async fn edges(&self) -> &[$edge] {
                &self.edges
            }

            /// The rows without their cursors.
            async fn nodes(&self) -> Vec<&$node> {
                self.edges.iter().map(|edge| &edge.node).collect()
            }

            async fn page_info(&self) -> &async_graphql::connection::PageInfo {
                &self.page_info
            }

            /// How many rows the whole list has, whatever the page. Counted only when asked for.
            async fn total_count(&self, ctx: &async_graphql::Context<'_>) -> async_graphql::Result<i64> {
                self.counter.count(ctx).await
            }
        }
    };
}
pub(crate) use connection;

/// Reads a part of a list and makes a connection of it. `filter` makes the condition anew for
/// each use, since a condition cannot be cloned.
macro_rules! connect {
    ($ctx:expr, $page:expr, $filter:expr, $order:expr, $list:path, $count:path, $sort:ty, $node:ident, $connection:ident, $edge:ident) => {{
        let request = $crate::graphql::context::request($ctx)?;
        let sealer = &request.app.cursors;
        let window = $page.window(request.limits.page_size, sealer)?;
        let filter = std::sync::Arc::new($filter);
        let order: Vec<($sort, schema::queries::Direction)> = $order;
        let (to_list, list_order, list_window) = (std::sync::Arc::clone(&filter), order.clone(), window.clone());
        let slice = $crate::graphql::context::request($ctx)?
            .read(move |conn| $list(conn, to_list()?, &list_order, &list_window))
            .await?;
        let cursors: Vec<String> = slice.rows.iter().map(|row| sealer.encode(&<$sort>::keys(&order, row))).collect();
        let page_info = $crate::graphql::connection::page_info(&slice, &window, &cursors);
        let edges =
            slice.rows.into_iter().zip(cursors).map(|(row, cursor)| $edge { cursor, node: $node::from(row) }).collect();
        let counter =
            $crate::graphql::connection::Counter::Query(std::sync::Arc::new(move |conn| $count(conn, filter()?)));
        Ok($connection { edges, page_info, counter })
    }};
}
pub(crate) use connect;
