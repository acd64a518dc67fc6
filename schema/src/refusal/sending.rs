//! Refusals of subscriptions to digests and alerts, and of endpoints.

use crate::enums::{DigestCondition, DigestSection};

refusals! {
    /// Refusals of subscriptions to digests and to alerts by mail.
    SubscriptionRefusal {
        Rule Address { why: String } = "MAIL_ADDRESS_INVALID", "{why}";
        Rule Domain { domains: String, why: String } = "MAIL_DOMAIN_NOT_ALLOWED", "{why}";
        Rule Reader { why: String } = "DIGEST_NOT_FOR_READER", "{why}";
        Rule Schedule { why: String } = "SCHEDULE_INVALID", "{why}";
        Rule TwiceADay { schedule: String, first: String, second: String, example: String } = "SCHEDULE_TWICE_A_DAY",
            "schedule {schedule:?} has two times on one day in Vietnam, {first} and {second}, and a reader gets one \
             digest a day: name one time, such as {example:?}";
        Rule NumberMissing = "OVERDUE_NUMBER_MISSING",
            "the condition OVERDUE needs a number from 0: a digest has more overdue complaints than it";
        Rule NumberNotNeeded { condition: DigestCondition } = "OVERDUE_NUMBER_NOT_NEEDED",
            "the condition {condition} takes no number of overdue complaints: leave it out";
        Rule Section { section: DigestSection } = "DIGEST_SECTION_NOT_FOR_READER",
            "digests for this reader have no section {section}: leave it out";
        Conflict Subscribed { address: String } = "SUBSCRIBED_ALREADY",
            "{address} has a subscription already: `phananh digest unsubscribe` ends it";
        Rule DigestsForHolders = "DIGESTS_FOR_HOLDERS",
            "the register does not know this account yet: sign out and in again, then subscribe";
        Rule AlertsForHolders = "ALERTS_FOR_HOLDERS",
            "the register does not know this account yet: sign out and in again, then ask for alerts";
        Rule NotSent { why: String } = "TEST_MAIL_NOT_SENT", "{why}";
    }
}

refusals! {
    /// Refusals of endpoints, which get messages by webhook or mail.
    EndpointRefusal {
        Rule Name { why: String } = "ENDPOINT_NAME_INVALID", "{why}";
        Rule Url { why: String } = "ENDPOINT_URL_INVALID", "{why}";
        Rule Private { address: String, why: String } = "ENDPOINT_ADDRESS_PRIVATE", "{why}";
        Rule Event { why: String } = "ENDPOINT_EVENT_UNKNOWN", "{why}";
        Rule Reader { why: String } = "ALERTS_NOT_FOR_READER", "{why}";
        Rule UnknownReader { name: String } = "ENDPOINT_READER_UNKNOWN",
            "there is no token with the name {name:?}: an ADMIN makes one";
        Rule NoKeys { why: String } = "ENDPOINT_NEEDS_KEY_FILE", "{why}";
        Conflict Exists { address: String } = "ENDPOINT_EXISTS",
            "{address} is an endpoint already: change it, or disable it first";
        Rule NoSecret { address: String } = "ENDPOINT_WITHOUT_SECRET",
            "{address} is a mail address: only webhooks have secrets";
        Rule Disabled { address: String } = "ENDPOINT_DISABLED", "{address} is disabled: enable it first";
    }
}
