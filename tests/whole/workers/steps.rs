//! What a worker does.

use super::{ANSWERED, COMPLAINTS, Done, Seen, Shop, Waiting};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use schema::register::RECEIPT_ACTOR;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use tests::Json;

/// What each worker does at random.
const STEPS: usize = 6;

const CATEGORIES: [&str; 3] = ["TD1", "TD2", "HT"];
const UNITS: [&str; 3] = ["02CV", "02DS", "03TG"];
const STATES: [&str; 4] = ["ASSIGNED", "ASSIGNED", "CLOSED", "REJECTED"];
const FINDINGS: [&str; 3] = ["SUSTAINED", "NOT_SUSTAINED", "UNFOUNDED"];

impl Shop<'_> {
    pub fn classify_the_first_version(&self, worker: usize, seen: &mut Seen) {
        let member = &self.board[worker % self.board.len()];
        let complaint = worker % COMPLAINTS;
        let category = if worker < COMPLAINTS { "TD2" } else { "HT" };
        let id = self.complaints[complaint].id;
        let input = json!({ "complaintId": id, "expectedVersion": 1, "category": category });
        if let Some(data) = self.send(worker, &member.token, "classifyComplaint", &input, seen) {
            self.note(complaint, member, (1, &data["complaint"]["version"]), None, seen);
        }
    }

    /// Each of the first workers lets a head answer a complaint.
    pub fn answer_the_first(&self, worker: usize, seen: &mut Seen) {
        if worker < ANSWERED {
            let head = &self.heads[worker % self.heads.len()];
            let answer = json!({ "action": "EXPLANATION", "text": "Đã giải thích.", "visibility": "COMPLAINANT" });
            self.change(worker, head, worker, ("respondToComplaint", &answer), seen);
        }
    }

    /// Does some steps. Of ten workers seven are members of the Board, two are heads, and one is a complainant.
    pub fn work(&self, worker: usize, seen: &mut Seen) {
        let mut random = ChaCha8Rng::seed_from_u64(u64::try_from(worker).expect("a small number"));
        for step in 0..STEPS {
            let complaint = random.random_range(0..COMPLAINTS);
            let reason = format!("{worker}, {step}");
            match worker % 10 {
                0..=6 => self.as_member(worker, complaint, &reason, &mut random, seen),
                7 | 8 => self.as_head(worker, complaint, &reason, &mut random, seen),
                _ => self.as_complainant(worker, step, complaint, &reason, seen),
            }
        }
    }

    fn as_member(&self, worker: usize, complaint: usize, reason: &str, random: &mut ChaCha8Rng, seen: &mut Seen) {
        let member = &self.board[worker % self.board.len()];
        let category = one_of(&CATEGORIES, random);
        let unit = self.some_unit(random);
        let (mutation, more) = match random.random_range(0..12) {
            0 | 1 => ("classifyComplaint", json!({ "category": category })),
            2 | 3 => ("assignComplaint", json!({ "unit": unit })),
            4 => ("transferComplaint", json!({ "unit": unit, "reason": reason })),
            5 => ("changeComplaintState", json!({ "state": one_of(&STATES, random), "reason": reason })),
            6 => {
                let today = local_date(Timestamp::now());
                ("recordFinding", json!({ "finding": one_of(&FINDINGS, random), "decidedOn": today }))
            }
            7 => {
                let cost = random.random_range(0..1_000_000_u32).to_string();
                ("correctComplaint", json!({ "costVnd": cost, "reason": reason }))
            }
            8 => {
                let other = &self.complaints[random.random_range(0..COMPLAINTS)];
                let link = ("linkDuplicate", &json!({ "of": other.id, "reason": reason }));
                self.change(worker, member, complaint, link, seen);
                if random.random_bool(0.5) {
                    return;
                }
                ("unlinkDuplicate", json!({ "reason": reason }))
            }
            9 => ("unlinkDuplicate", json!({ "reason": reason })),
            10 => return self.confirm_several(worker, category, random, seen),
            _ => return self.decide(worker, seen),
        };
        self.change(worker, member, complaint, (mutation, &more), seen);
    }

    fn as_head(&self, worker: usize, complaint: usize, reason: &str, random: &mut ChaCha8Rng, seen: &mut Seen) {
        let head = &self.heads[worker % self.heads.len()];
        let (mutation, more) = match random.random_range(0..6) {
            0 | 1 => ("respondToComplaint", json!({ "action": "EXPLANATION", "text": "Đã giải thích." })),
            2 | 3 => {
                self.change(worker, head, complaint, ("suspendClock", &json!({ "reason": reason })), seen);
                if random.random_bool(0.5) {
                    return;
                }
                ("resumeClock", json!({ "reason": reason }))
            }
            4 => ("transferComplaint", json!({ "unit": self.some_unit(random), "reason": reason })),
            _ => return self.propose(worker, complaint, reason, seen),
        };
        self.change(worker, head, complaint, (mutation, &more), seen);
    }

    /// A unit that exists, or the newest one, which may be closed by now.
    fn some_unit(&self, random: &mut ChaCha8Rng) -> String {
        let newest = self.newest_unit.load(Ordering::SeqCst);
        if newest > 0 && random.random_bool(0.3) {
            return format!("02W{newest}");
        }
        one_of(&UNITS, random).to_owned()
    }

    /// The first step of each complainant is about a complaint of its own that was answered.
    fn as_complainant(&self, worker: usize, step: usize, complaint: usize, text: &str, seen: &mut Seen) {
        let own = worker / 10;
        let (complaint, mutation, passed) = match (step, own % 3) {
            (0, 0) => (own, "confirmSatisfaction", "satisfied: true"),
            (0, 1) => (own, "reopenByReceipt", "reason: $text"),
            (0, _) => (own, "withdrawByReceipt", "reason: $text"),
            _ => (complaint, "addToComplaint", "text: $text"),
        };
        let receipt = &self.complaints[complaint].receipt;
        let (declared, variables) = match mutation {
            "confirmSatisfaction" => ("", json!({ "receipt": receipt })),
            _ => (", $text: String!", json!({ "receipt": receipt, "text": text })),
        };
        let document =
            format!("mutation ($receipt: String!{declared}) {{ {mutation}(receipt: $receipt, {passed}) {{ state }} }}");
        let answer = self.graphql(worker, "", &document, &variables);
        match answer.codes().as_slice() {
            [] if answer.status == 200 => {
                seen.succeeded.insert(mutation.to_owned());
                let actor = RECEIPT_ACTOR.to_owned();
                let reason = passed.starts_with("reason").then(|| text.to_owned());
                seen.done.push(Done { complaint, actor, versions: None, reason });
            }
            [code] => seen.refused(mutation, code, &answer.text),
            _ => seen.failures.push(format!("{mutation}: {answer:?}")),
        }
    }

    /// Classifies some complaints by one mutation, which locks them one after the other.
    fn confirm_several(&self, worker: usize, category: &str, random: &mut ChaCha8Rng, seen: &mut Seen) {
        let member = &self.board[worker % self.board.len()];
        let mut known: BTreeMap<usize, i32> = BTreeMap::new();
        for _ in 0..5 {
            let complaint = random.random_range(0..COMPLAINTS);
            known.insert(complaint, self.complaints[complaint].version.load(Ordering::SeqCst));
        }
        let mut input: Vec<Value> = Vec::new();
        for (complaint, version) in &known {
            let id = self.complaints[*complaint].id;
            input.push(json!({ "complaintId": id, "expectedVersion": version, "category": category }));
        }
        let sent = self.send(worker, &member.token, "confirmClassifications", &Value::from(input), seen);
        let Some(data) = sent else { return };
        let results = data["results"].list();
        assert_eq!(results.len(), known.len(), "{data}");
        for ((complaint, version), result) in known.into_iter().zip(results) {
            match result["code"].as_str() {
                None => {
                    seen.succeeded.insert("confirmClassifications".to_owned());
                    self.note(complaint, member, (version, &result["complaint"]["version"]), None, seen);
                }
                Some(code) => seen.refused("confirmClassifications", code, &result.to_string()),
            }
        }
    }

    fn propose(&self, worker: usize, complaint: usize, reason: &str, seen: &mut Seen) {
        let head = &self.heads[worker % self.heads.len()];
        let of = &self.complaints[complaint];
        let version = of.version.load(Ordering::SeqCst);
        let input = json!({ "complaintId": of.id, "expectedVersion": version, "delayHours": worker, "reason": reason });
        if let Some(data) = self.send(worker, &head.token, "proposeCorrection", &input, seen) {
            seen.proposals += 1;
            let waiting = Waiting { id: data["proposal"]["id"].clone(), complaint, reason: reason.to_owned() };
            self.waiting.lock().unwrap().push(waiting);
        }
    }

    /// Accepts a proposed correction, which succeeds if nobody has changed the complaint since.
    fn decide(&self, worker: usize, seen: &mut Seen) {
        let next = self.waiting.lock().unwrap().pop();
        let Some(Waiting { id, complaint, reason }) = next else { return };
        let member = &self.board[worker % self.board.len()];
        let input = json!({ "proposalId": id, "expectedVersion": 1, "accept": true });
        if let Some(data) = self.send(worker, &member.token, "decideCorrection", &input, seen) {
            let before = i32::try_from(data["proposal"]["complaintVersion"].integer()).expect("a version");
            self.note(complaint, member, (before, &json!(before + 1)), Some(reason), seen);
        }
    }
}

fn one_of(words: &[&'static str], random: &mut ChaCha8Rng) -> &'static str {
    words.choose(random).copied().expect("a word")
}
