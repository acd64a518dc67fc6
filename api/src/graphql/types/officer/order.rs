//! Orders of lists of officers.

use crate::graphql::types::order::measured_order;
use schema::queries::OfficerSort;

measured_order!(OfficerOrderField, OfficerOrder, OfficerSort { Code, Name } default Code Asc);
