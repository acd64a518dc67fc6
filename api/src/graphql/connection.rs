//! Connections: edges, nodes, page info, and a count that runs only if selected; and how a page of a list becomes one.

use super::context::request;
use super::error::from_store;
use super::execute::ListNode;
use super::filter::OptionalCondition;
use super::loaders::{Loaders, loaders, one};
use super::page::{Beyond, Cursor, Cursors, PageArgs, PageInfo, Place};
use async_graphql::dataloader::Loader;
use async_graphql::{Context, Error, Result};
use futures_util::future::{BoxFuture, ready};
use schema::queries::{Direction, ListOrder, Purpose, Slice, Window, count_up_to, with_search_index};
use schema::{Conn, StoreError};
use std::hash::Hash;
use std::sync::Arc;

/// Way of counting the whole list, if the count is selected.
pub enum Counter {
    /// The count, which was computed before.
    Known(i64),
    /// A separate statement counts.
    Query(CountQuery),
    /// A loader counts, for the lists of all rows of the page at once.
    Loaded(CountLoad),
}

/// Counts all rows, or up to a number of them.
pub type CountQuery = Arc<dyn Fn(&mut Conn, Option<i64>) -> Result<i64, StoreError> + Send + Sync>;

type CountLoad = Box<dyn for<'c> Fn(&'c Context<'_>) -> BoxFuture<'c, Result<i64>> + Send + Sync>;

impl Counter {
    /// A count that a loader reads for all rows of a page.
    pub fn loaded<K>(key: K) -> Self
    where
        K: Clone + Eq + Hash + Send + Sync + 'static,
        Loaders: Loader<K, Value = i64, Error = Arc<Error>>,
    {
        Self::Loaded(Box::new(move |ctx| {
            let key = key.clone();
            Box::pin(async move { Ok(one(loaders(ctx)?, key).await?.unwrap_or(0)) })
        }))
    }

    /// The number of nodes of the whole list, or `most` if there are more.
    ///
    /// # Errors
    /// If the database cannot be read in time.
    pub async fn count(&self, ctx: &Context<'_>, most: Option<i64>) -> Result<i64> {
        let number = match self {
            Self::Known(number) => *number,
            Self::Query(query) => {
                let query = Arc::clone(query);
                request(ctx)?.read(move |conn| query(conn, most)).await?
            }
            Self::Loaded(load) => load(ctx).await?,
        };
        Ok(most.map_or(number, |most| number.min(most)))
    }
}

/// A type that has a connection. [`connection!`] implements it.
pub trait Connects: Sized {
    type Connection;

    fn connection(
        edges: impl Iterator<Item = (Cursor, ListNode<Self>)>,
        page_info: PageInfo,
        counter: Counter,
    ) -> Self::Connection;
}

/// A type whose rows are read page by page.
pub trait ListItem: Connects + From<Row<Self>> {
    type Order: ListOrder;

    /// Loads the selected relations of all rows of a page at once, and notes for the audit log whom the rows show.
    fn prepare<'c>(_: &'c Context<'_>, _: &'c [Row<Self>]) -> BoxFuture<'c, Result<()>> {
        Box::pin(ready(Ok(())))
    }
}

/// The stored row of a list item.
pub type Row<N> = <<N as ListItem>::Order as ListOrder>::Row;

/// The table of a list item.
pub type Table<N> = <<N as ListItem>::Order as ListOrder>::Table;

/// The fields that count the rows of a list.
pub const COUNTS: [&str; 2] = ["totalCount", "totalCountUpTo"];

/// Whether a query asks for no row of a list and for nothing but counts, so that no page has to be read. A page with a
/// cursor is read all the same, because its statement checks that the cursor belongs to the order.
pub fn only_counts(ctx: &Context<'_>, page: &PageArgs) -> bool {
    page.is_empty() && ctx.field().selection_set().all(|field| COUNTS.contains(&field.name()))
}

/// Reads a page of the rows that a condition selects. The condition is built again for each statement, since it cannot
/// be cloned.
///
/// # Errors
/// BAD_USER_INPUT if a page argument or the condition is wrong.
pub async fn list<N: ListItem>(
    ctx: &Context<'_>,
    page: PageArgs,
    order: Vec<(N::Order, Direction)>,
    condition: impl Fn() -> OptionalCondition<Table<N>> + Send + Sync + 'static,
) -> Result<N::Connection> {
    let request = request(ctx)?;
    let window = page.window(request.limits.page_size, request.cursors())?;
    let condition = Arc::new(condition);
    let slice = if only_counts(ctx, &page) {
        // A wrong filter is an error of the list, as it is with a page.
        condition().map_err(from_store)?;
        Slice { rows: Vec::new(), more: false }
    } else {
        let (to_list, list_order, list_window) = (Arc::clone(&condition), order.clone(), window.clone());
        let read = move |conn: &mut Conn| {
            let condition = with_search_index(conn, Purpose::Page, &*to_list)?;
            N::Order::list(conn, condition, &list_order, &list_window)
        };
        request.read(read).await?
    };
    N::prepare(ctx, &slice.rows).await?;
    let counter = Counter::Query(Arc::new(move |conn: &mut Conn, most: Option<i64>| match most {
        Some(most) => count_up_to::<N::Order>(conn, most, &*condition),
        None => {
            let condition = with_search_index(conn, Purpose::Count, &*condition)?;
            N::Order::count(conn, condition)
        }
    }));
    Ok(assemble_rows::<N>(request.cursors(), slice, &order, &window, counter))
}

/// Makes a connection of a page of nodes, each with its cursor.
pub fn assemble<N: Connects>(
    edges: impl Iterator<Item = (Cursor, ListNode<N>)>,
    beyond: Beyond,
    counter: Counter,
) -> N::Connection {
    let edges: Vec<(Cursor, ListNode<N>)> = edges.collect();
    let page_info = PageInfo {
        has_previous_page: beyond.before,
        has_next_page: beyond.after,
        start: edges.first().map(|(cursor, _)| cursor.clone()),
        end: edges.last().map(|(cursor, _)| cursor.clone()),
    };
    N::connection(edges.into_iter(), page_info, counter)
}

/// Makes a connection of a page of stored rows.
pub fn assemble_rows<N: ListItem>(
    cursors: &Cursors,
    slice: Slice<Row<N>>,
    order: &[(N::Order, Direction)],
    window: &Window,
    counter: Counter,
) -> N::Connection {
    let edges = slice.rows.into_iter().map(|row| {
        let cursor = cursors.at(Place::Keys(N::Order::keys(order, &row)));
        (cursor, ListNode::from(N::from(row)))
    });
    assemble::<N>(edges, Beyond::window(window, slice.more), counter)
}

macro_rules! connection {
    ($node:ident by $order:ident, $connection:ident, $edge:ident) => {
        $crate::graphql::connection::connection!($node, $connection, $edge);

        impl $crate::graphql::connection::ListItem for $node {
            type Order = schema::queries::$order;
        }
    };
    ($node:ident, $connection:ident, $edge:ident) => {
        impl $crate::graphql::connection::Connects for $node {
            type Connection = $connection;

            fn connection(
                edges: impl Iterator<Item = ($crate::graphql::page::Cursor, $crate::graphql::execute::ListNode<Self>)>,
                page_info: $crate::graphql::page::PageInfo,
                counter: $crate::graphql::connection::Counter,
            ) -> $connection {
                let edges = edges.map(|(cursor, node)| $edge { cursor, node }).collect();
                $connection { edges, page_info, counter }
            }
        }

        pub struct $edge {
            pub cursor: $crate::graphql::page::Cursor,
            pub node: $crate::graphql::execute::ListNode<$node>,
        }

        #[async_graphql::Object]
        impl $edge {
            /// The cursor of this row: pass it as `after` or `before`. Sealed if the server has a key file.
            async fn cursor(&self) -> String {
                self.cursor.encode()
            }

            async fn node(&self) -> &$crate::graphql::execute::ListNode<$node> {
                &self.node
            }
        }

        pub struct $connection {
            pub edges: Vec<$edge>,
            pub page_info: $crate::graphql::page::PageInfo,
            pub counter: $crate::graphql::connection::Counter,
        }

        #[async_graphql::Object]
        impl $connection {
            async fn edges(&self) -> Vec<$crate::graphql::execute::Inline<&$edge>> {
                self.edges.iter().map($crate::graphql::execute::Inline).collect()
            }

            /// The rows of this page, without their cursors.
            async fn nodes(&self) -> Vec<&$crate::graphql::execute::ListNode<$node>> {
                self.edges.iter().map(|edge| &edge.node).collect()
            }

            async fn page_info(&self) -> $crate::graphql::execute::Inline<&$crate::graphql::page::PageInfo> {
                $crate::graphql::execute::Inline(&self.page_info)
            }

            /// The number of rows in the whole list, whatever the page. Computed only when selected.
            async fn total_count(&self, ctx: &async_graphql::Context<'_>) -> async_graphql::Result<i64> {
                Box::pin(self.counter.count(ctx, None)).await
            }

            /// The same, but at most `limit`, from 1 to 10,000: if the answer is `limit`, there may be more. A list of very
            /// many rows is counted no further.
            async fn total_count_up_to(
                &self,
                ctx: &async_graphql::Context<'_>,
                limit: i32,
            ) -> async_graphql::Result<i64> {
                let most = $crate::graphql::page::limit_of_count(limit)?;
                Box::pin(self.counter.count(ctx, Some(most))).await
            }
        }
    };
}
pub(crate) use connection;
