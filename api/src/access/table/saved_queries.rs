//! The rows of the access table for saved questions in SQL.

use super::Audited::{No, Part, Root, Word};
use super::TableRow;
use crate::access::roles::BOARD_AND_DATA_TEAM;
use crate::access::roles::Reader::Board;

pub(super) const SAVED_QUERIES: &[TableRow] = &[
    ("Query", "savedQueries savedQuery runSavedQuery", BOARD_AND_DATA_TEAM, Root),
    ("SavedQuery", "* description name text", BOARD_AND_DATA_TEAM, No("a question, not its answer")),
    ("SavedQuery", "owner", &[Board], No("users of the register")),
    ("SavedQueryParameter", "* default name", BOARD_AND_DATA_TEAM, No("a question, not its answer")),
    ("SavedQueryConnection SavedQueryEdge", "*", BOARD_AND_DATA_TEAM, Part),
    ("SavedQueryFilter", "* name", BOARD_AND_DATA_TEAM, No("a question, not its answer")),
    ("SavedQueryOrder", "*", BOARD_AND_DATA_TEAM, Part),
    ("SavedQueryOrderField SavedQueryRole SavedQueryParameterType", "*", BOARD_AND_DATA_TEAM, Word),
    ("SavedQueryAnswer", "* name", BOARD_AND_DATA_TEAM, No("the SQL query itself is logged")),
    ("Mutation", "saveQuery deleteQuery", BOARD_AND_DATA_TEAM, Root),
    ("SaveQueryInput", "* description name text", BOARD_AND_DATA_TEAM, No("written, not asked: its run is logged")),
    ("SavedQueryParameterInput", "* default name", BOARD_AND_DATA_TEAM, No("written, not asked: its run is logged")),
    ("DeleteQueryInput", "* name", BOARD_AND_DATA_TEAM, No("a question, not its answer")),
    ("SavedQueryPayload", "*", BOARD_AND_DATA_TEAM, No("written objects have fields of their own")),
];
