//! Saved questions in SQL: each save is a version, and none is lost. Rows have states instead of events.

use crate::db::{Conn, StoreError, WriteTx};
use crate::domain::ids::random_id;
use crate::domain::inert;
use crate::domain::query_parameter::QueryParameter;
use crate::domain::query_text::{is_parameter_name, numbered};
use crate::each;
use crate::enums::Role;
use crate::models::{SavedQuery, SavedQueryVersion};
use crate::sql_types::JsonValue;
use crate::states::StateTable;
use crate::tables::{saved_queries, saved_query_versions};
use diesel::prelude::*;
use serde_json::json;
use std::collections::BTreeSet;

/// Longest name and description, in characters.
const LONGEST_NAME: usize = 100;
const LONGEST_DESCRIPTION: usize = 2_000;
/// Longest text in bytes: the engine takes no longer one.
const LONGEST_TEXT: usize = 64 * 1024;
/// Most parameters.
const MOST_PARAMETERS: usize = 100;

/// A question to save.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSavedQuery {
    pub name: String,
    pub description: Option<String>,
    /// SQL with `$name` in place of values.
    pub text: String,
    pub parameters: Vec<QueryParameter>,
    /// The roles that may run it besides its owner.
    pub roles: Vec<Role>,
}

/// The role that changes a question, and the version that it saw.
#[derive(Debug, Clone, Copy)]
pub struct SeenQuery {
    /// The role of a client; None for the command line, which has the database.
    pub role: Option<Role>,
    /// The version that was seen, and 0 for none; None without a version.
    pub version: Option<i32>,
}

impl SavedQuery {
    /// The roles that may run it besides its owner.
    pub fn roles(&self) -> Vec<Role> {
        let roles = [(self.for_board, Role::Board), (self.for_data_team, Role::DataTeam)];
        roles.into_iter().filter_map(|(may, role)| may.then_some(role)).collect()
    }

    /// Its parameters.
    ///
    /// # Errors
    /// `Rule` if they cannot be read.
    pub fn query_parameters(&self) -> Result<Vec<QueryParameter>, StoreError> {
        serde_json::from_value(self.parameters.0.clone())
            .map_err(|e| StoreError::Rule(format!("the parameters of {:?} cannot be read: {e}", self.name)))
    }

    /// Whether an actor of a role may see and run it.
    pub fn is_for(&self, actor: &str, role: Role) -> bool {
        self.owner == actor || self.roles().contains(&role)
    }
}

impl SavedQueryVersion {
    /// Whether an actor of a role may see and run this version of a question that is for them. A name may have had
    /// another owner before: the present one shares the own versions, and not those of the other.
    pub fn is_for(&self, query: &SavedQuery, actor: &str, role: Role) -> bool {
        let is_shared = match role {
            Role::Board => self.for_board,
            Role::DataTeam => self.for_data_team,
            _ => false,
        };
        is_shared || self.actor == query.owner || self.actor == actor
    }

    /// The question as this version says it.
    pub fn of(self, query: SavedQuery) -> SavedQuery {
        SavedQuery {
            version: self.version,
            description: self.description,
            text: self.text,
            parameters: self.parameters,
            for_board: self.for_board,
            for_data_team: self.for_data_team,
            changed_at: self.created_at,
            ..query
        }
    }
}

/// The question with a name, whatever its case; None if there is none or it was deleted.
///
/// # Errors
/// If the database cannot be read.
pub fn saved_query_named(conn: &mut Conn, name: &str) -> Result<Option<SavedQuery>, StoreError> {
    Ok(by_name(conn, name)?.filter(|query| query.deleted_at.is_none()))
}

/// The questions that were not deleted, by name.
///
/// # Errors
/// If the database cannot be read.
pub fn standing_queries(conn: &mut Conn) -> Result<Vec<SavedQuery>, StoreError> {
    Ok(saved_queries::table
        .filter(saved_queries::deleted_at.is_null())
        .order(saved_queries::name_key)
        .select(SavedQuery::as_select())
        .load(conn)?)
}

/// A version of a question; None if there is none.
///
/// # Errors
/// If the database cannot be read.
pub fn saved_query_version(
    conn: &mut Conn,
    query: &SavedQuery,
    version: i32,
) -> Result<Option<SavedQueryVersion>, StoreError> {
    Ok(saved_query_versions::table
        .filter(saved_query_versions::query_id.eq(query.id))
        .filter(saved_query_versions::version.eq(version))
        .select(SavedQueryVersion::as_select())
        .first(conn)
        .optional()?)
}

fn by_name(conn: &mut Conn, name: &str) -> Result<Option<SavedQuery>, StoreError> {
    let key = name.to_lowercase();
    let found = saved_queries::table.filter(saved_queries::name_key.eq(key)).select(SavedQuery::as_select());
    Ok(found.first(conn).optional()?)
}

/// Saves a question: a new one, or a new version of one. What is the same as the newest version stays as it is.
///
/// # Errors
/// `Rule` if the name, the text or a parameter is wrong; `Conflict` if the question is at another version, or the name
/// belongs to a question of another owner.
pub fn save_query(tx: &mut WriteTx<'_>, seen: SeenQuery, new: &NewSavedQuery) -> Result<SavedQuery, StoreError> {
    let description = check(new)?;
    let before = by_name(tx.conn, &new.name)?;
    if let Some(before) = before.as_ref().filter(|before| before.deleted_at.is_none()) {
        may_change(tx, seen, before)?;
    }
    let standing = before.as_ref().filter(|before| before.deleted_at.is_none()).map_or(0, |before| before.version);
    at_version(seen, &new.name, standing)?;
    let version = before.as_ref().map_or(0, |before| before.version) + 1;
    let is_new_owner = standing == 0;
    let owner = before.as_ref().filter(|_| !is_new_owner).map_or(tx.actor, |before| before.owner.as_str()).to_owned();
    let row = SavedQuery {
        id: before.as_ref().map_or_else(random_id, |before| before.id),
        name: new.name.clone(),
        name_key: new.name.to_lowercase(),
        owner,
        version,
        description,
        text: new.text.clone(),
        parameters: JsonValue(json!(new.parameters)),
        for_board: new.roles.contains(&Role::Board),
        for_data_team: new.roles.contains(&Role::DataTeam),
        changed_at: tx.now,
        deleted_at: None,
    };
    match before {
        None => {
            each!(&mut *tx.conn, c => diesel::insert_into(saved_queries::table).values(&row).execute(c)?);
        }
        Some(before) => {
            let same = SavedQuery { version: before.version, changed_at: before.changed_at, ..row.clone() };
            if same == before {
                return Ok(before);
            }
            replace(tx, &row, before.version)?;
        }
    }
    let stored = SavedQueryVersion {
        id: random_id(),
        query_id: row.id,
        version,
        description: row.description.clone(),
        text: row.text.clone(),
        parameters: row.parameters.clone(),
        for_board: row.for_board,
        for_data_team: row.for_data_team,
        actor: tx.actor.to_owned(),
        created_at: tx.now,
    };
    each!(&mut *tx.conn, c => diesel::insert_into(saved_query_versions::table).values(&stored).execute(c)?);
    tx.record_state(StateTable::SavedQueries, &row.id);
    tx.record_state(StateTable::SavedQueryVersions, &stored.id);
    Ok(row)
}

/// Deletes a question: it can no longer be run. Its versions stay in the database.
///
/// # Errors
/// `NotFound` if it does not exist; `Conflict` if it is at another version, or belongs to another owner.
pub fn delete_saved_query(tx: &mut WriteTx<'_>, seen: SeenQuery, name: &str) -> Result<SavedQuery, StoreError> {
    let before = saved_query_named(tx.conn, name)?.filter(|before| seen.may_see(tx.actor, before));
    let before = before.ok_or_else(|| no_such_query(name))?;
    may_change(tx, seen, &before)?;
    at_version(seen, &before.name, before.version)?;
    let row = SavedQuery { deleted_at: Some(tx.now), changed_at: tx.now, ..before.clone() };
    replace(tx, &row, before.version)?;
    tx.record_state(StateTable::SavedQueries, &row.id);
    Ok(row)
}

/// The error of an unknown name.
pub fn no_such_query(name: &str) -> StoreError {
    StoreError::NotFound(format!("there is no saved question {name:?}: `savedQueries` lists them"))
}

impl SeenQuery {
    fn may_see(self, actor: &str, query: &SavedQuery) -> bool {
        self.role.is_none_or(|role| query.is_for(actor, role))
    }
}

/// Its owner may change a question, a member of the Board those that the Board may run, and the command line any.
fn may_change(tx: &WriteTx<'_>, seen: SeenQuery, query: &SavedQuery) -> Result<(), StoreError> {
    let is_of_board = seen.role == Some(Role::Board) && query.for_board;
    if seen.role.is_none() || query.owner == tx.actor || is_of_board {
        return Ok(());
    }
    Err(StoreError::Conflict(format!(
        "the name {:?} belongs to a question of another owner: choose another",
        query.name
    )))
}

fn at_version(seen: SeenQuery, name: &str, standing: i32) -> Result<(), StoreError> {
    match seen.version {
        Some(version) if version != standing => Err(StoreError::Conflict(format!(
            "the saved question {name:?} is at version {standing}, and version {version} was expected: read it again"
        ))),
        _ => Ok(()),
    }
}

/// Another transaction may have replaced the row since it was read.
fn replace(tx: &mut WriteTx<'_>, row: &SavedQuery, version: i32) -> Result<(), StoreError> {
    let seen = saved_queries::table.filter(saved_queries::id.eq(row.id)).filter(saved_queries::version.eq(version));
    let replaced = each!(&mut *tx.conn, c => diesel::update(seen).set(row).execute(c)?);
    match replaced {
        1 => Ok(()),
        _ => {
            Err(StoreError::Conflict(format!("the saved question {:?} was changed meanwhile: read it again", row.name)))
        }
    }
}

/// Checks a question and returns its description, trimmed.
fn check(new: &NewSavedQuery) -> Result<Option<String>, StoreError> {
    let rule = |message: String| Err(StoreError::Rule(message));
    let name = inert::name("the name of a saved question", &new.name, LONGEST_NAME).map_err(StoreError::Rule)?;
    let may_stand = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if !name.starts_with(char::is_alphanumeric) || !name.chars().all(may_stand) {
        return rule(format!("the name of a saved question is {name:?}: write letters, digits, - _ and ."));
    }
    if new.text.trim().is_empty() || new.text.len() > LONGEST_TEXT {
        return rule(format!("the text of {name:?} has {} bytes: write 1 to {LONGEST_TEXT}", new.text.len()));
    }
    if new.text.contains(|c: char| c != '\n' && c != '\t' && c != '\r' && inert::is_control_or_hidden(c)) {
        return rule(format!("the text of {name:?} has control or invisible characters: remove them"));
    }
    let description = new.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
    if description.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
        return rule(format!(
            "the description of {name:?} is too long: write at most {LONGEST_DESCRIPTION} characters"
        ));
    }
    let mut texts = new.parameters.iter().filter_map(|one| one.default.as_ref()?.as_str()).chain(description);
    if texts.any(|text| text.contains('\0')) {
        return rule(format!("{name:?} has the character U+0000 in its description or a default: remove it"));
    }
    if let Some(role) = new.roles.iter().find(|role| !matches!(role, Role::Board | Role::DataTeam)) {
        return rule(format!("a {role} may not ask in SQL: roles are BOARD and DATA_TEAM"));
    }
    if new.parameters.len() > MOST_PARAMETERS {
        return rule(format!("{name:?} has more than {MOST_PARAMETERS} parameters"));
    }
    let mut names = BTreeSet::new();
    for one in &new.parameters {
        if !is_parameter_name(&one.name) || !names.insert(one.name.as_str()) {
            let message = "write each name once, in small letters (a to z), digits and _, beginning with a letter";
            return rule(format!("the parameter {:?}: {message}", one.name));
        }
        if let Some(default) = &one.default {
            one.value(Some(default)).map_err(StoreError::Rule)?;
        }
    }
    numbered(&new.text, &new.parameters).map_err(StoreError::Rule)?;
    Ok(description.map(str::to_owned))
}
