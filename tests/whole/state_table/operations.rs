//! The operations of the rows of the table.

use super::stage::Staged;
use super::table::Row;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use serde_json::{Value, json};
use tests::{Answer, merged};

const BECAUSE: &str = "Theo đề nghị của đơn vị.";

/// The document of a row and its variables, about a complaint. With a shift of -1 the client knows an older version of
/// what it changes.
pub fn operation(row: &Row, of: &Staged, shift: i32) -> (String, Value) {
    let (mutation, use_of_it) = row.parts();
    if let Some(arguments) = arguments_by_receipt(mutation, use_of_it) {
        let document =
            format!("mutation ($receipt: String!) {{ {mutation}(receipt: $receipt{arguments}) {{ state }} }}");
        return (document, json!({ "receipt": of.receipt }));
    }
    let document = format!(
        "mutation ($input: {}!) {{ {mutation}(input: $input) {{ {} }} }}",
        input_type(mutation),
        selection(mutation)
    );
    (document, json!({ "input": input(mutation, use_of_it, of, shift) }))
}

/// Whether a client of the mutation says which version it knows.
pub fn expects_a_version(row: &Row) -> bool {
    let (mutation, use_of_it) = row.parts();
    let is_merge = mutation.starts_with("merge") || mutation.starts_with("split");
    !is_merge && mutation != "renewReceipt" && arguments_by_receipt(mutation, use_of_it).is_none()
}

/// The code of an answer; None if the operation succeeded.
pub fn code_of(row: &Row, answer: &Answer) -> Option<String> {
    let mut codes = answer.codes();
    codes.dedup();
    if !codes.is_empty() {
        return Some(codes.join(" "));
    }
    // The answer has a result for each complaint.
    let json = answer.json();
    json["data"][row.parts().0]["results"][0]["code"].as_str().map(str::to_owned)
}

/// The arguments of a mutation beside the receipt; None for those that take none.
fn arguments_by_receipt(mutation: &str, use_of_it: &str) -> Option<&'static str> {
    match (mutation, use_of_it) {
        ("confirmSatisfaction", "yes") => Some(", satisfied: true"),
        ("confirmSatisfaction", _) => Some(", satisfied: false"),
        ("reopenByReceipt", _) => Some(", reason: \"Chưa xong.\""),
        ("addToComplaint", _) => Some(", text: \"Gửi thêm.\""),
        ("withdrawByReceipt", _) => Some(", reason: \"Đã ổn.\""),
        _ => None,
    }
}

fn input_type(mutation: &str) -> String {
    match mutation {
        "confirmClassifications" => "[ConfirmClassificationInput!]".into(),
        "extendDeadline" | "suspendClock" | "resumeClock" => "ClockStepInput".into(),
        "proposeCorrection" => "CorrectComplaintInput".into(),
        other => format!("{}{}Input", other[..1].to_uppercase(), &other[1..]),
    }
}

fn selection(mutation: &str) -> &'static str {
    match mutation {
        "confirmClassifications" => "results { code complaint { state version } } position",
        "proposeCorrection" | "decideCorrection" | "withdrawCorrection" => "proposal { state } position",
        "renewReceipt" => "receiptCode",
        "mergeOfficers" | "mergeEnterprises" | "splitOfficer" | "splitEnterprise" => "position",
        _ => "complaint { state version } position",
    }
}

fn input(mutation: &str, use_of_it: &str, of: &Staged, shift: i32) -> Value {
    let version = of.version + shift;
    let complaint = json!({ "complaintId": of.id, "expectedVersion": version });
    let proposal = json!({ "proposalId": of.proposal, "expectedVersion": 1 + shift });
    let answer = json!({ "expectedVersion": version, "action": "EXPLANATION", "text": "Đã giải thích." });
    let with = |more: Value| merged(&complaint, &more);
    match (mutation, use_of_it) {
        ("classifyComplaint", _) => with(json!({ "category": "TD2" })),
        ("confirmClassifications", _) => json!([with(json!({ "category": "TD2" }))]),
        ("assignComplaint", _) => with(json!({ "unit": "02DS" })),
        ("transferComplaint", _) => with(json!({ "unit": "02DS", "reason": BECAUSE })),
        ("transferRedactedComplaint", _) => {
            json!({ "pseudonym": of.pseudonym, "expectedVersion": version, "unit": "02DS", "reason": BECAUSE })
        }
        ("respondToComplaint", _) => with(answer),
        ("respondToRedactedComplaint", _) => merged(&answer, &json!({ "pseudonym": of.pseudonym })),
        ("redactComplaint", _) => with(json!({ "text": "Lược bỏ lần nữa." })),
        ("changeComplaintState", state) => with(json!({ "state": state, "reason": BECAUSE })),
        ("acceptComplaint", _) => complaint,
        ("extendDeadline" | "suspendClock" | "resumeClock" | "unlinkDuplicate", _) => {
            with(json!({ "reason": BECAUSE }))
        }
        ("recordFinding", _) => with(json!({ "finding": "UNFOUNDED", "decidedOn": local_date(Timestamp::now()) })),
        ("correctComplaint" | "proposeCorrection", _) => with(json!({ "costVnd": "777", "reason": BECAUSE })),
        ("decideCorrection", "accept") => merged(&proposal, &json!({ "accept": true })),
        ("decideCorrection", _) => merged(&proposal, &json!({ "accept": false, "reason": BECAUSE })),
        ("withdrawCorrection", _) => proposal,
        ("linkDuplicate", _) => with(json!({ "of": of.original, "reason": BECAUSE })),
        ("mergeOfficers", _) => json!({ "from": of.officer, "into": "CC03", "reason": BECAUSE }),
        ("mergeEnterprises", _) => json!({ "from": of.tax_code, "into": "0100233488", "reason": BECAUSE }),
        ("splitOfficer", "undo") => json!({ "officer": of.officer, "reason": BECAUSE }),
        ("splitOfficer", _) => {
            json!({ "officer": of.officer, "to": "CC03", "complaintIds": [of.id], "reason": BECAUSE })
        }
        ("splitEnterprise", "undo") => json!({ "taxCode": of.tax_code, "reason": BECAUSE }),
        ("splitEnterprise", _) => {
            json!({ "taxCode": of.tax_code, "to": "0100233488", "complaintIds": [of.id], "reason": BECAUSE })
        }
        ("renewReceipt", _) => json!({ "complaintId": of.id }),
        (other, _) => panic!("no input of {other} is written here"),
    }
}
