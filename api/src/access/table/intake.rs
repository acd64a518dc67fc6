//! The rows of the access table for submissions, receipts and those who hold them, and duplicates.

use super::Audited::{AsCondition, ByRows, No, Root};
use super::TableRow;
use crate::access::roles::Reader::Board;
use crate::access::roles::{BOARD_AND_HEADS, RECEIPT_HOLDERS, SENDERS, TAKERS};

pub(super) const INTAKE: &[TableRow] = &[
    // Submissions, and their receipts.
    ("Mutation", "submitComplaint renewReceipt", TAKERS, Root),
    ("RenewReceiptInput", "complaintId", TAKERS, AsCondition),
    ("RenewReceiptInput", "idempotencyKey", TAKERS, No("keys of the sender")),
    ("RenewReceiptPayload", "receiptCode reference", TAKERS, No("the log has no codes; RenewReceiptInput.complaintId")),
    ("SubmitComplaintInput", "category declarationNumber", TAKERS, No("the sender learns nothing but the receipt")),
    ("SubmitComplaintInput", "enterpriseName", TAKERS, No("the sender learns nothing but the receipt")),
    ("SubmitComplaintInput", "idempotencyKey officers", TAKERS, No("the sender learns nothing but the receipt")),
    ("SubmitComplaintInput", "* taxCode text unit", TAKERS, No("the sender learns nothing but the receipt")),
    ("Query", "receipt", TAKERS, Root),
    ("Receipt", "* id receiptCode reference", TAKERS, No("the sender's own")),
    ("DuplicateHint", "* id reference", TAKERS, No("the sender's own, or in the scope of the role, without content")),
    // For the complainant. What is shown belongs to the code, and the resolver notes whose complaint it is.
    ("Query", "complaintStatus", RECEIPT_HOLDERS, Root),
    ("ComplaintStatus", "* reference", RECEIPT_HOLDERS, No("whose it is, the resolver notes")),
    ("ComplaintAnswer", "* outcome text", RECEIPT_HOLDERS, No("logged by ComplaintStatus.answers")),
    ("StatusUnit", "* code nameEn nameVi", RECEIPT_HOLDERS, No("a unit is not a person")),
    ("Mutation", "confirmSatisfaction reopenByReceipt addToComplaint withdrawByReceipt", RECEIPT_HOLDERS, Root),
    ("AttachmentInput", "* mediaType name sha256 url", SENDERS, No("written, not asked")),
    // Complaints that say the same.
    ("Query", "probableDuplicates", &[Board], Root),
    ("ProbableDuplicate PossibleDuplicate", "*", &[Board], No("complaints have fields of their own")),
    ("Mutation", "linkDuplicate unlinkDuplicate", &[Board], Root),
    ("LinkDuplicateInput", "complaintId of", &[Board], AsCondition),
    ("LinkDuplicateInput", "* reason", &[Board], No("written, not asked: the event holds it")),
    ("UnlinkDuplicateInput", "complaintId", &[Board], AsCondition),
    ("UnlinkDuplicateInput", "* reason", &[Board], No("written, not asked: the event holds it")),
    // What complaints show of it.
    ("Complaint", "additions attachments", BOARD_AND_HEADS, ByRows),
    ("Complaint", "duplicateOf duplicates possibleDuplicates", &[Board], ByRows),
    ("Complaint", "takenBy", &[Board], No("a user of the register")),
    ("ComplaintAddition", "* text", BOARD_AND_HEADS, No("logged by Complaint.additions")),
    ("Attachment", "* mediaType name sha256 url", BOARD_AND_HEADS, No("logged by Complaint.attachments")),
];
