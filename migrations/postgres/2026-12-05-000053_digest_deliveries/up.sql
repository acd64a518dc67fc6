-- What was sent to whom: the deliveries of the Board's digest and of digests for readers, without their contents. A
-- subscription keeps its row when it gets other rights: what was made before was for a reader that it does not tell.
CREATE VIEW digest_deliveries AS
SELECT
    made.id AS digest_id,
    made.subscription_id AS subscription_id,
    TRUE AS for_reader,
    subscription.channel AS channel,
    subscription.address AS address,
    CASE WHEN made.created_at >= subscription.created_at THEN subscription.principal_id END AS principal_id,
    CASE WHEN made.created_at >= subscription.created_at THEN principal.name END AS reader,
    CASE WHEN made.created_at >= subscription.created_at THEN subscription.role END AS role,
    made.as_of AS as_of,
    made.locale AS locale,
    made.created_at AS created_at,
    made.state AS state,
    made.attempts AS attempts,
    made.sent_at AS sent_at,
    made.error AS error
FROM reader_digests AS made
JOIN digest_subscriptions AS subscription ON subscription.id = made.subscription_id
LEFT JOIN principals AS principal ON principal.id = subscription.principal_id
UNION ALL
SELECT
    delivery.digest_id,
    delivery.subscription_id,
    FALSE,
    subscription.channel,
    subscription.address,
    NULL,
    NULL,
    NULL,
    digest.as_of,
    digest.locale,
    digest.created_at,
    delivery.state,
    delivery.attempts,
    delivery.sent_at,
    delivery.error
FROM deliveries AS delivery
JOIN digests AS digest ON digest.id = delivery.digest_id
JOIN digest_subscriptions AS subscription ON subscription.id = delivery.subscription_id;

CREATE INDEX reader_digests_by_created_at_id ON reader_digests (created_at, id);
