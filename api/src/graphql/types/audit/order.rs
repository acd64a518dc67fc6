//! Orders of the audit log.

use crate::graphql::types::order::order;
use schema::queries::AuditSort;

order!(AuditOrderField, AuditOrder, AuditSort { At } default At Desc);
