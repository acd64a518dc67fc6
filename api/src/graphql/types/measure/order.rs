//! Orders of lists of measures about officers.

use crate::graphql::types::order::order;
use schema::queries::MeasureSort;

order!( MeasureOrderField, MeasureOrder, MeasureSort { DecidedOn, StartsOn, RecordedAt } default DecidedOn Desc );
