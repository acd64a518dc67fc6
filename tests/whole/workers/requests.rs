//! How a worker sends a mutation, and what it notes of the answer.

use super::{Done, Member, Seen, Shop};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use tests::{Answer, Json, merged};

impl Shop<'_> {
    pub fn graphql(&self, worker: usize, token: &str, document: &str, variables: &Value) -> Answer {
        self.connections.graphql(&self.servers[worker % self.servers.len()], token, document, variables)
    }

    /// Sends a mutation with an input. Returns its data if it succeeded, else notes why not.
    pub fn send(&self, worker: usize, token: &str, mutation: &str, input: &Value, seen: &mut Seen) -> Option<Value> {
        let own = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let (of, fields) = match mutation {
            "suspendClock" | "resumeClock" => ("ClockStepInput", "complaint { version }"),
            "proposeCorrection" => ("CorrectComplaintInput", "proposal { id }"),
            "decideCorrection" => (own.as_str(), "proposal { complaintVersion }"),
            "confirmClassifications" => ("[ConfirmClassificationInput!]", "results { code complaint { version } }"),
            "createUnit" => (own.as_str(), "unit { revision }"),
            "closeUnit" | "setHolidays" | "mergeOfficers" | "splitOfficer" => (own.as_str(), "position"),
            _ => (own.as_str(), "complaint { version }"),
        };
        let document = format!("mutation ($input: {of}!) {{ {mutation}(input: $input) {{ {fields} }} }}");
        let answer = self.graphql(worker, token, &document, &json!({ "input": input }));
        match answer.codes().as_slice() {
            [] if answer.status == 200 => {
                // Each of its results may be a refusal.
                if mutation != "confirmClassifications" {
                    seen.succeeded.insert(mutation.to_owned());
                }
                return Some(answer.json()["data"][mutation].clone());
            }
            [code] => seen.refused(mutation, code, &answer.text),
            _ => seen.failures.push(format!("{mutation}: {answer:?}")),
        }
        None
    }

    /// Changes a complaint of which the worker knows a version.
    pub fn change(
        &self,
        worker: usize,
        member: &Member,
        complaint: usize,
        (mutation, more): (&str, &Value),
        seen: &mut Seen,
    ) {
        let of = &self.complaints[complaint];
        let version = of.version.load(Ordering::SeqCst);
        let input = merged(&json!({ "complaintId": of.id, "expectedVersion": version }), more);
        let conflicts = seen.conflicts;
        if let Some(data) = self.send(worker, &member.token, mutation, &input, seen) {
            let reason = more["reason"].as_str().map(str::to_owned);
            self.note(complaint, member, (version, &data["complaint"]["version"]), reason, seen);
        } else if seen.conflicts > conflicts && of.version.load(Ordering::SeqCst) == version {
            self.read_again(worker, complaint);
        }
    }

    /// Notes a change, with the versions of the complaint before and after it.
    pub fn note(
        &self,
        complaint: usize,
        member: &Member,
        (before, after): (i32, &Value),
        reason: Option<String>,
        seen: &mut Seen,
    ) {
        let after = i32::try_from(after.integer()).expect("a version");
        self.complaints[complaint].version.fetch_max(after, Ordering::SeqCst);
        // What is so already changes nothing.
        if after != before {
            seen.done.push(Done { complaint, actor: member.actor.clone(), versions: Some((before, after)), reason });
        }
    }

    fn read_again(&self, worker: usize, complaint: usize) {
        let of = &self.complaints[complaint];
        let document = "query ($id: ID!) { complaint(id: $id) { version } }";
        let token = &self.board[worker % self.board.len()].token;
        let answer = self.graphql(worker, token, document, &json!({ "id": of.id })).json();
        let version = i32::try_from(answer["data"]["complaint"]["version"].integer()).expect("a version");
        of.version.fetch_max(version, Ordering::SeqCst);
    }
}

impl Seen {
    /// Notes a refusal. A worker may come too late, or ask for what the state of the complaint does not allow. It is
    /// told of nothing else.
    pub fn refused(&mut self, mutation: &str, code: &str, text: &str) {
        match code {
            "CONFLICT" => self.conflicts += 1,
            "BAD_USER_INPUT" => {}
            _ => self.failures.push(format!("{mutation}: {text}")),
        }
    }
}
