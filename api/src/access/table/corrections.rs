//! The rows of the access table for corrections of complaints, proposals of them, and merges.

use super::Audited::{AsCondition, ByRows, No, Part, Root, Word};
use super::TableRow;
use crate::access::roles::BOARD_AND_HEADS;
use crate::access::roles::Reader::{Board, UnitHead};

pub(super) const CORRECTIONS: &[TableRow] = &[
    // Corrections and merges.
    ("Mutation", "correctComplaint decideCorrection", &[Board], Root),
    ("Mutation", "mergeEnterprises mergeOfficers splitEnterprise splitOfficer", &[Board], Root),
    ("Mutation", "proposeCorrection withdrawCorrection", &[UnitHead], Root),
    ("CorrectComplaintInput", "complaintId removeOfficers taxCode", BOARD_AND_HEADS, AsCondition),
    ("CorrectComplaintInput", "category declarationNumber enterpriseName", BOARD_AND_HEADS, No("written, not asked")),
    ("CorrectComplaintInput", "* reason unit", BOARD_AND_HEADS, No("written, not asked: the event holds it")),
    ("AddOfficerInput AllegationKeyInput ChangeAllegationInput", "officer", BOARD_AND_HEADS, AsCondition),
    ("AddOfficerInput ChangeAllegationInput", "* category unit", BOARD_AND_HEADS, No("what is said of the officer")),
    ("AllegationKeyInput", "*", BOARD_AND_HEADS, No("which of the officer's allegations")),
    ("AddMatterInput", "category unit", BOARD_AND_HEADS, No("categories and units are not people")),
    ("ReplaceOfficerInput", "from to", BOARD_AND_HEADS, AsCondition),
    ("ReplaceOfficerInput", "*", BOARD_AND_HEADS, No("what is said of the officer")),
    ("CorrectComplaintPayload", "*", &[Board], No("written objects have fields of their own")),
    ("Query", "correctionProposals", BOARD_AND_HEADS, Root),
    ("CorrectionProposal", "complaintId correction reason", BOARD_AND_HEADS, ByRows),
    ("CorrectionProposal", "* actor decisionReason id", BOARD_AND_HEADS, No("its complaint has a field of its own")),
    ("CorrectionProposalConnection CorrectionProposalEdge", "*", BOARD_AND_HEADS, Part),
    ("CorrectionProposalFilter", "complaintId", BOARD_AND_HEADS, AsCondition),
    ("CorrectionProposalFilter", "* id", BOARD_AND_HEADS, No("what kind of proposal")),
    ("CorrectionProposalOrder", "*", BOARD_AND_HEADS, Part),
    ("CorrectionProposalOrderField CorrectionState", "*", BOARD_AND_HEADS, Word),
    ("CorrectionStateOps", "*", BOARD_AND_HEADS, Part),
    ("CorrectionProposalPayload", "*", BOARD_AND_HEADS, No("written objects have fields of their own")),
    ("DecideCorrectionInput", "proposalId", &[Board], AsCondition),
    ("DecideCorrectionInput", "* reason", &[Board], No("written, not asked")),
    ("WithdrawCorrectionInput", "proposalId", &[UnitHead], AsCondition),
    ("WithdrawCorrectionInput", "* reason", &[UnitHead], No("written, not asked")),
    ("Query", "merges", &[Board], Root),
    ("Merge", "* actor id reason splitReason", &[Board], No("officers and enterprises have fields of their own")),
    ("MergeConnection MergeEdge", "*", &[Board], Part),
    ("MergeFilter", "* id", &[Board], No("what kind of merge; subjects have fields of their own")),
    ("MergeOrder", "*", &[Board], Part),
    ("MergeOrderField", "*", &[Board], Word),
    ("MergeEnterprisesInput MergeOfficersInput", "from into", &[Board], AsCondition),
    ("MergeEnterprisesInput MergeOfficersInput", "reason", &[Board], No("written, not asked: the event holds it")),
    ("SplitEnterpriseInput", "complaintIds taxCode to", &[Board], AsCondition),
    ("SplitOfficerInput", "complaintIds officer to", &[Board], AsCondition),
    ("SplitEnterpriseInput SplitOfficerInput", "reason", &[Board], No("written, not asked: the event holds it")),
    ("MergePayload SplitPayload", "*", &[Board], No("written objects have fields of their own")),
];
