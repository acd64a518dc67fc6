//! Orders of lists of responses.

use crate::graphql::types::order::order;
use schema::queries::ResponseSort;

order!(UnitResponseOrderField, UnitResponseOrder, ResponseSort { RespondedAt } default RespondedAt Desc);
