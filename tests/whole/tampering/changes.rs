//! Changes that somebody makes who can write to the database: `{random}` is an id, `{later}` a minute more.

/// A change, and what a verification has to say of it.
pub struct Change {
    pub sql: &'static str,
    pub expected: &'static [&'static str],
}

const fn change(sql: &'static str, expected: &'static [&'static str]) -> Change {
    Change { sql, expected }
}

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
    // Flags.
    change("UPDATE flags SET state = 'OPEN' WHERE state = 'DISMISSED'", &["flags.state"]),
    change("UPDATE flags SET tier = 'SUSPENSION_REVIEW' WHERE state = 'DISMISSED'", &["flags.tier"]),
    change("DELETE FROM flags WHERE state = 'DISMISSED'", &["flags -"]),
    change("UPDATE flag_assessments SET reason_vi = 'x'", &["flag_assessments.reason_vi"]),
    change("UPDATE flag_assessments SET evidence = '[]'", &["flag_assessments.evidence"]),
    change("UPDATE flag_assessments SET numbers = '{}'", &["flag_assessments.numbers"]),
    change("UPDATE flag_reviews SET reason = 'x'", &["flag_reviews.reason"]),
    change(
        "UPDATE flag_reviews SET to_state = 'UPHELD', actor = 'x'",
        &["flag_reviews.actor", "flag_reviews.to_state"],
    ),
    change("DELETE FROM flag_reviews", &["flag_reviews -"]),
    change(
        "INSERT INTO flag_reviews (id, flag_id, run_id, from_state, to_state, evidence, actor, reviewed_at) SELECT {random}, flag_id, run_id, from_state, to_state, evidence, actor, reviewed_at FROM flag_reviews",
        &["flag_reviews +"],
    ),
    // Runs and what they left.
    change("UPDATE job_runs SET result_hash = 'x' WHERE job = 'recurrence'", &["job_runs.result_hash"]),
    change(
        "UPDATE job_runs SET input_hash = 'x', output_hash = 'y' WHERE job = 'recurrence'",
        &["job_runs.input_hash", "job_runs.output_hash"],
    ),
    change("UPDATE job_runs SET rules = '{}' WHERE job = 'recurrence'", &["job_runs.rules"]),
    change("UPDATE job_runs SET known_at = 1 WHERE job = 'recurrence'", &["job_runs.known_at"]),
    change("UPDATE job_runs SET state = 'RUNNING' WHERE job = 'recurrence'", &["job_runs.state"]),
    change("DELETE FROM job_runs WHERE job = 'recurrence'", &["job_runs -"]),
    change("UPDATE job_results SET document = '{}' WHERE name = 'recurrence'", &["job_results.document"]),
    change("DELETE FROM job_results WHERE name = 'timeliness'", &["job_results -"]),
    change(
        "UPDATE jobs SET paused_at = NULL, paused_by = NULL WHERE job = 'trends'",
        &["jobs.paused_at", "jobs.paused_by"],
    ),
    change("UPDATE escalations SET due_on = '2030-01-01' WHERE level = 1", &["escalations.due_on"]),
    change("DELETE FROM escalations", &["escalations -"]),
    // Versions of the classifier.
    change("UPDATE classifier_models SET metrics = '{}'", &["classifier_models.metrics"]),
    change(
        "UPDATE classifier_models SET hash = 'x', as_of = '2030-01-01'",
        &["classifier_models.as_of", "classifier_models.hash"],
    ),
    change("DELETE FROM classifier_weights; DELETE FROM classifier_models", &["classifier_models -"]),
    change(
        "INSERT INTO classifier_models (id, version, trained_at, as_of, position, seed, examples, hash, metrics, code_version, actor) SELECT {random}, version + 1, trained_at, as_of, position, seed, examples, hash, metrics, code_version, actor FROM classifier_models",
        &["classifier_models +"],
    ),
    // Who may ask.
    change(
        "INSERT INTO principals (id, name, role, created_at, outside) SELECT {random}, 'evil', 'BOARD', created_at, FALSE FROM principals WHERE name = 'gone'",
        &["principals +"],
    ),
    change(
        "INSERT INTO api_tokens (id, principal_id, hash, created_at) SELECT {random}, principal_id, (SELECT hash FROM seals WHERE chain = 'STATE' AND number = 1), created_at FROM api_tokens WHERE revoked_at IS NOT NULL",
        &["api_tokens +"],
    ),
    change("UPDATE principals SET role = 'BOARD' WHERE name = 'INTAKE-all'", &["principals.role"]),
    change("UPDATE principals SET officer_id = NULL WHERE name = 'member'", &["principals.officer_id"]),
    change("UPDATE principals SET outside = FALSE WHERE name = 'paper'", &["principals.outside"]),
    change(
        "UPDATE principals SET unit_id = (SELECT id FROM units WHERE code = 'TC') WHERE name = 'UNIT_HEAD-02CV'",
        &["principals.unit_id"],
    ),
    change("DELETE FROM principals WHERE name = 'paper'", &["principals -"]),
    change("UPDATE api_tokens SET revoked_at = NULL WHERE revoked_at IS NOT NULL", &["api_tokens.revoked_at"]),
    change("UPDATE api_tokens SET expires_at = NULL WHERE expires_at IS NOT NULL", &["api_tokens.expires_at"]),
    change(
        "UPDATE api_tokens SET principal_id = (SELECT id FROM principals WHERE name = 'BOARD-all') WHERE principal_id = (SELECT id FROM principals WHERE name = 'paper')",
        &["api_tokens.principal_id"],
    ),
    change(
        "INSERT INTO trusted_operations (principal_id, signature, document, added_at) SELECT principal_id, 'x', 'query { x }', added_at FROM trusted_operations",
        &["trusted_operations +"],
    ),
    change("UPDATE trusted_operations SET document = 'query { x }'", &["trusted_operations.document"]),
    // Digests.
    change("UPDATE digests SET text = 'Không có gì mới' WHERE locale = 'vi'", &["digests.text"]),
    change("UPDATE digests SET html = 'x', subject = 'y' WHERE locale = 'vi'", &["digests.html", "digests.subject"]),
    change("DELETE FROM digests WHERE locale = 'en'", &["digests -"]),
    change(
        "UPDATE digest_subscriptions SET address = 'evil@example.org' WHERE channel = 'EMAIL'",
        &["digest_subscriptions.address"],
    ),
    change(
        "INSERT INTO digest_subscriptions (id, channel, address, locale, created_at) SELECT {random}, channel, 'evil@example.org', locale, created_at FROM digest_subscriptions WHERE channel = 'EMAIL'",
        &["digest_subscriptions +"],
    ),
    change(
        "UPDATE deliveries SET state = 'SENT', sent_at = next_attempt_at WHERE state = 'PENDING'",
        &["deliveries.sent_at", "deliveries.state"],
    ),
    change("UPDATE deliveries SET message_id = 'x' WHERE state = 'SENT'", &["deliveries.message_id"]),
    change("DELETE FROM deliveries WHERE state = 'SENT'", &["deliveries -"]),
    change("INSERT INTO register_info (key, value) VALUES ('x', '{}')", &["register_info +"]),
    // The chains themselves.
    change("UPDATE audit_log SET actor = 'x' WHERE number = 1", &["AUDIT changed"]),
    change("DELETE FROM audit_log WHERE number = 2", &["AUDIT removed"]),
    change("UPDATE reference_events SET actor = 'x' WHERE position = 1 AND ordinal = 0", &["REFERENCE changed"]),
    change("UPDATE state_events SET actor = 'x' WHERE number = 1", &["STATE changed"]),
    change(
        "UPDATE api_tokens SET revoked_at = NULL WHERE revoked_at IS NOT NULL; DELETE FROM state_events WHERE number = (SELECT max(number) FROM state_events WHERE table_name = 'api_tokens' AND row_key = (SELECT row_key FROM state_events WHERE table_name = 'api_tokens' GROUP BY row_key HAVING count(*) > 1))",
        &["STATE removed"],
    ),
    change(
        "DELETE FROM seals WHERE chain = 'STATE'; DELETE FROM state_events; UPDATE state_position SET value = 0",
        &[
            "api_tokens +",
            "attachments +",
            "classifier_models +",
            "deliveries +",
            "digest_subscriptions +",
            "digests +",
            "escalations +",
            "flag_assessments +",
            "flag_reviews +",
            "flags +",
            "job_results +",
            "job_runs +",
            "jobs +",
            "principals +",
            "receipts +",
            "register_info +",
            "trusted_operations +",
        ],
    ),
];
