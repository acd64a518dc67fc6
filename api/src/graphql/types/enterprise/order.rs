//! Orders of lists of enterprises.

use crate::graphql::types::order::measured_order;
use schema::queries::EnterpriseSort;

measured_order!(EnterpriseOrderField, EnterpriseOrder, EnterpriseSort { TaxCode, Name } default TaxCode Asc);
