//! Orders of lists of units.

use crate::graphql::types::order::measured_order;
use schema::queries::UnitSort;

measured_order!(UnitOrderField, UnitOrder, UnitSort { Code, NameVi, Kind } default Code Asc);
