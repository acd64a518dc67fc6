//! The table `recurrence_complaints`: what recurrence knows of complaints beyond the other tables, which have no texts,
//! and no tree of units as of earlier days.

use super::columns::{Day, Text, Whole, declare_table};
use super::names::{Context, Emit};
use super::piece_rows::complaint;
use crate::JobError;
use crate::analyses::recurrence::{Rules, rows_with_campaigns};
use crate::facts::days::day_of;
use crate::facts::frames::{TEXT_DAYS, frames};
use crate::facts::{Changes, Facts};
use chrono::Days;
use schema::enums::{PeerGroup, SubjectKind};
use schema::{Conn, Id};
use std::borrow::Cow;
use std::collections::HashMap;

declare_table! {
    "recurrence_complaints": "Complaints about conduct of the last 455 days as recurrence counts them on the day of the data, one row for each officer whom one names. Complaints that do not count are left out."
    {
        complaint: Text = "Pseudonym of the complaint.",
        officer: Text = "Pseudonym of the officer.",
        received_on: Day = "Day of receipt, in Vietnam's time.",
        place: Whole = "Orders complaints of one day as recurrence does where it forms episodes.",
        peer_group: Text = "Peer group of the branch that the allegation is about, on the day on which it occurred; NONE without one.",
        campaign: Option<Text> = "Pseudonym of one complaint of the campaign: near-identical texts about the officer from several enterprises. Null outside campaigns.",
    }
    month_of: "received_on"
}

/// The peer group of a branch that has none.
pub(super) const NO_PEER_GROUP: &str = "NONE";

/// The word of the number that frames have of a peer group.
pub(super) fn peer_group(number: i32) -> &'static str {
    let at = usize::try_from(number).ok();
    at.and_then(|at| PeerGroup::WORDS.get(at).copied()).unwrap_or(NO_PEER_GROUP)
}

/// A row as it is sorted.
type Found<'a> = (i32, Cow<'a, str>, u32, String, &'static str, Option<String>);

/// The rows, by day and pseudonym of the officer.
///
/// # Errors
/// When the database fails, or a computation does.
pub(super) fn make(of: &Context<'_>, conn: &mut Conn, emit: &mut Emit<'_>) -> Result<(), JobError> {
    let since = of.day - Days::new(TEXT_DAYS.unsigned_abs().into());
    let mut facts = Facts::load_since(conn, since)?;
    facts.load_texts(conn, since, of.day, &Changes::default())?;
    if let Some(officer) = of.reader.officer {
        facts.remove_naming(officer);
    }
    let frames = frames(&facts, of.day)?;
    let counted = rows_with_campaigns(&frames, SubjectKind::Officer, &Rules::default())?;
    let (subjects, complaints) = (counted.column("subject")?.u32()?, counted.column("complaint")?.u32()?);
    let (days, groups) = (counted.column("day")?.i32()?, counted.column("group")?.i32()?);
    let campaigns = counted.column("campaign")?.u32()?;
    // A campaign is named by the first of its complaints.
    let mut first: HashMap<(u32, u32), u32> = HashMap::new();
    for ((subject, place), campaign) in subjects.iter().zip(complaints.iter()).zip(campaigns.iter()) {
        if let (Some(subject), Some(place), Some(campaign)) = (subject, place, campaign) {
            let earliest = first.entry((subject, campaign)).or_insert(place);
            *earliest = place.min(*earliest);
        }
    }
    let id_of = |place: u32| -> Option<Id> { frames.complaints.get(place as usize).copied() };
    let mut found: Vec<Found<'_>> = Vec::with_capacity(counted.height());
    let columns = subjects.iter().zip(complaints.iter()).zip(days.iter().zip(groups.iter())).zip(campaigns.iter());
    for (((subject, place), (day, group)), campaign) in columns {
        let (Some(subject), Some(place), Some(day)) = (subject, place, day) else { continue };
        let Some(officer) = frames.officers.get(subject as usize) else { continue };
        let name = |place: u32| id_of(place).map_or(Ok(None), |id| complaint(of, id));
        // A complaint that is newer than the snapshot comes with the next one.
        let Some(own) = name(place)? else { continue };
        let campaign = campaign.and_then(|campaign| first.get(&(subject, campaign)).copied());
        let campaign = campaign.map(name).transpose()?.flatten();
        let group = peer_group(group.unwrap_or(-1));
        found.push((day, of.officer(officer.id), place, own, group, campaign));
    }
    found.sort_unstable();
    let mut rows = Rows::new(found.len());
    for (day, officer, place, complaint, peer_group, campaign) in &found {
        rows.push(Row {
            complaint,
            officer,
            received_on: day_of(*day),
            place: i64::from(*place),
            peer_group,
            campaign: campaign.as_deref(),
        });
    }
    emit(rows.finish()?)
}
