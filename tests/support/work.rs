//! What the Board and the units do about the causes of complaints, as mutations.

use crate::fixtures;
use crate::{Answer, Client, Database, Json, Program, Server, merged};
use serde_json::{Value, json};

/// What is asked of a guidance document.
pub const DOCUMENT: &str = "document { id version revision state number issuedOn reason unit { code } category { code } \
    opinions { revision verdict text } } position";

/// What is asked of a proposal.
pub const PROPOSAL: &str =
    "proposal { id version state implementedOn categories { code } units { code } effect(days: 40) {
    before { from until days complaints complaintsElsewhere } after { from until days complaints complaintsElsewhere }
    rateRatio { ratio lower upper } rateRatioElsewhere { ratio upper } } }";

/// What is asked of a measure.
pub const MEASURE: &str = "measure { id version kind state ground grounds decisionMaker decidedOn startsOn endsOn \
    endReason liftedOn workingDays explanation explainedOn explanationRefusedOn \
    limits { version workingDays extensionWorkingDays } extension { from decidedOn reason } \
    basis { kind flag { id } complaintIds reason } officer { code } unit { code }
    outcome(days: 30) { before { from until complaints episodes distinctEnterprises } after { days complaints } \
    stopped lastComplaintOn } } position";

/// Sends mutations as a client.
pub trait Mutations {
    /// Sends a mutation with its input; it answers with the fields given.
    fn send(&self, mutation: &str, fields: &str, input: &Value) -> Answer;

    /// The fields of a mutation that must succeed.
    fn done(&self, mutation: &str, fields: &str, input: &Value) -> Value;

    /// Submits a complaint; its receipt. `more` has the other fields of its input, or another text.
    fn submitted(&self, key: &str, more: &Value) -> Value {
        let input = merged(&json!({ "idempotencyKey": key, "text": "Hồ sơ bị trả lại." }), more);
        self.done("submitComplaint", "id reference version position", &input)
    }
}

impl Mutations for Client<'_> {
    fn send(&self, mutation: &str, fields: &str, input: &Value) -> Answer {
        let of = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        let query = format!("mutation ($input: {of}!) {{ {mutation}(input: $input) {{ {fields} }} }}");
        self.request_with(&query, &json!({ "input": input }))
    }

    fn done(&self, mutation: &str, fields: &str, input: &Value) -> Value {
        let answer = self.send(mutation, fields, input).json();
        assert!(answer.get("errors").is_none(), "{mutation}: {answer}");
        answer["data"][mutation].clone()
    }
}

/// The fields of a mutation that must succeed, by the holder of a token.
pub fn done(server: &Server, token: &str, mutation: &str, fields: &str, input: &Value) -> Value {
    Client { server, token: token.to_owned() }.done(mutation, fields, input)
}

/// Fills a database with the small world and two headquarters units.
pub fn with_headquarters(database: &Database) {
    fixtures::fill(database);
    add_headquarters(database);
}

/// Adds two headquarters units to the small world.
pub fn add_headquarters(database: &Database) {
    let units = "ma,ten,cap,cha,nhom,tu,den
HQ1,Cục Giám sát quản lý,HEADQUARTERS_UNIT,TC,,,
HQ2,Cục Thuế XNK,HEADQUARTERS_UNIT,TC,,,
";
    fixtures::import(database, "units", units, fixtures::UNITS_MAP);
}

/// Does everything once that the Board and the units HQ1 and 03TG can do. Returns the ids of what this makes.
pub fn some_of_each(database: &Database, server: &Server) -> Vec<String> {
    let client =
        |role: &str, unit: Option<&str>| Client { server, token: Program::built().token(database, role, unit) };
    let (board, headquarters, branch) =
        (client("BOARD", None), client("UNIT_HEAD", Some("HQ1")), client("UNIT_HEAD", Some("03TG")));
    let draft = json!({ "title": "Hướng dẫn kín", "text": "Dự thảo kín.", "category": "TD1" });
    let document = headquarters.done("requestOpinion", DOCUMENT, &draft)["document"].clone();
    let opinion =
        json!({ "documentId": document["id"], "expectedVersion": 1, "verdict": "NOT_AGREED", "text": "Chưa được." });
    board.done("giveOpinion", DOCUMENT, &opinion);
    let new = json!({ "title": "Tập huấn", "text": "Tập huấn về thái độ.", "categories": ["TD"], "units": ["02"] });
    let proposal = board.done("propose", PROPOSAL, &new)["proposal"].clone();
    for (version, more) in
        [(1, json!({ "state": "ACCEPTED" })), (2, json!({ "state": "IMPLEMENTED", "implementedOn": "2024-02-07" }))]
    {
        let input = merged(&json!({ "proposalId": proposal["id"], "expectedVersion": version }), &more);
        board.done("changeProposalState", PROPOSAL, &input);
    }
    let flags = board.data("{ flags { nodes { id officer { code } } } }")["flags"]["nodes"].clone();
    let flag = flags.list().iter().find(|flag| flag["officer"]["code"] == "CC01").expect("a flag")["id"].clone();
    let measure = json!({
        "officer": "CC01", "kind": "DISCIPLINE", "grounds": "Căn cứ kín.", "decisionMaker": "Cục trưởng",
        "decidedOn": "2024-02-08", "flagId": flag,
    });
    let measure = branch.done("recordMeasure", MEASURE, &measure)["measure"].clone();
    let said = json!({ "flagId": flag, "notifiedOn": "2024-04-02", "explanation": "Giải trình kín." });
    branch.done("recordExplanation", "flag { id }", &said);
    let secret = board.data("{ complaints(filter: {confidential: {eq: true}}) { nodes { id version } } }");
    let secret = secret["complaints"]["nodes"][0].clone();
    let redaction = json!({ "complaintId": secret["id"], "expectedVersion": secret["version"], "text": "Chậm trễ." });
    board.done("redactComplaint", "complaint { id }", &redaction);
    [document, proposal, measure].iter().map(|made| made["id"].text().to_owned()).collect()
}
