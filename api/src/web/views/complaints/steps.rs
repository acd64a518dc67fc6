//! The steps that a reader may take with a complaint in its present state, and their forms.

use super::{categories, code_and_name, options, word};
use crate::web::views::form::{Field, Form, Kind};
use crate::web::{PageError, Visit, text};
use chrono::DateTime;
use chrono_tz::Asia::Ho_Chi_Minh;
use schema::Timestamp;
use schema::domain::calendar::local_date;
use schema::enums::{Attribution, Finding, LegalForm, ResponseAction, ResponseVisibility};
use serde_json::Value;

/// A step: its word in forms, the mutation that takes it, and the key of the words for what was done.
pub struct Step {
    pub name: &'static str,
    pub mutation: &'static str,
    pub document: &'static str,
    pub done: &'static str,
}

macro_rules! step {
    ($name:literal, $mutation:literal, $file:literal) => {
        Step {
            name: $name,
            mutation: $mutation,
            document: include_str!(concat!("../../queries/complaints-do-", $file, ".graphql")),
            done: concat!("done-complaints-", $name),
        }
    };
}

/// All steps, in the order of their forms.
pub const STEPS: &[Step] = &[
    step!("respond", "respondToComplaint", "respond"),
    step!("classify", "classifyComplaint", "classify"),
    step!("assign", "assignComplaint", "assign"),
    step!("transfer", "transferComplaint", "transfer"),
    step!("accept", "acceptComplaint", "accept"),
    step!("extend", "extendDeadline", "extend"),
    step!("suspend", "suspendClock", "suspend"),
    step!("resume", "resumeClock", "resume"),
    step!("finding", "recordFinding", "finding"),
    step!("redact", "redactComplaint", "redact"),
    step!("link", "linkDuplicate", "link"),
    step!("unlink", "unlinkDuplicate", "unlink"),
    step!("close", "changeComplaintState", "state"),
    step!("reopen", "changeComplaintState", "state"),
    step!("reject", "changeComplaintState", "state"),
    step!("withdraw", "changeComplaintState", "state"),
    step!("correct", "correctComplaint", "correct"),
    step!("propose", "proposeCorrection", "propose"),
    step!("attribute", "classifyComplaint", "classify"),
];

/// Begins the names of the fields for the attribution of an officer; the code follows.
pub const ATTRIBUTION: &str = "attribution/";

/// Whether the state of a complaint allows a step to a reader whose role may take it.
fn is_possible(step: &str, complaint: &Value, is_board: bool) -> bool {
    let state = text(&complaint["state"]);
    let waits = ["RECEIVED", "CLASSIFIED", "ASSIGNED"].contains(&state);
    let open = waits || state == "ANSWERED";
    let mut relations = complaint["relation"].as_array().into_iter().flatten();
    // A unit head changes only complaints that its unit, or one below it, has to answer.
    let answers = is_board || relations.any(|relation| relation == "RESPONSIBLE");
    let round = complaint["rounds"].as_array().and_then(|rounds| rounds.last()).unwrap_or(&Value::Null);
    let formal = complaint["legalForm"] != "FEEDBACK";
    let accepted = !formal || round["acceptedOn"].is_string();
    let (stopped, overdue) = (complaint["clockStoppedSince"].is_string(), complaint["overdue"] == true);
    let runs = waits && answers && complaint["dueOn"].is_string() && !overdue;
    let has_officers = complaint["officers"].as_array().is_some_and(|officers| !officers.is_empty());
    let is_original = complaint["duplicates"].as_array().is_some_and(|linked| !linked.is_empty());
    match step {
        "respond" | "classify" | "reject" | "withdraw" => open,
        "attribute" => open && has_officers && complaint["category"].is_object(),
        "assign" => waits && state != "RECEIVED",
        "transfer" => waits && answers,
        "accept" => waits && answers && !accepted,
        "extend" => runs && accepted,
        "suspend" => runs && !stopped,
        "resume" => answers && open && stopped,
        "redact" => complaint["confidential"] == true,
        "link" => complaint["duplicateOf"].is_null() && !is_original,
        "unlink" => complaint["duplicateOf"].is_object(),
        "close" | "reopen" => state == "ANSWERED",
        _ => true,
    }
}

/// The forms of the steps that the reader may take now.
///
/// # Errors
/// The errors of the question for categories.
pub async fn forms(visit: &Visit, complaint: &Value) -> Result<Vec<Form>, PageError> {
    let is_board = visit.may("Complaint", "redactedText");
    let may = |step: &&Step| visit.may("Mutation", step.mutation) && is_possible(step.name, complaint, is_board);
    let names: Vec<&'static str> = STEPS.iter().filter(may).map(|step| step.name).collect();
    let needs_categories = names.iter().any(|name| ["classify", "correct", "propose"].contains(name));
    let categories = if needs_categories { categories(visit).await? } else { Vec::new() };
    let maker = Maker { visit, complaint, categories };
    Ok(names.into_iter().map(|name| maker.form(name)).collect())
}

/// Makes the forms of a complaint.
struct Maker<'v> {
    visit: &'v Visit,
    complaint: &'v Value,
    categories: Vec<(String, String)>,
}

impl Maker<'_> {
    fn form(&self, step: &'static str) -> Form {
        let (title, help) = (format!("complaints-do-{step}"), format!("complaints-do-{step}-help"));
        let version = self.complaint["version"].as_i64().unwrap_or_default();
        let fields = match step {
            "respond" => self.answer(),
            "classify" => vec![self.category().required()],
            "attribute" => self.attributions(),
            "assign" => vec![self.unit("responsibleUnit").help(self.visit.t("complaints-assign-unit-help"))],
            "transfer" => vec![self.field(Kind::Text, "unit").required(), self.reason().required()],
            "accept" => self.acceptance(),
            "finding" => self.finding(),
            "redact" => vec![self.field(Kind::Area, "text").value(text(&self.complaint["redactedText"])).required()],
            "link" => vec![self.original(), self.reason().required()],
            "close" | "withdraw" => vec![self.reason()],
            "correct" | "propose" => self.correction(),
            _ => vec![self.reason().required()],
        };
        Form::new(step, self.visit.t(&title), self.visit.t(&help), version).fields(fields)
    }

    fn field(&self, kind: Kind, name: &str) -> Field {
        Field::new(kind, name, self.visit.t(&format!("complaints-input-{name}")))
    }

    /// A choice among the values of an enum.
    fn choice(&self, name: &str, prefix: &str, values: &[&str]) -> Field {
        let values = options(self.visit, prefix, values).into_iter().map(|(value, words)| (value.to_owned(), words));
        self.field(Kind::Choice, name).options(values)
    }

    fn reason(&self) -> Field {
        self.field(Kind::Area, "reason")
    }

    fn unit(&self, field: &str) -> Field {
        self.field(Kind::Text, "unit").value(text(&self.complaint[field]["code"]))
    }

    fn category(&self) -> Field {
        let present = &self.complaint["category"];
        let mut options = vec![(String::new(), self.visit.t("form-none"))];
        options.extend(self.categories.iter().cloned());
        // A category that has ended is not offered, but may be the present one.
        let code = text(&present["code"]);
        if !options.iter().any(|(value, _)| value == code) {
            options.push((code.to_owned(), code_and_name(self.visit, present)));
        }
        self.field(Kind::Choice, "category").options(options).value(code)
    }

    fn answer(&self) -> Vec<Field> {
        vec![
            self.choice("action", "action", ResponseAction::WORDS).value("EXPLANATION"),
            self.field(Kind::Area, "text").required(),
            self.field(Kind::Text, "outcome"),
            self.choice("visibility", "visibility", ResponseVisibility::WORDS).value("COMPLAINANT"),
        ]
    }

    fn officers(&self) -> impl Iterator<Item = &Value> {
        self.complaint["officers"].as_array().into_iter().flatten()
    }

    /// The officers whom the complaint names, each once.
    fn named_officers(&self) -> Vec<(String, String)> {
        let mut named: Vec<(String, String)> = Vec::new();
        for officer in self.officers().map(|row| &row["officer"]) {
            let code = text(&officer["code"]).to_owned();
            if !named.iter().any(|(known, _)| *known == code) {
                let words = format!("{code} · {}", text(&officer["name"]));
                named.push((code, words.trim_end_matches(" · ").to_owned()));
            }
        }
        named
    }

    fn attributions(&self) -> Vec<Field> {
        let fields = self.named_officers().into_iter().map(|(code, words)| {
            let of = |row: &&Value| row["officer"]["code"] == code.as_str();
            let present = self.officers().find(of).map(|row| text(&row["attribution"])).unwrap_or_default();
            let values = options(self.visit, "attribution", Attribution::WORDS);
            let values = values.into_iter().map(|(value, words)| (value.to_owned(), words));
            Field::new(Kind::Choice, format!("{ATTRIBUTION}{code}"), words).options(values).value(present)
        });
        fields.collect()
    }

    fn acceptance(&self) -> Vec<Field> {
        vec![
            self.field(Kind::Date, "acceptedOn").value(local_date(Timestamp::now()).to_string()),
            self.yes_or_no("remoteArea", false),
            self.reason(),
        ]
    }

    fn yes_or_no(&self, name: &str, value: bool) -> Field {
        let both = [("false", "form-no"), ("true", "form-yes")].map(|(word, key)| (word.to_owned(), self.visit.t(key)));
        self.field(Kind::Choice, name).options(both).value(value.to_string())
    }

    fn finding(&self) -> Vec<Field> {
        let named = self.named_officers();
        let officer = self.field(Kind::Choice, "officer").options(named.clone()).required();
        let officer = Some(officer).filter(|_| !named.is_empty());
        let rest = [
            self.choice("finding", "finding", Finding::WORDS).value("SUSTAINED").required(),
            self.field(Kind::Date, "decidedOn").value(local_date(Timestamp::now()).to_string()).required(),
        ];
        officer.into_iter().chain(rest).collect()
    }

    /// The other complaint: probable ones are offered in the table of the page, by their references.
    fn original(&self) -> Field {
        let probable = &self.complaint["possibleDuplicates"][0]["complaint"]["reference"];
        let help = self.visit.t("complaints-link-of-help");
        self.field(Kind::Text, "of").value(text(probable)).help(help).required()
    }

    fn correction(&self) -> Vec<Field> {
        let of = |name: &str| self.complaint[name].clone();
        let shown = |value: &Value| value.as_str().map_or_else(|| number(value), str::to_owned);
        let none = self.visit.t("form-none");
        let named = || std::iter::once((String::new(), none.clone())).chain(self.named_officers());
        let mut fields = vec![
            self.reason().required(),
            self.category(),
            self.unit("unit"),
            self.field(Kind::Text, "taxCode").value(text(&self.complaint["enterprise"]["taxCode"])),
            self.field(Kind::Text, "enterpriseName").help(self.visit.t("complaints-enterprise-name-help")),
            self.field(Kind::Moment, "occurredAt").value(local(text(&of("occurredAt")))),
            self.field(Kind::Number, "costVnd").value(shown(&of("costVnd"))),
            self.field(Kind::Number, "delayHours").value(shown(&of("delayHours"))),
            self.field(Kind::Text, "declarationNumber").value(shown(&of("declarationNumber"))),
            self.choice("legalForm", "form", LegalForm::WORDS).value(shown(&of("legalForm"))),
            self.yes_or_no("blamesSystem", of("blamesSystem") == true),
            self.yes_or_no("confidential", of("confidential") == true),
        ];
        if !self.named_officers().is_empty() {
            fields.push(self.field(Kind::Choice, "replaceFrom").options(named()));
            fields.push(self.field(Kind::Text, "replaceTo"));
            fields.push(self.field(Kind::Choice, "removeOfficer").options(named()));
        }
        fields.push(self.field(Kind::Text, "addOfficer"));
        fields.push(self.choice("addAttribution", "attribution", Attribution::WORDS).value("ASSERTED"));
        fields
    }
}

/// A number as a field of a form holds it; empty for null.
fn number(value: &Value) -> String {
    value.as_f64().map(|number| number.to_string()).unwrap_or_default()
}

/// A moment in Vietnam as a field of a form holds it; empty for a text that is none.
fn local(moment: &str) -> String {
    let moment = DateTime::parse_from_rfc3339(moment).ok();
    moment.map(|at| at.with_timezone(&Ho_Chi_Minh).format("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default()
}

/// Relation of the complaint to the unit of a head; empty for other roles.
pub fn relation(visit: &Visit, complaint: &Value) -> String {
    let all = complaint["relation"].as_array().into_iter().flatten();
    all.map(|relation| word(visit, "relation", relation)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_state_and_the_unit_decide_what_is_possible() {
        let complaint = |state: &str, relation: Value| {
            json!({
                "state": state, "relation": relation, "legalForm": "FEEDBACK", "dueOn": "2024-02-01", "overdue": false,
                "clockStoppedSince": null, "confidential": false, "duplicateOf": null, "duplicates": [],
                "rounds": [{ "acceptedOn": null }], "officers": [],
            })
        };
        let received = complaint("RECEIVED", json!(["ABOUT"]));
        let possible = |complaint: &Value, is_board: bool| -> Vec<&str> {
            STEPS.iter().map(|step| step.name).filter(|name| is_possible(name, complaint, is_board)).collect()
        };
        let of_board = possible(&received, true);
        assert!(of_board.contains(&"classify") && of_board.contains(&"transfer") && !of_board.contains(&"assign"));
        let of_head = possible(&received, false);
        assert!(of_head.contains(&"respond") && !of_head.contains(&"transfer"), "the unit is only complained about");
        let answered = possible(&complaint("ANSWERED", Value::Null), true);
        assert!(answered.contains(&"close") && answered.contains(&"reopen") && !answered.contains(&"assign"));
        let closed = possible(&complaint("CLOSED", Value::Null), true);
        assert!(closed.contains(&"correct") && !closed.contains(&"reject") && !closed.contains(&"accept"));
    }

    #[test]
    fn moments_are_shown_in_vietnam() {
        assert_eq!(local("2024-01-05T01:30:00+00:00"), "2024-01-05T08:30");
        assert_eq!(local(""), "");
    }
}
