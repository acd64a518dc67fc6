//! Orders of lists of digests.

use crate::graphql::types::order::order;
use schema::queries::DigestSort;

order!(DigestOrderField, DigestOrder, DigestSort { CreatedAt } default CreatedAt Desc);
