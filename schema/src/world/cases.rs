//! Turns planned complaints into rows to store: complaints with allegations, texts, responses and findings, in their
//! state on the last day.

use super::chance::SeededRng;
use super::phrases::{Matter, Phrases};
use super::plan::{Planned, World};
use super::timeline::some_second;
use super::units::Category;
use crate::domain::ids::complaint_id;
use crate::domain::legal_clock::Clock;
use crate::enums::{Attribution, CategoryKind, Channel, ComplaintState, Finding, LegalForm, ResponseAction};
use crate::events::{ComplaintEvent, Prepared};
use crate::models::{Complaint, ComplaintOfficer, ComplaintSource, UnitResponse};
use crate::register::complaints::{Case, received};
use crate::register::{ClockInput, responded, rounds_of_history};
use crate::sql_types::{Id, Timestamp};
use chrono::Datelike;
use std::sync::Arc;
use uuid::Uuid;

/// A complaint as it will be stored.
pub struct Generated {
    pub case: Case,
    pub source: ComplaintSource,
    pub responses: Vec<UnitResponse>,
    /// The events of the complaint, in order.
    pub events: Vec<Prepared>,
}

/// Makes the complaints of one world.
pub struct Generator<'w> {
    pub world: &'w World<'w>,
    pub phrases: Phrases,
    /// The original text of each campaign.
    campaigns: Vec<String>,
    /// `demo:SEED`.
    source: String,
    recorded_at: Timestamp,
    actor: String,
    clock: Arc<Clock>,
}

impl<'w> Generator<'w> {
    pub fn new(world: &'w World<'w>, source: &str, recorded_at: Timestamp, actor: &str, clock: Arc<Clock>) -> Self {
        let phrases = Phrases::load();
        let campaigns = (0u64..)
            .zip(&world.people.campaigns)
            .map(|(number, campaign)| {
                let mut chance = SeededRng::new(world.seed, "campaign text", number);
                let person = &world.people.all[campaign.officer];
                let branch = &world.units.branches[person.spans[0].branch];
                let officer = format!("cán bộ {}", person.code);
                let matter = Matter {
                    category: "OBSTRUCTION",
                    declaration: "",
                    day: "vừa qua".to_owned(),
                    officer: &officer,
                    unit: &branch.name,
                };
                // Two texts in one, so that the similarity of the edited copies can be detected.
                let (first, second) = (phrases.plain(&mut chance, &matter), phrases.plain(&mut chance, &matter));
                format!("{first} {second}")
            })
            .collect();
        Self { world, phrases, campaigns, source: source.to_owned(), recorded_at, actor: actor.to_owned(), clock }
    }

    pub fn generate(&self, number: usize, planned: &Planned) -> Generated {
        let world = self.world;
        let mut chance = SeededRng::new(world.seed, "complaint", number as u64);
        let category = &world.categories[usize::from(planned.category)];
        let branch = &world.units.branches[usize::from(planned.branch)];
        let unit_id = planned.team.map_or(branch.id, |team| branch.teams[usize::from(team)]);
        let reference = format!("{number:08}");
        let id = complaint_id(world.timeline.date(planned.day), &self.source, &reference);
        let received_at = world.timeline.moment(planned.day, planned.second);
        let occurred_at = planned.occurred.map(|before| {
            let second = if before == 0 { planned.second.saturating_sub(3600) } else { some_second(&mut chance) };
            world.timeline.moment(planned.day - before, second)
        });
        let course = self.course(&mut chance, planned, category, branch.slowness, branch.late);
        let conduct = category.kind == CategoryKind::Conduct;
        let declaration = chance.is(0.55).then(|| declaration_number(&mut chance));
        let text = self.text(&mut chance, planned, category, &branch.name, declaration.as_deref());
        let costs = chance.is(if conduct { 0.6 } else { 0.45 });
        let delays = chance.is(0.5);
        // The order of draws defines the world of a seed: draw these two before the costs, outside the struct
        // expression.
        let (legal_form, channel) = (legal_form(&mut chance, conduct), channel(&mut chance));
        let complaint = Complaint {
            occurred_at,
            enterprise_id: planned.enterprise.map(|at| world.enterprises.rows[at as usize].id),
            unit_id: Some(unit_id),
            department_id: Some(branch.department),
            branch_id: Some(branch.id),
            team_id: planned.team.map(|team| branch.teams[usize::from(team)]),
            category_id: Some(category.id),
            responsible_unit_id: Some(category.owner.unwrap_or(branch.id)),
            declaration_number: declaration,
            text: Some(text),
            // Whole thousands, as enterprises report costs.
            cost_vnd: costs.then(|| (chance.log_normal(6_000.0, 1.1) as i64) * 1_000),
            delay_hours: delays.then(|| (chance.log_normal(18.0, 1.0) * 2.0).round() / 2.0),
            blames_system: planned.blames_system,
            confidential: conduct && chance.is(0.07),
            state: course.state,
            state_since: course.since,
            ..Complaint::received(id, received_at, self.recorded_at, legal_form, channel)
        };
        let (finding, decided_on) = self.finding(&mut chance, planned, conduct, &course);
        let allegation = |officer: u32, ordinal: i32, category_id: Id| ComplaintOfficer {
            complaint_id: id,
            officer_id: world.people.all[officer as usize].id,
            ordinal,
            category_id: Some(category_id),
            unit_id: Some(unit_id),
            attribution: Attribution::Confirmed,
            finding,
            decided_on,
            source_codes: None,
        };
        let mut officers: Vec<ComplaintOfficer> =
            planned.officers.iter().map(|officer| allegation(*officer, 0, category.id)).collect();
        // Some complaints make two allegations against one officer.
        if conduct && chance.is(0.08) {
            let conduct: Vec<&Category> = world
                .categories
                .iter()
                .filter(|other| other.kind == CategoryKind::Conduct && other.weight > 0.0)
                .collect();
            let second = chance.pick(&conduct).id;
            officers.extend(planned.officers.iter().map(|officer| allegation(*officer, 1, second)));
        }
        officers.sort_by_key(|row| (row.officer_id, row.ordinal));
        let responses: Vec<UnitResponse> = course
            .answers
            .iter()
            .zip(0u8..)
            .map(|(answer, nth)| UnitResponse {
                complaint_id: id,
                id: response_id(id, nth),
                unit_id: if chance.is(0.85) { category.owner.unwrap_or(branch.id) } else { branch.department },
                responded_at: answer.at,
                recorded_at: self.recorded_at,
                action: answer.action,
                text: self.phrases.response(&mut chance, answer.action.as_str()).to_owned(),
                outcome: None,
                satisfied: answer.satisfied,
                statement: None,
                actor: self.actor.clone(),
                visibility: None,
            })
            .collect();
        let answered: Vec<(Timestamp, Option<bool>)> =
            responses.iter().map(|response| (response.responded_at, response.satisfied)).collect();
        let clocks = rounds_of_history(&self.clock, id, ClockInput::of(&complaint), &answered, &[]);
        let mut case = Case { complaint, officers, matters: Vec::new(), clocks };
        case.set_clock(&self.clock, answered.iter().map(|(at, _)| *at));
        let answers = responses.iter().map(|response| responded(response, None));
        let content_hash = "demonstration";
        let events =
            std::iter::once(received(&case, Some(content_hash))).chain(answers).map(ComplaintEvent::prepare).collect();
        Generated {
            case,
            events,
            source: ComplaintSource {
                source: self.source.clone(),
                reference,
                complaint_id: id,
                content_hash: content_hash.to_owned(),
            },
            responses,
        }
    }

    fn text(
        &self,
        chance: &mut SeededRng,
        planned: &Planned,
        category: &Category,
        unit: &str,
        declaration: Option<&str>,
    ) -> String {
        if let Some(campaign) = planned.campaign {
            return self.phrases.lightly_edited(chance, &self.campaigns[campaign as usize]);
        }
        let officer = match planned.officers.first() {
            Some(at) if chance.is(0.5) => format!("cán bộ số hiệu {}", self.world.people.all[*at as usize].code),
            _ => (*chance.pick(&[
                "cán bộ tiếp nhận",
                "anh cán bộ trực",
                "cán bộ kiểm hóa",
                "chị phụ trách",
                "cán bộ ở đó",
            ]))
            .to_owned(),
        };
        let date = self.world.timeline.date(planned.day - planned.occurred.unwrap_or(0));
        let other = declaration_number(chance);
        let matter = Matter {
            category: category.code,
            declaration: declaration.unwrap_or(&other),
            day: format!("{}/{}", date.day(), date.month()),
            officer: &officer,
            unit,
        };
        self.phrases.complaint(chance, &matter)
    }

    /// The course of the complaint until the last day.
    fn course(
        &self,
        chance: &mut SeededRng,
        planned: &Planned,
        category: &Category,
        slowness: f64,
        late: bool,
    ) -> Course {
        let timeline = self.world.timeline;
        let received = timeline.moment(planned.day, planned.second);
        let left = timeline.days - 1 - planned.day;
        let deadline = f64::from(category.deadline);
        // The median of a unit of average speed is 45 % of the deadline.
        let took = chance.log_normal(0.45 * deadline * slowness, 0.6);
        let never = chance.is(if late { 0.12 } else { 0.02 });
        let ends_early = chance.unit();
        let open = |age: i32| match age {
            0..=1 => (ComplaintState::Received, received),
            2 => (ComplaintState::Classified, timeline.moment(planned.day + 1, 10 * 3600)),
            _ => (ComplaintState::Assigned, timeline.moment(planned.day + 2, 10 * 3600)),
        };
        if ends_early < 0.025 && left > 2 {
            let state = if ends_early < 0.015 { ComplaintState::Withdrawn } else { ComplaintState::Rejected };
            return Course { state, since: timeline.moment(planned.day + 2, 9 * 3600), answers: Vec::new() };
        }
        let answered_after = (took as i32).max(if took < 1.0 { 0 } else { 1 });
        if never || answered_after > left {
            let (state, since) = open(left);
            return Course { state, since, answers: Vec::new() };
        }
        let second = if answered_after == 0 { (planned.second + 3_600).min(86_000) } else { some_second(chance) };
        let at = timeline.moment(planned.day + answered_after, second);
        let action = action(chance, category.kind);
        let satisfied = if chance.is(0.6) { Some(chance.is(if late { 0.6 } else { 0.85 })) } else { None };
        let mut answers = vec![Answer { at, action, satisfied }];
        let mut last = planned.day + answered_after;
        if satisfied == Some(false) {
            let again = last + 2 + chance.below(10) as i32;
            if again >= timeline.days {
                return Course { state: ComplaintState::Assigned, since: at, answers };
            }
            last = again;
            let at = timeline.moment(again, some_second(chance));
            answers.push(Answer { at, action: ResponseAction::Correction, satisfied: None });
        }
        let closed = last + 14;
        if closed < timeline.days {
            let since = timeline.moment(closed, 16 * 3600);
            return Course { state: ComplaintState::Closed, since, answers };
        }
        let since = answers.last().map_or(received, |answer| answer.at);
        Course { state: ComplaintState::Answered, since, answers }
    }

    /// Draws the finding about the officer: the same probabilities for every officer, except that complaints about a
    /// planted recurrent officer are sustained more often.
    fn finding(
        &self,
        chance: &mut SeededRng,
        planned: &Planned,
        conduct: bool,
        course: &Course,
    ) -> (Finding, Option<chrono::NaiveDate>) {
        let decided = planned.day + 20 + chance.below(40) as i32;
        let drawn = chance.unit();
        if !conduct || course.answers.is_empty() || decided >= self.world.timeline.days || chance.is(0.2) {
            return (Finding::Pending, None);
        }
        let recurrent = planned.officers.first().is_some_and(|at| {
            let person = &self.world.people.all[*at as usize];
            person.planted && person.ratio_on(planned.day) > 1.0
        });
        let sustained = if recurrent { 0.45 } else { 0.15 };
        let finding = match drawn {
            drawn if drawn < 0.05 => Finding::Unfounded,
            drawn if drawn < 0.08 => Finding::Exonerated,
            drawn if drawn < 0.08 + sustained => Finding::Sustained,
            _ => Finding::NotSustained,
        };
        (finding, Some(self.world.timeline.date(decided)))
    }
}

struct Answer {
    at: Timestamp,
    action: ResponseAction,
    satisfied: Option<bool>,
}

struct Course {
    state: ComplaintState,
    since: Timestamp,
    answers: Vec<Answer>,
}

fn action(chance: &mut SeededRng, kind: CategoryKind) -> ResponseAction {
    use ResponseAction::{Correction, Explanation, Forwarded, Guidance, Measure};
    *match kind {
        CategoryKind::Conduct => chance.pick(&[Explanation, Explanation, Measure, Correction]),
        CategoryKind::Technical => chance.pick(&[Correction, Correction, Forwarded, Guidance]),
        CategoryKind::Proficiency => chance.pick(&[Guidance, Guidance, Explanation, Correction]),
        _ => chance.pick(&[Explanation, Guidance, Correction, Forwarded]),
    }
}

fn legal_form(chance: &mut SeededRng, conduct: bool) -> LegalForm {
    match chance.unit() {
        drawn if conduct && drawn < 0.06 => LegalForm::Denunciation,
        drawn if drawn < 0.16 => LegalForm::Grievance,
        _ => LegalForm::Feedback,
    }
}

fn channel(chance: &mut SeededRng) -> Channel {
    match chance.unit() {
        drawn if drawn < 0.5 => Channel::Portal,
        drawn if drawn < 0.7 => Channel::Hotline,
        drawn if drawn < 0.85 => Channel::Email,
        drawn if drawn < 0.93 => Channel::Letter,
        drawn if drawn < 0.97 => Channel::InPerson,
        _ => Channel::Visit,
    }
}

fn declaration_number(chance: &mut SeededRng) -> String {
    let begins = *chance.pick(&[10usize, 30]);
    format!("{begins}{:010}", chance.below(10_000_000_000))
}

/// The id of the n-th response to a complaint.
fn response_id(complaint: Id, nth: u8) -> Id {
    Id(Uuid::new_v5(&complaint.0, &[nth]))
}
