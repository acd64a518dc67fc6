//! Orders of lists of job runs.

use crate::graphql::types::order::order;
use schema::queries::JobRunSort;

order!(JobRunOrderField, JobRunOrder, JobRunSort { StartedAt } default StartedAt Desc);
