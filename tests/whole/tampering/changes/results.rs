//! Changes of what jobs stored, and of digests.

use super::{Change, change};

pub const CHANGES: &[Change] = &[
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
    change("UPDATE reader_digests SET text = 'x'", &["reader_digests.text"]),
    change("DELETE FROM reader_digests", &["reader_digests -"]),
    change("UPDATE notification_endpoints SET address = 'https://evil.example/'", &["notification_endpoints.address"]),
    change("DELETE FROM notifications", &["notifications -"]),
    change("UPDATE alerts SET subject = 'x'", &["alerts.subject"]),
    change("INSERT INTO register_info (key, value) VALUES ('x', '{}')", &["register_info +"]),
];
