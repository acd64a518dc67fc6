//! The complaints that count, and what counts on the days of each pair of an officer and a party.
//!
//! A party is a campaign, an enterprise, or an anonymous complaint. A complaint of a campaign has a second row for its
//! own enterprise, with zero `counts`: it makes that enterprise one of those that count apart from campaigns.

use super::days::{Span, part, whole};
use schema::enums::PeerGroup;

/// The tables of WITH: `named`, allegations; `days`, what counts on a day of a pair in the longest window.
pub(super) fn parts(span: &Span) -> Vec<String> {
    vec![found(span), dated(span), named(span), merged(span), days()]
}

/// The number of a peer group.
pub(super) fn number_of_group(column: &str) -> String {
    let each: Vec<String> =
        (0..).zip(PeerGroup::WORDS).map(|(number, word): (usize, _)| format!("WHEN '{word}' THEN {number}")).collect();
    format!("CASE {column} {} ELSE {} END", each.join(" "), PeerGroup::WORDS.len())
}

/// Number of peer groups, including the group of officers that have none.
fn groups() -> usize {
    PeerGroup::WORDS.len() + 1
}

/// Allegations that count. `place` orders the complaints of a day as the job does, and holds their peer group.
fn found(span: &Span) -> String {
    let (as_of, since) = (span.as_of, span.since);
    let decided_by_then = format!("(a.decided_on IS NULL OR a.decided_on <= DATE '{as_of}')");
    let recurring = format!("FROM recurrence_complaints WHERE received_on > DATE '{since}'");
    let within =
        |table: &str| format!("{table}.received_on > DATE '{since}' AND {table}.received_on <= DATE '{as_of}'");
    format!(
        "found AS (SELECT a.officer AS subject, a.complaint AS complaint, c.enterprise AS own, r.campaign AS \
         campaign, COALESCE(r.counts, 1) AS counts, {} AS y, {} AS m, {} AS doy, CASE WHEN COALESCE(a.serious, \
         k.serious) THEN 1 ELSE 0 END AS serious, CASE WHEN a.attribution = 'CONFIRMED' THEN 1 ELSE 0 END AS \
         confirmed, CASE WHEN a.finding = 'NOT_SUSTAINED' AND {decided_by_then} THEN 0 ELSE 1 END AS sustained, \
         COALESCE(r.place, 0) * {} + {} AS place FROM (SELECT allegations.*, kind, serious FROM allegations LEFT \
         JOIN categories ON code = category WHERE category IS NULL OR kind = 'CONDUCT') a JOIN complaints c ON \
         c.complaint = a.complaint LEFT JOIN categories k ON k.code = c.category LEFT JOIN (SELECT officer, \
         complaint, place, peer_group, campaign, 1 AS counts {recurring} UNION ALL SELECT officer, complaint, place, \
         peer_group, NULL, 0 {recurring} AND campaign IS NOT NULL) r ON r.officer = a.officer AND r.complaint = \
         a.complaint WHERE COALESCE(a.kind, k.kind) = 'CONDUCT' AND {} AND {} AND NOT (c.state IN ('WITHDRAWN', \
         'REJECTED') AND c.ended_on IS NOT NULL AND c.ended_on <= DATE '{as_of}') AND NOT (a.finding IN \
         ('UNFOUNDED', 'EXONERATED') AND {decided_by_then}))",
        part("YEAR", "a.received_on"),
        part("MONTH", "a.received_on"),
        part("DOY", "a.received_on"),
        groups(),
        number_of_group("COALESCE(r.peer_group, c.peer_group)"),
        within("a"),
        within("c"),
    )
}

/// The day as a number, and the party. `named` is 1 where the party is an enterprise or a campaign.
fn dated(span: &Span) -> String {
    format!(
        "dated AS (SELECT *, {} AS d, 12 * y + m AS month, COALESCE(campaign, own, complaint) AS party, CASE WHEN \
         campaign IS NULL THEN 0 ELSE 1 END AS in_campaign, CASE WHEN COALESCE(campaign, own) IS NULL THEN 0 ELSE \
         counts END AS named FROM found)",
        span.number_of_columns()
    )
}

/// The word and the bit of the day. Campaigns have no bit: they are one episode.
fn named(span: &Span) -> String {
    format!(
        "named AS (SELECT *, {} AS word, counts * (1 - in_campaign) * (CAST(1 AS BIGINT) << (d % {})) AS spot FROM \
         dated)",
        whole("d", span.bits),
        span.bits
    )
}

/// SQL with one row for each officer and complaint: a complaint may name an officer several times.
fn merged(span: &Span) -> String {
    format!(
        "merged AS (SELECT subject, complaint, counts, MIN(party) AS party, MIN(d) AS d, MIN(month) AS month, \
         MIN(word) AS word, MIN(spot) AS spot, MIN(place) AS place, MIN(in_campaign) AS in_campaign, MAX(CASE WHEN \
         own IS NULL THEN 1 ELSE 0 END) AS anonymous, MAX(serious) AS serious, MAX(confirmed * serious) AS \
         serious_confirmed, MAX(sustained) AS sustained FROM named WHERE d >= {} GROUP BY subject, complaint, \
         counts)",
        span.begin
    )
}

/// An episode that begins on the day is in the peer group of the day's first complaint.
fn days() -> String {
    format!(
        "days AS (SELECT subject, party, d, MIN(month) AS month, MIN(word) AS word, MAX(spot) AS spot, MIN(CASE \
         counts WHEN 1 THEN place END) % {} AS grp, SUM(counts) AS complaints, SUM(counts * sustained) AS \
         without_not_sustained, SUM(counts * in_campaign) AS campaign_complaints, SUM(counts * anonymous) AS \
         anonymous, SUM(counts * serious) AS serious, SUM(counts * serious_confirmed) AS serious_confirmed FROM \
         merged GROUP BY subject, party, d)",
        groups()
    )
}
