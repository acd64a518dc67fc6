//! The filter of `complaintStatistics` selects what the filter of `complaints` selects with the same operators.

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tests::{Client, Json, Role, TestApp};

/// Makes random filters, each for statistics and for lists.
pub struct Maker(ChaCha8Rng);

impl Maker {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn one<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all.choose(&mut self.0).copied().unwrap()
    }

    /// Operators on a word or a code.
    fn equal(&mut self, all: &[&str]) -> Value {
        match self.0.random_range(0..4) {
            0 => json!({ "eq": self.one(all) }),
            1 => json!({ "ne": self.one(all) }),
            2 => json!({ "in": [self.one(all), self.one(all)] }),
            _ => json!({ "in": [self.one(all), self.one(all), self.one(all)], "ne": self.one(all) }),
        }
    }

    /// Operators on a value with an order.
    fn ordered(&mut self, all: &[Value]) -> Value {
        let mut value = || all.choose(&mut self.0).unwrap().clone();
        let (a, b) = (value(), value());
        match self.0.random_range(0..7) {
            0 => json!({ "gte": a }),
            1 => json!({ "lt": a }),
            2 => json!({ "gt": a, "lte": b }),
            3 => json!({ "isNull": true }),
            4 => json!({ "isNull": false, "ne": a }),
            5 => json!({ "in": [a, b] }),
            _ => json!({ "eq": a }),
        }
    }

    fn unit(&mut self, depth: u32) -> Value {
        let codes = ["02", "02AA", "02AB", "01", "TCHQ", "CNTT", "03AA"];
        match self.0.random_range(0..if depth > 0 { 8 } else { 5 }) {
            0 | 1 => json!({ "within": self.one(&codes) }),
            2 => json!({ "code": self.equal(&codes) }),
            3 => json!({ "kind": self.equal(&["BRANCH", "TEAM", "PROVINCIAL_DEPARTMENT"]) }),
            4 => json!({ "search": "san bay", "parent": { "code": { "like": "0%" } } }),
            5 => json!({ "not": self.unit(depth - 1) }),
            6 => json!({ "or": [self.unit(depth - 1), self.unit(depth - 1)] }),
            _ => json!({ "and": [self.unit(depth - 1)], "within": self.one(&codes) }),
        }
    }

    fn category(&mut self, depth: u32) -> Value {
        let codes = ["TECHNICAL", "CONDUCT", "PROCEDURE", "TEC-DOWN", "PRC-HS", "CORRUPTION"];
        match self.0.random_range(0..if depth > 0 { 9 } else { 6 }) {
            0 | 1 => json!({ "code": self.equal(&codes) }),
            2 => json!({ "within": self.one(&codes) }),
            3 => json!({ "kind": self.equal(&["TECHNICAL", "CONDUCT"]), "serious": { "eq": self.0.random_bool(0.5) } }),
            4 => json!({ "code": { "like": "%C%" }, "parentId": { "isNull": false } }),
            5 => json!({ "deadlineDays": { "lte": 5 } }),
            6 => json!({ "not": self.category(depth - 1) }),
            7 => json!({ "or": [self.category(depth - 1), self.category(depth - 1)] }),
            _ => json!({ "and": [self.category(depth - 1), self.category(depth - 1)] }),
        }
    }

    fn responsible_unit(&mut self) -> Value {
        let codes = ["02", "02AA", "02AB", "TCHQ", "CNTT"];
        match self.0.random_range(0..5) {
            0 => json!({ "eq": self.one(&codes) }),
            1 => json!({ "in": [self.one(&codes), self.one(&codes)] }),
            2 | 3 => json!({ "within": self.one(&codes) }),
            _ => json!({ "isNull": self.0.random_bool(0.5) }),
        }
    }

    /// The same filter for statistics and for lists.
    pub fn filter(&mut self, depth: u32) -> [Value; 2] {
        let both = |value: Value| [value.clone(), value];
        let of = |field: &str, value: Value| both(json!({ field: value }));
        let forms = ["FEEDBACK", "GRIEVANCE", "DENUNCIATION"];
        let states = ["RECEIVED", "CLASSIFIED", "ASSIGNED", "ANSWERED", "CLOSED", "WITHDRAWN", "REJECTED"];
        let times = ["2023-02-01T00:00:00+07:00", "2024-06-15T10:00:00Z", "2025-03-01T00:00:00+07:00"].map(Value::from);
        match self.0.random_range(0..if depth > 0 { 19 } else { 15 }) {
            0 | 1 => of("unit", self.unit(1)),
            2 | 3 => of("category", self.category(1)),
            4 => of("state", self.equal(&states)),
            5 => of("channel", self.equal(&["PORTAL", "HOTLINE", "EMAIL", "LETTER"])),
            6 => of("legalForm", self.equal(&forms)),
            7 => of("receivedAt", self.ordered(&times)),
            8 => of("costVnd", self.ordered(&["0", "1000000", "5000000", "20000000"].map(Value::from))),
            9 => of("delayHours", self.ordered(&[1.0, 4.5, 24.0, 100.0].map(Value::from))),
            10 => of("confidential", json!({ "eq": self.0.random_bool(0.5) })),
            11 => {
                let kind = self.equal(&["TECHNICAL", "CONDUCT", "PROCEDURE"]);
                [json!({ "kind": kind }), json!({ "category": { "kind": kind } })]
            }
            12 => {
                let group = self.one(&["SEAPORT", "AIRPORT", "INLAND"]);
                let own = json!({ "peerGroup": { "eq": group } });
                let above = json!({ "peerGroup": { "isNull": true }, "parent": own.clone() });
                [own.clone(), json!({ "unit": { "or": [own, above] } })]
            }
            13 => of("responsibleUnit", self.responsible_unit()),
            14 => of("answeredOn", self.ordered(&["2023-02-01", "2024-06-15", "2025-03-01"].map(Value::from))),
            15 => {
                let attribution = self.equal(&["ASSERTED", "CONFIRMED"]);
                [json!({ "attribution": attribution }), json!({ "officers": { "attribution": attribution } })]
            }
            16 => {
                let [a, b, c] = [0, 1, 2].map(|_| self.filter(depth - 1));
                [json!({ "and": [a[0], b[0], c[0]] }), json!({ "and": [a[1], b[1], c[1]] })]
            }
            17 => {
                let [a, b, c] = [0, 1, 2].map(|_| self.filter(depth - 1));
                [json!({ "or": [a[0], b[0], c[0]] }), json!({ "or": [a[1], b[1], c[1]] })]
            }
            _ => self.filter(depth - 1).map(|part| json!({ "not": part })),
        }
    }
}

/// The number of complaints that a filter selects in statistics, and the same in lists.
fn counts(client: &Client<'_>, statistics: &Value, list: &Value) -> [i64; 2] {
    let both = "query($s: ComplaintStatisticsFilter, $l: ComplaintFilter) {
        complaintStatistics(filter: $s) { totals { complaints } } complaints(filter: $l) { totalCount } }";
    let data = client.data_with(both, &json!({ "s": statistics, "l": list }));
    [data["complaintStatistics"]["totals"]["complaints"].integer(), data["complaints"]["totalCount"].integer()]
}

#[test]
fn a_filter_of_statistics_selects_what_the_same_filter_of_lists_selects() {
    for (app, seed) in TestApp::both().generated(1_500, 11).arguments(&["--no-jobs"]).into_iter().zip([7, 8]) {
        let (board, head) = (app.as_role(Role::Board), app.as_head("02"));
        let all = listed_number(&board);
        let mut maker = Maker::new(seed);
        let (mut some, mut found) = (0, 0);
        for _ in 0..150 {
            // Values may be nested twelve levels deep.
            let [statistics, list] = maker.filter(2);
            let [counted, listed] = counts(&board, &statistics, &list);
            assert_eq!(counted, listed, "{}: {statistics} and {list}", app.database.name);
            let [counted, of_head] = counts(&head, &statistics, &list);
            assert_eq!(counted, of_head, "{}, as a head: {statistics} and {list}", app.database.name);
            some += usize::from(listed > 0 && listed < all);
            found += usize::from(of_head > 0);
        }
        assert!(some >= 40 && found >= 40, "{some} filters select a part, {found} something for the head");
    }
}

fn listed_number(client: &Client<'_>) -> i64 {
    client.data("{ complaints { totalCount } }")["complaints"]["totalCount"].integer()
}

#[test]
fn findings_and_attributions_of_one_filter_are_of_one_allegation() {
    for app in TestApp::both().world().arguments(&["--no-jobs"]) {
        let board = app.as_role(Role::Board);
        let officers = |filter: &str| -> Vec<(Option<String>, i64)> {
            let data = board.data(&format!(
                "{{ complaintStatistics(groupBy: [OFFICER], filter: {{{filter}}}) {{ rows {{ officer {{ code }} complaints }} }} }}"
            ));
            let rows = data["complaintStatistics"]["rows"].list().iter();
            let mut rows: Vec<(Option<String>, i64)> = rows
                .map(|row| (row["officer"]["code"].as_str().map(str::to_owned), row["complaints"].integer()))
                .collect();
            rows.sort();
            rows
        };
        let named = |rows: &[(&str, i64)]| -> Vec<(Option<String>, i64)> {
            rows.iter().map(|(code, complaints)| (Some((*code).to_owned()), *complaints)).collect()
        };
        // PA-3 names CC02 and CC03; only the finding on CC02 is decided.
        assert_eq!(officers("finding: {eq: NOT_SUSTAINED}"), named(&[("CC02", 1)]));
        assert_eq!(officers("findingIn: [NOT_SUSTAINED]"), named(&[("CC02", 1)]));
        assert_eq!(officers("and: [{finding: {eq: NOT_SUSTAINED}}]"), named(&[("CC02", 1), ("CC03", 1)]));
        assert_eq!(officers("finding: {ne: PENDING}"), named(&[("CC01", 1), ("CC02", 1)]));
        assert_eq!(officers("finding: {eq: NOT_SUSTAINED}, officerIn: [\"CC03\"]"), named(&[]));
        let apart = "and: [{finding: {eq: NOT_SUSTAINED}}, {officerIn: [\"CC03\"]}]";
        assert_eq!(officers(apart), named(&[("CC02", 1), ("CC03", 1)]));
        // PA-5 names nobody: it has a finding and no attribution.
        let confirmed = named(&[("CC01", 3), ("CC02", 1), ("CC03", 2)]);
        assert_eq!(officers("attribution: {eq: CONFIRMED}"), confirmed);
        assert_eq!(officers("attribution: {isNull: false}"), confirmed);
        assert_eq!(officers("attribution: {eq: ASSERTED}"), named(&[]));
        let nobody: Vec<(Option<String>, i64)> = vec![(None, 1)];
        assert_eq!(officers("not: {attribution: {eq: CONFIRMED}}"), nobody);
        assert_eq!(officers("finding: {isNull: false}, kind: {eq: PROFICIENCY}"), nobody);
        // Groups by what else is new.
        let grouped = board.data(
            "{ complaintStatistics(groupBy: [PEER_GROUP, LEGAL_FORM]) { rows { peerGroup legalForm complaints } } }",
        );
        assert_eq!(
            grouped["complaintStatistics"]["rows"],
            json!([
                { "peerGroup": "SEAPORT", "legalForm": "FEEDBACK", "complaints": 5 },
                { "peerGroup": "AIRPORT", "legalForm": "FEEDBACK", "complaints": 1 },
            ])
        );
    }
}
