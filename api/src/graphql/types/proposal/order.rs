//! Orders of lists of proposals of the Board.

use crate::graphql::types::order::order;
use schema::queries::ProposalSort;

order!( ProposalOrderField, ProposalOrder, ProposalSort { ProposedAt, StateSince } default ProposedAt Desc );
