//! Saved questions in SQL, and their versions.

use crate::sql_types::{Id, JsonValue, Timestamp};
use crate::tables;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

model!(
    /// A saved question, as its newest version says.
    saved_queries SavedQuery {
        id: Id,
        name: String,
        /// The name in small letters.
        name_key: String,
        /// The actor who saved it first, such as `token:NAME`.
        owner: String,
        /// From 1 without gaps.
        version: i32,
        description: Option<String>,
        text: String,
        /// A list of [`QueryParameter`](crate::domain::query_parameter::QueryParameter).
        parameters: JsonValue,
        for_board: bool,
        for_data_team: bool,
        changed_at: Timestamp,
        /// When it was deleted; None if it was not.
        deleted_at: Option<Timestamp>,
    }
);

model!(
    /// A version of a saved question.
    saved_query_versions SavedQueryVersion {
        id: Id,
        query_id: Id,
        version: i32,
        description: Option<String>,
        text: String,
        parameters: JsonValue,
        for_board: bool,
        for_data_team: bool,
        actor: String,
        created_at: Timestamp,
    }
);
