//! Changes of principals and tokens, and of the chains that would show a change.

use super::{Change, change};

pub const CHANGES: &[Change] = &[
    // The rights of principals.
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
    change(
        "UPDATE principals SET asserted_at = asserted_at {later} WHERE issuer IS NOT NULL",
        &["principals.asserted_at"],
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
    // Saved questions.
    change("UPDATE saved_queries SET text = 'SELECT 2'", &["saved_queries.text"]),
    change("UPDATE saved_queries SET for_data_team = TRUE", &["saved_queries.for_data_team"]),
    change("UPDATE saved_query_versions SET text = 'SELECT 2'", &["saved_query_versions.text"]),
    change("DELETE FROM saved_query_versions", &["saved_query_versions -"]),
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
            "alerts +",
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
            "notification_endpoints +",
            "notifications +",
            "principals +",
            "reader_digests +",
            "receipts +",
            "register_info +",
            "saved_queries +",
            "saved_query_versions +",
            "trusted_operations +",
        ],
    ),
];
