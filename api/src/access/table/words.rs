//! The rows of the access table for operators, page info and enums, which many subjects share.

use super::Audited::{AsCondition, Part, Word};
use super::TableRow;
use crate::access::roles::Reader::Board;
use crate::access::roles::{
    ANALYSTS, BOARD_AND_ADMIN, BOARD_AND_HEADS, COMPLAINT_ENUMS, DIGEST_READERS_AND_ADMIN, REFERENCE, STATISTICS,
};

pub(super) const WORDS: &[TableRow] = &[
    // Operators and page info.
    ("PageInfo StringOps IdOps IntOps FloatOps DecimalOps DateOps DateTimeOps BooleanOps", "*", REFERENCE, Part),
    ("UnitKindOps PeerGroupOps CategoryKindOps", "*", REFERENCE, Part),
    ("ChannelOps ComplaintStateOps", "*", STATISTICS, Part),
    ("LegalFormOps AttributionOps FindingOps", "*", ANALYSTS, Part),
    ("ResponsibleUnitOps", "*", ANALYSTS, Part),
    ("ResponseActionOps TierOps FlagStateOps SubjectKindOps", "*", BOARD_AND_HEADS, Part),
    ("RunStateOps LocaleOps", "*", BOARD_AND_ADMIN, Part),
    // Enums: first those that concern no person.
    ("CategoryKind PeerGroup UnitKind UnitLevel SortDirection UnitOrderField", "*", REFERENCE, Word),
    ("IssueCategoryOrderField", "*", REFERENCE, Word),
    ("ComplaintState Channel LegalForm", "*", COMPLAINT_ENUMS, Word),
    (
        "Finding Attribution ResponseAction ComplaintOrderField ComplaintHistoryKind ComplaintRelation",
        "*",
        ANALYSTS,
        Word,
    ),
    ("ResponseVisibility", "*", BOARD_AND_HEADS, Word),
    ("UnitResponseOrderField", "*", BOARD_AND_HEADS, Word),
    ("OfficerOrderField", "CODE NAME", BOARD_AND_ADMIN, AsCondition),
    ("EnterpriseOrderField", "NAME TAX_CODE", &[Board], AsCondition),
    ("Tier Proposed FlagState FlagOrderField SubjectKind ExposureBasis", "*", BOARD_AND_HEADS, Word),
    ("RunState RunOrigin JobRunOrderField ReferenceEventKind", "*", BOARD_AND_ADMIN, Word),
    ("DigestOrderField", "*", &[Board], Word),
    ("Locale", "*", REFERENCE, Word),
    ("DeliveryState DeliveryChannel DigestCondition DigestSection", "*", DIGEST_READERS_AND_ADMIN, Word),
];
