//! Orders of lists of principals.

use crate::graphql::types::order::order;
use schema::queries::PrincipalSort;

order!( PrincipalOrderField, PrincipalOrder, PrincipalSort { Name, CreatedAt } default Name Asc );
