//! Orders of lists of guidance documents.

use crate::graphql::types::order::order;
use schema::queries::GuidanceSort;

order!( GuidanceDocumentOrderField, GuidanceDocumentOrder, GuidanceSort { RequestedAt, StateSince } default RequestedAt Desc );
