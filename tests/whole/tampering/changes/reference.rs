//! Changes of reference data, guidance, proposals and measures, and of merges.

use super::{Change, change};

pub const CHANGES: &[Change] = &[
    // Reference data.
    change("UPDATE units SET kind = 'BRANCH' WHERE code = '03'", &["units.kind"]),
    change(
        "UPDATE units SET peer_group = 'INLAND', name_vi = 'x' WHERE code = '02CV'",
        &["units.name_vi", "units.peer_group"],
    ),
    change("UPDATE units SET code = '02XX' WHERE code = '02CV'", &["units.code"]),
    change(
        "UPDATE units SET successor_id = (SELECT id FROM units WHERE code = '03') WHERE code = '02CV'",
        &["units.successor_id"],
    ),
    change(
        "UPDATE unit_parents SET parent_id = (SELECT id FROM units WHERE code = '03') WHERE unit_id = (SELECT id FROM units WHERE code = '02CV')",
        &["unit_parents.parent_id"],
    ),
    change(
        "UPDATE unit_parents SET valid_to = '2024-01-01' WHERE unit_id = (SELECT id FROM units WHERE code = '02CV')",
        &["unit_parents.valid_to"],
    ),
    change("DELETE FROM unit_parents WHERE unit_id = (SELECT id FROM units WHERE code = '02CV')", &["unit_parents -"]),
    change("UPDATE officers SET name = 'Ai đó' WHERE code = 'CC01'", &["officers.name"]),
    change(
        "UPDATE officers SET rank = 'x', unknown = TRUE WHERE code = 'CC01'",
        &["officers.rank", "officers.unknown"],
    ),
    change("INSERT INTO officers (id, code, unknown) VALUES ({random}, 'XX', FALSE)", &["officers +"]),
    change("UPDATE postings SET valid_to = NULL WHERE valid_to IS NOT NULL", &["postings.valid_to"]),
    change(
        "UPDATE postings SET unit_id = (SELECT id FROM units WHERE code = '03') WHERE valid_to IS NOT NULL",
        &["postings +", "postings -"],
    ),
    change("DELETE FROM postings WHERE officer_id = (SELECT id FROM officers WHERE code = 'CC02')", &["postings -"]),
    change("UPDATE enterprises SET group_code = NULL WHERE tax_code = '0314409058'", &["enterprises.group_code"]),
    change("UPDATE enterprises SET name = 'Công ty Z' WHERE tax_code = '0314409058'", &["enterprises.name"]),
    change("UPDATE enterprises SET tax_code = '0314409059' WHERE tax_code = '0314409058'", &["enterprises.tax_code"]),
    change("UPDATE routing_rules SET kind = 'CONDUCT'", &["routing_rules.kind"]),
    change("UPDATE routing_rules SET responsible_unit_id = NULL", &["routing_rules.responsible_unit_id"]),
    change("DELETE FROM routing_rules", &["routing_rules -"]),
    change("UPDATE holiday_years SET days_off = '[\"2028-01-04\"]'", &["holiday_years.days_off"]),
    change(
        "UPDATE holiday_years SET days_off = NULL, days_worked = NULL",
        &["holiday_years.days_off", "holiday_years.days_worked"],
    ),
    change("UPDATE holiday_years SET reason = 'x'", &["holiday_years.reason"]),
    change("DELETE FROM holiday_years", &["holiday_years -"]),
    change("UPDATE issue_categories SET serious = FALSE WHERE serious", &["issue_categories.serious"]),
    change("UPDATE issue_categories SET deadline_days = 500 WHERE code = 'TD1'", &["issue_categories.deadline_days"]),
    change("UPDATE issue_categories SET kind = 'TECHNICAL' WHERE code = 'TD1'", &["issue_categories.kind"]),
    change("UPDATE workload SET declarations = 100000 WHERE declarations = 120", &["workload.declarations"]),
    change("DELETE FROM workload WHERE declarations = 120", &["workload -"]),
    change("UPDATE system_incidents SET ended_at = started_at {later}", &["system_incidents.ended_at"]),
    change(
        "INSERT INTO system_incidents (id, reference, started_at) SELECT {random}, 'SC2', started_at FROM system_incidents",
        &["system_incidents +"],
    ),
    // Guidance, proposals, measures.
    change("UPDATE guidance_documents SET text = 'Bước hai.'", &["guidance_documents.text"]),
    change(
        "UPDATE guidance_documents SET state = 'WITHDRAWN', reason = 'x'",
        &["guidance_documents.reason", "guidance_documents.state"],
    ),
    change("UPDATE guidance_opinions SET verdict = 'AGREED'", &["guidance_opinions.verdict"]),
    change("UPDATE guidance_opinions SET text = 'Đồng ý.'", &["guidance_opinions.text"]),
    change("DELETE FROM guidance_opinions", &["guidance_opinions -"]),
    change("UPDATE proposals SET state = 'REJECTED', title = 'x'", &["proposals.state", "proposals.title"]),
    change("DELETE FROM proposals", &["proposals -"]),
    change(
        "DELETE FROM proposal_categories WHERE category_id = (SELECT id FROM issue_categories WHERE code = 'HT')",
        &["proposal_categories -"],
    ),
    change(
        "INSERT INTO proposal_units (proposal_id, unit_id) SELECT p.id, u.id FROM proposals p, units u WHERE u.code = '03'",
        &["proposal_units +"],
    ),
    change("UPDATE measures SET void_reason = 'Nhầm.'", &["measures.void_reason"]),
    change("UPDATE measures SET grounds = 'x', kind = 'DISCIPLINE'", &["measures.grounds", "measures.kind"]),
    change("UPDATE measures SET officer_id = (SELECT id FROM officers WHERE code = 'CC03')", &["measures.officer_id"]),
    change("UPDATE measures SET no_basis_reason = 'x', basis = NULL", &["measures.basis", "measures.no_basis_reason"]),
    change("UPDATE measures SET lifted_on = ends_on", &["measures.lifted_on"]),
    change(
        "INSERT INTO measure_complaints (measure_id, complaint_id) SELECT m.id, c.id FROM measures m, complaints c WHERE c.cost_vnd = 1300000",
        &["measure_complaints +"],
    ),
    change("DELETE FROM measures", &["measures -"]),
    // Corrections and merges.
    change("UPDATE complaint_events SET kind = 'UPDATED' WHERE kind = 'CORRECTED'", &["COMPLAINTS changed"]),
    change(
        "UPDATE correction_proposals SET state = 'WITHDRAWN', reason = 'x'",
        &["correction_proposals.reason", "correction_proposals.state"],
    ),
    change("UPDATE correction_proposals SET correction = '{}'", &["correction_proposals.correction"]),
    change("DELETE FROM correction_proposal_officers", &["correction_proposal_officers -"]),
    change("UPDATE merges SET reason = 'x'", &["merges.reason"]),
    change("DELETE FROM merges", &["merges -"]),
];
