//! Orders of lists of flags.

use crate::graphql::types::order::order;
use schema::queries::FlagSort;

order!(FlagOrderField, FlagOrder, FlagSort { ChangedAt, OpenedAt, Tier } default Tier Desc);
