//! The mutation root.

use super::types::complaint::{ComplaintMutations, SubmitMutations};
use super::types::flag::FlagMutations;
use super::types::guidance::GuidanceMutations;
use super::types::measure::MeasureMutations;
use super::types::principal::TokenMutations;
use super::types::proposal::ProposalMutations;
use super::types::redacted::RedactedMutations;
use super::types::response::UnitResponseMutations;
use async_graphql::MergedObject;

/// All mutations. As in [`super::query::Query`], what nests deepest comes last.
#[derive(MergedObject, Default)]
pub struct Mutation(
    TokenMutations,
    GuidanceMutations,
    ProposalMutations,
    MeasureMutations,
    RedactedMutations,
    FlagMutations,
    SubmitMutations,
    UnitResponseMutations,
    ComplaintMutations,
);
