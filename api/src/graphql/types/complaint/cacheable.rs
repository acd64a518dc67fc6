//! The fields of a complaint, and of what it refers to, whose JSON may be cached.
//!
//! Each depends on nothing but the version of the complaint, the names in the snapshot and the rights of the viewer. Fields
//! that change otherwise stay out: flags and analyses change by runs of jobs, redacted texts and sources without a new
//! version that every writer sets, and lists below a unit or an officer with the complaints of others.

use crate::graphql::execute::selection::Cacheable;

static UNIT: Cacheable = Cacheable {
    name: "Unit",
    leaves: &[
        "id",
        "code",
        "name",
        "nameVi",
        "nameEn",
        "kind",
        "peerGroup",
        "field",
        "validFrom",
        "validTo",
        "unknown",
    ],
    objects: &[],
};

static CATEGORY: Cacheable = Cacheable {
    name: "IssueCategory",
    leaves: &["id", "code", "name", "nameVi", "nameEn", "kind", "serious", "deadlineDays", "unknown"],
    objects: &[("owner", &UNIT)],
};

static OFFICER: Cacheable = Cacheable {
    name: "Officer",
    leaves: &["id", "pseudonym", "code", "name", "rank", "appointedOn", "unknown"],
    objects: &[],
};

static ENTERPRISE: Cacheable =
    Cacheable { name: "Enterprise", leaves: &["id", "pseudonym", "taxCode", "name", "groupCode"], objects: &[] };

static ALLEGATION: Cacheable = Cacheable {
    name: "Allegation",
    leaves: &["attribution", "finding", "decidedOn", "sourceCodes"],
    objects: &[("officer", &OFFICER), ("unit", &UNIT), ("category", &CATEGORY)],
};

static RESPONSE: Cacheable = Cacheable {
    name: "UnitResponse",
    leaves: &["id", "complaintId", "respondedAt", "action", "text", "outcome", "satisfied"],
    objects: &[("unit", &UNIT)],
};

static RESPONSE_EDGE: Cacheable =
    Cacheable { name: "UnitResponseEdge", leaves: &["cursor"], objects: &[("node", &RESPONSE)] };

static PAGE_INFO: Cacheable = Cacheable {
    name: "PageInfo",
    leaves: &["hasNextPage", "hasPreviousPage", "startCursor", "endCursor"],
    objects: &[],
};

static RESPONSES: Cacheable = Cacheable {
    name: "UnitResponseConnection",
    leaves: &["totalCount"],
    objects: &[("nodes", &RESPONSE), ("edges", &RESPONSE_EDGE), ("pageInfo", &PAGE_INFO)],
};

/// A complaint of a list.
pub static COMPLAINT: Cacheable = Cacheable {
    name: "Complaint",
    leaves: &[
        "id",
        "pseudonym",
        "reference",
        "receivedAt",
        "occurredAt",
        "recordedAt",
        "legalForm",
        "channel",
        "anonymous",
        "declarationNumber",
        "text",
        "costVnd",
        "delayHours",
        "blamesSystem",
        "confidential",
        "state",
        "stateSince",
        "finding",
        "decidedOn",
        "version",
    ],
    objects: &[
        ("enterprise", &ENTERPRISE),
        ("unit", &UNIT),
        ("department", &UNIT),
        ("branch", &UNIT),
        ("team", &UNIT),
        ("category", &CATEGORY),
        ("officers", &ALLEGATION),
        ("matters", &ALLEGATION),
        ("responses", &RESPONSES),
    ],
};
