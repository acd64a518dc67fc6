//! Orders of lists of issue categories.

use crate::graphql::types::order::measured_order;
use schema::queries::CategorySort;

measured_order!(IssueCategoryOrderField, IssueCategoryOrder, CategorySort { Code, NameVi, Kind } default Code Asc);
