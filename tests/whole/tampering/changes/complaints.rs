//! Changes of complaints, and of what belongs to them.

use super::{Change, change};

pub const CHANGES: &[Change] = &[
    // Complaints.
    change("UPDATE complaints SET text = 'Không có gì' WHERE text = 'Cán bộ đòi tiền'", &["complaints.text"]),
    change("UPDATE complaints SET text = NULL WHERE text = 'Cán bộ đòi tiền'", &["complaints.text"]),
    change(
        "UPDATE complaints SET text = NULL WHERE text = 'Cán bộ đòi tiền'; DELETE FROM complaint_event_values WHERE value = 'Cán bộ đòi tiền'",
        &["complaints.text"],
    ),
    change(
        "UPDATE complaints SET text = 'Không có gì' WHERE text = 'Cán bộ đòi tiền'; DELETE FROM complaint_event_values WHERE value = 'Cán bộ đòi tiền'",
        &["complaints.text unverifiable"],
    ),
    change(
        "UPDATE complaints SET text = 'Không có gì' WHERE text = 'Cán bộ đòi tiền'; UPDATE complaint_event_values SET value = 'Không có gì' WHERE value = 'Cán bộ đòi tiền'",
        &["COMPLAINTS changed", "complaints.text"],
    ),
    change(
        "UPDATE complaints SET unit_id = (SELECT id FROM units WHERE code = '03TG') WHERE text = 'Cán bộ đòi tiền'",
        &["complaints.unit_id"],
    ),
    change(
        "UPDATE complaints SET unit_id = (SELECT id FROM units WHERE code = '03TG'), branch_id = (SELECT id FROM units WHERE code = '03TG'), department_id = (SELECT id FROM units WHERE code = '03') WHERE text = 'Cán bộ đòi tiền'",
        &["complaints.branch_id", "complaints.department_id", "complaints.unit_id"],
    ),
    change("UPDATE complaints SET team_id = NULL WHERE team_id IS NOT NULL", &["complaints.team_id"]),
    change("UPDATE complaints SET confidential = FALSE WHERE confidential", &["complaints.confidential"]),
    change("UPDATE complaints SET enterprise_id = NULL WHERE text = 'Cán bộ đòi tiền'", &["complaints.enterprise_id"]),
    change("UPDATE complaints SET category_id = NULL WHERE text = 'Cán bộ đòi tiền'", &["complaints.category_id"]),
    change(
        "UPDATE complaints SET responsible_unit_id = NULL WHERE cost_vnd = 1300000",
        &["complaints.responsible_unit_id"],
    ),
    change("UPDATE complaints SET cost_vnd = 0 WHERE cost_vnd = 1300000", &["complaints.cost_vnd"]),
    change("UPDATE complaints SET delay_hours = 4.25 WHERE delay_hours = 4.5", &["complaints.delay_hours"]),
    change("UPDATE complaints SET blames_system = TRUE WHERE cost_vnd = 1300000", &["complaints.blames_system"]),
    change("UPDATE complaints SET state = 'CLOSED' WHERE text = 'Không khai được'", &["complaints.state"]),
    change(
        "UPDATE complaints SET state_since = state_since {later} WHERE cost_vnd = 1300000",
        &["complaints.state_since"],
    ),
    change(
        "UPDATE complaints SET received_at = received_at {later} WHERE cost_vnd = 1300000",
        &["complaints.received_at"],
    ),
    change(
        "UPDATE complaints SET recorded_at = recorded_at {later} WHERE cost_vnd = 1300000",
        &["complaints.recorded_at"],
    ),
    change("UPDATE complaints SET occurred_at = received_at WHERE cost_vnd = 1300000", &["complaints.occurred_at"]),
    change("UPDATE complaints SET legal_form = 'DENUNCIATION' WHERE cost_vnd = 1300000", &["complaints.legal_form"]),
    change("UPDATE complaints SET channel = 'LETTER' WHERE cost_vnd = 1300000", &["complaints.channel"]),
    change("UPDATE complaints SET version = version - 1 WHERE cost_vnd = 1300000", &["complaints.version"]),
    change("UPDATE complaints SET finding = 'UNFOUNDED' WHERE text = 'Không khai được'", &["complaints.finding"]),
    change(
        "UPDATE complaints SET decided_on = '2024-05-05' WHERE text = 'Không khai được'",
        &["complaints.decided_on"],
    ),
    change("UPDATE complaints SET source_codes = '{}' WHERE text = 'Không khai được'", &["complaints.source_codes"]),
    change(
        "UPDATE complaints SET declaration_number = '103456789013' WHERE declaration_number IS NOT NULL",
        &["complaints.declaration_number"],
    ),
    change(
        "INSERT INTO complaints (id, received_at, recorded_at, legal_form, channel, text, blames_system, confidential, state, state_since, version) SELECT {random}, received_at, recorded_at, legal_form, channel, 'x', blames_system, confidential, state, state_since, version FROM complaints WHERE cost_vnd = 1300000",
        &["complaints +"],
    ),
    change("DELETE FROM complaints WHERE text = 'Không khai được'", &["complaints -"]),
    change(
        "DELETE FROM complaint_sources WHERE reference = 'PA-5'; DELETE FROM complaints WHERE text = 'Không khai được'",
        &["complaint_sources -", "complaints -"],
    ),
    // What complaints name.
    change(
        "UPDATE complaint_officers SET finding = 'UNFOUNDED' WHERE finding = 'NOT_SUSTAINED'",
        &["complaint_officers.finding"],
    ),
    change(
        "UPDATE complaint_officers SET attribution = 'ASSERTED' WHERE finding = 'NOT_SUSTAINED'",
        &["complaint_officers.attribution"],
    ),
    change(
        "UPDATE complaint_officers SET decided_on = '2030-01-01' WHERE finding = 'NOT_SUSTAINED'",
        &["complaint_officers.decided_on"],
    ),
    change(
        "UPDATE complaint_officers SET unit_id = NULL, category_id = NULL WHERE finding = 'NOT_SUSTAINED'",
        &["complaint_officers.category_id", "complaint_officers.unit_id"],
    ),
    change("DELETE FROM complaint_officers WHERE finding = 'NOT_SUSTAINED'", &["complaint_officers -"]),
    change(
        "UPDATE complaint_officers SET officer_id = (SELECT id FROM officers WHERE code = 'CC01') WHERE finding = 'NOT_SUSTAINED'",
        &["complaint_officers +", "complaint_officers -"],
    ),
    change(
        "INSERT INTO complaint_officers (complaint_id, officer_id, ordinal, attribution, finding) SELECT c.id, o.id, 0, 'CONFIRMED', 'SUSTAINED' FROM complaints c, officers o WHERE c.text = 'Không khai được' AND o.code = 'CC02'",
        &["complaint_officers +"],
    ),
    // What complaints say against nobody named.
    change("UPDATE complaint_matters SET finding = 'SUSTAINED' WHERE ordinal = 0", &["complaint_matters.finding"]),
    change(
        "UPDATE complaint_matters SET unit_id = NULL, category_id = NULL WHERE ordinal = 1",
        &["complaint_matters.category_id", "complaint_matters.unit_id"],
    ),
    change("DELETE FROM complaint_matters WHERE ordinal = 1", &["complaint_matters -"]),
    change(
        "INSERT INTO complaint_matters (complaint_id, ordinal, finding) SELECT id, 0, 'PENDING' FROM complaints WHERE text = 'Không khai được'",
        &["complaint_matters +"],
    ),
    // What follows from the legal clock, and its rounds.
    change("UPDATE complaints SET due_on = '2030-01-01' WHERE cost_vnd = 1300000", &["complaints.due_on"]),
    change("UPDATE complaints SET due_on = NULL WHERE text = 'Không khai được'", &["complaints.due_on"]),
    change(
        "UPDATE complaints SET answered_on = '2024-03-12' WHERE text = 'Không khai được'",
        &["complaints.answered_on"],
    ),
    change(
        "UPDATE complaints SET clock_stopped_since = '2024-03-12' WHERE text = 'Không khai được'",
        &["complaints.clock_stopped_since"],
    ),
    change("UPDATE complaint_clocks SET due_on = '2030-01-01' WHERE round = 1", &["complaint_clocks.due_on"]),
    change(
        "UPDATE complaint_clocks SET stops = '[]', extensions = 1 WHERE round = 2",
        &["complaint_clocks.extensions", "complaint_clocks.stops"],
    ),
    change("DELETE FROM complaint_clocks WHERE round = 1", &["complaint_clocks -"]),
    change(
        "INSERT INTO complaint_clocks (complaint_id, round, started_at, remote_area, extensions, extended_days) SELECT id, 1, received_at, FALSE, 1, 5 FROM complaints WHERE cost_vnd = 1300000",
        &["complaint_clocks +"],
    ),
    // What was answered.
    change("UPDATE unit_responses SET text = 'Khác' WHERE text = 'Đã kiểm điểm'", &["unit_responses.text"]),
    change("UPDATE unit_responses SET statement = TRUE WHERE text = 'Đã kiểm điểm'", &["unit_responses.statement"]),
    change("UPDATE unit_responses SET outcome = NULL WHERE outcome IS NOT NULL", &["unit_responses.outcome"]),
    change("UPDATE unit_responses SET satisfied = TRUE WHERE NOT satisfied", &["unit_responses.satisfied"]),
    change(
        "UPDATE unit_responses SET responded_at = responded_at {later} WHERE text = 'Đã kiểm điểm'",
        &["unit_responses.responded_at"],
    ),
    change(
        "UPDATE unit_responses SET recorded_at = recorded_at {later} WHERE text = 'Đã kiểm điểm'",
        &["unit_responses.recorded_at"],
    ),
    change(
        "UPDATE unit_responses SET unit_id = (SELECT id FROM units WHERE code = '02') WHERE text = 'Đã kiểm điểm'",
        &["unit_responses.unit_id"],
    ),
    change("UPDATE unit_responses SET actor = 'cli' WHERE text = 'Đã kiểm điểm'", &["unit_responses.actor"]),
    change("UPDATE unit_responses SET action = 'MEASURE' WHERE text = 'Đã kiểm điểm'", &["unit_responses.action"]),
    change("DELETE FROM unit_responses WHERE text = 'Đã kiểm điểm'", &["unit_responses -"]),
    change(
        "INSERT INTO unit_responses (complaint_id, id, unit_id, responded_at, recorded_at, action, text, actor) SELECT complaint_id, {random}, unit_id, responded_at, recorded_at, action, text, actor FROM unit_responses WHERE text = 'Đã kiểm điểm'",
        &["unit_responses +"],
    ),
    change("UPDATE unit_responses SET visibility = NULL WHERE visibility IS NOT NULL", &["unit_responses.visibility"]),
    change("UPDATE redactions SET text = 'Công ty B, ông Nam'", &["redactions.text"]),
    change("UPDATE redactions SET actor = 'cli'", &["redactions.actor"]),
    change("DELETE FROM redactions", &["redactions -"]),
    change(
        "INSERT INTO redactions (complaint_id, text, redacted_at, actor) SELECT id, 'x', recorded_at, 'cli' FROM complaints WHERE cost_vnd = 1300000",
        &["redactions +"],
    ),
    // What complainants sent later, and what says the same.
    change("UPDATE complaint_additions SET text = 'Không có gì'", &["complaint_additions.text"]),
    change("UPDATE complaint_additions SET received_at = received_at {later}", &["complaint_additions.received_at"]),
    change("DELETE FROM complaint_additions", &["complaint_additions -"]),
    change(
        "INSERT INTO complaint_additions (complaint_id, ordinal, text, received_at) SELECT complaint_id, 2, 'x', received_at FROM complaint_additions",
        &["complaint_additions +"],
    ),
    change("UPDATE complaint_links SET reason = 'x'", &["complaint_links.reason"]),
    change(
        "UPDATE complaint_links SET original_id = (SELECT id FROM complaints WHERE text = 'Không khai được')",
        &["complaint_links.original_id"],
    ),
    change("UPDATE complaint_links SET actor = 'cli'", &["complaint_links.actor"]),
    change("DELETE FROM complaint_links", &["complaint_links -"]),
    change(
        "INSERT INTO complaint_links (complaint_id, original_id, linked_at, actor, reason) SELECT original_id, complaint_id, linked_at, actor, reason FROM complaint_links",
        &["complaint_links +"],
    ),
    change(
        "UPDATE receipts SET hash = salt WHERE complaint_id IN (SELECT complaint_id FROM complaint_additions)",
        &["receipts.hash"],
    ),
    change(
        "UPDATE receipts SET reopened_at = issued_at WHERE complaint_id IN (SELECT complaint_id FROM complaint_additions)",
        &["receipts.reopened_at"],
    ),
    change("DELETE FROM receipts", &["receipts -"]),
    change("UPDATE attachments SET url = 'https://example.org/other'", &["attachments.url"]),
    change("UPDATE attachments SET sha256 = 'x', size = 2", &["attachments.sha256", "attachments.size"]),
    change("DELETE FROM attachments", &["attachments -"]),
    change(
        "UPDATE complaint_sources SET content_hash = 'x' WHERE reference = 'PA-2'",
        &["complaint_sources.content_hash"],
    ),
    change(
        "UPDATE complaint_sources SET reference = 'PA-9' WHERE reference = 'PA-2'",
        &["complaint_sources.reference"],
    ),
    change("DELETE FROM complaint_sources WHERE reference = 'PA-2'", &["complaint_sources -"]),
];
