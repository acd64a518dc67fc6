//! Complaints that probably say the same: of one enterprise, about one unit, received within some days, in nearly the
//! same words. A person decides whether they do ([`schema::register::link_duplicate`]).

use crate::facts::minhash::{TextSketch, normalised};
use chrono::TimeDelta;
use schema::queries::{Alike, Pred, alike_of, of_enterprises, originals_of, texts_of};
use schema::tables::complaints;
use schema::{Conn, Id, StoreError, Timestamp};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// The least similarity of texts in nearly the same words. Campaigns take less (`similarity` in docs/rules.toml): in
/// them several enterprises write alike.
const SIMILARITY: f64 = 0.8;
/// Shorter texts (in characters, normalised) are compared word for word: their sketches say little.
const CHARACTERS: usize = 60;

/// Two complaints that probably say the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbableDuplicate {
    pub complaint: Id,
    /// The one received before it.
    pub of: Id,
    /// The estimated Jaccard similarity of the texts, from 0 to 1.
    pub similarity: f64,
}

/// A text made ready for comparison.
struct Compared {
    normalised: String,
    sketch: TextSketch,
}

impl Compared {
    fn of(text: &str) -> Option<Self> {
        let normalised = normalised(text);
        (!normalised.is_empty()).then(|| Self { sketch: TextSketch::of(text), normalised })
    }

    /// The similarity of two texts in nearly the same words; None for others.
    fn similarity(&self, other: &Self) -> Option<f64> {
        if self.normalised == other.normalised {
            return Some(1.0);
        }
        if self.sketch.length < CHARACTERS || other.sketch.length < CHARACTERS {
            return None;
        }
        Some(self.sketch.similarity(&other.sketch)).filter(|similarity| *similarity >= SIMILARITY)
    }
}

/// The complaints of one enterprise about one unit, where there are several: only their texts need to be compared. Each
/// group is ordered by time of receipt, then by id.
pub fn groups(complaints: &[Alike]) -> Vec<Vec<Alike>> {
    let mut groups: HashMap<(Id, Option<Id>), Vec<Alike>> = HashMap::new();
    for complaint in complaints {
        groups.entry((complaint.enterprise_id, complaint.unit_id)).or_default().push(*complaint);
    }
    let mut groups: Vec<Vec<Alike>> = groups.into_values().filter(|group| group.len() > 1).collect();
    groups.iter_mut().for_each(|group| group.sort_by_key(|one| (one.received_at, one.id)));
    groups
}

/// The pairs among [`groups`] that were received within `days` days and probably say the same: the latest first.
pub fn probable_duplicates(groups: &[Vec<Alike>], texts: &HashMap<Id, String>, days: u32) -> Vec<ProbableDuplicate> {
    let within = TimeDelta::days(i64::from(days));
    let is_within = |one: Timestamp, later: Timestamp| later.utc() - one.utc() <= within;
    let mut found = Vec::new();
    for group in groups {
        let compared: Vec<Option<Compared>> =
            group.iter().map(|one| texts.get(&one.id).and_then(|text| Compared::of(text))).collect();
        for (at, (later, text)) in group.iter().zip(&compared).enumerate() {
            let Some(text) = text else { continue };
            for (earlier, other) in group[..at].iter().zip(&compared) {
                if !is_within(earlier.received_at, later.received_at) {
                    continue;
                }
                if let Some(similarity) = other.as_ref().and_then(|other| text.similarity(other)) {
                    let pair = ProbableDuplicate { complaint: later.id, of: earlier.id, similarity };
                    found.push((later.received_at, pair));
                }
            }
        }
    }
    found.sort_by_key(|(at, pair)| Reverse((*at, pair.complaint, pair.of)));
    found.into_iter().map(|(_, pair)| pair).collect()
}

/// The pairs of which one is among some complaints, and both meet a condition, which is built again for each statement.
/// Complaints that are linked already are not a pair.
///
/// # Errors
/// When the database fails.
pub fn duplicates_of_some(
    conn: &mut Conn,
    ids: &[Id],
    days: u32,
    condition: impl Fn() -> Option<Pred<complaints::table>>,
) -> Result<Vec<ProbableDuplicate>, StoreError> {
    let own = alike_of(conn, ids)?;
    let (Some(first), Some(last)) =
        (own.iter().map(|one| one.received_at).min(), own.iter().map(|one| one.received_at).max())
    else {
        return Ok(Vec::new());
    };
    let mut enterprises: Vec<Id> = own.iter().map(|one| one.enterprise_id).collect();
    enterprises.sort_unstable();
    enterprises.dedup();
    // The end is not within the period.
    let period = (moved(first, -i64::from(days)), moved(last, i64::from(days) + 1));
    let mut groups = groups(&of_enterprises(conn, Some(&enterprises), period, condition)?);
    let own: HashSet<Id> = own.into_iter().map(|one| one.id).collect();
    groups.retain(|group| group.iter().any(|one| own.contains(&one.id)));
    let mut pairs = compared(conn, &groups, days)?;
    pairs.retain(|pair| own.contains(&pair.complaint) || own.contains(&pair.of));
    Ok(pairs)
}

/// The pairs whose later complaint was received at `since` or later, and of which both meet a condition. Complaints
/// that are linked already are not a pair.
///
/// # Errors
/// When the database fails.
pub fn duplicates_since(
    conn: &mut Conn,
    since: Timestamp,
    days: u32,
    condition: impl Fn() -> Option<Pred<complaints::table>>,
) -> Result<Vec<ProbableDuplicate>, StoreError> {
    // Complaints are received up to tomorrow.
    let period = (moved(since, -i64::from(days)), moved(Timestamp::now(), 2));
    let all = of_enterprises(conn, None, period, condition)?;
    let late: HashSet<Id> = all.iter().filter(|one| one.received_at >= since).map(|one| one.id).collect();
    let mut groups = groups(&all);
    groups.retain(|group| group.iter().any(|one| late.contains(&one.id)));
    let mut pairs = compared(conn, &groups, days)?;
    pairs.retain(|pair| late.contains(&pair.complaint));
    Ok(pairs)
}

/// Reads the texts of groups and compares them.
fn compared(conn: &mut Conn, groups: &[Vec<Alike>], days: u32) -> Result<Vec<ProbableDuplicate>, StoreError> {
    let ids: Vec<Id> = groups.iter().flatten().map(|one| one.id).collect();
    let mut pairs = probable_duplicates(groups, &texts_of(conn, &ids)?, days);
    let of_pairs: Vec<Id> = pairs.iter().flat_map(|pair| [pair.complaint, pair.of]).collect();
    let originals = originals_of(conn, &of_pairs)?;
    let counts_as = |id: Id| originals.get(&id).copied().unwrap_or(id);
    pairs.retain(|pair| counts_as(pair.complaint) != counts_as(pair.of));
    Ok(pairs)
}

fn moved(time: Timestamp, days: i64) -> Timestamp {
    (time.utc() + TimeDelta::days(days)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const LONG: &str = "Cán bộ hải quan cố tình kéo dài việc kiểm tra hồ sơ của doanh nghiệp chúng tôi, hàng hư hỏng";

    fn id(number: u128) -> Id {
        Id(Uuid::from_u128(number))
    }

    fn alike(number: u128, enterprise: u128, unit: Option<u128>, day: i64) -> Alike {
        let received_at = Timestamp::from_micros(day * 86_400_000_000).expect("a time");
        Alike { id: id(number), enterprise_id: id(enterprise), unit_id: unit.map(id), received_at }
    }

    fn pairs(complaints: &[Alike], texts: &[(u128, &str)]) -> Vec<(Id, Id)> {
        let texts = texts.iter().map(|(number, text)| (id(*number), (*text).to_owned())).collect();
        let found = probable_duplicates(&groups(complaints), &texts, 90);
        found.into_iter().map(|pair| (pair.complaint, pair.of)).collect()
    }

    #[test]
    fn nearly_the_same_words_of_one_enterprise_about_one_unit_are_a_pair() {
        let edited = LONG.replace("kéo dài việc", "kéo dài mãi việc");
        let plain = "can bo hai quan co tinh keo dai viec kiem tra ho so cua doanh nghiep chung toi hang hu hong";
        let other = "Hệ thống báo lỗi khi gửi tờ khai, chúng tôi gọi tổng đài nhiều lần mà không ai trả lời cả";
        let complaints = [
            alike(1, 100, Some(200), 0),
            alike(2, 100, Some(200), 1),
            alike(3, 100, Some(200), 2),
            alike(4, 100, Some(200), 3),
        ];
        let texts = [(1, LONG), (2, edited.as_str()), (3, plain), (4, other)];
        assert_eq!(pairs(&complaints, &texts), [(id(3), id(2)), (id(3), id(1)), (id(2), id(1))]);
    }

    #[test]
    fn another_enterprise_or_unit_or_time_is_no_pair() {
        for other in [alike(2, 101, Some(200), 1), alike(2, 100, Some(201), 1), alike(2, 100, None, 1)] {
            let both = [alike(1, 100, Some(200), 0), other];
            assert_eq!(pairs(&both, &[(1, LONG), (2, LONG)]).len(), 0);
        }
        let first = alike(1, 100, Some(200), 0);
        assert_eq!(pairs(&[first, alike(2, 100, Some(200), 90)], &[(1, LONG), (2, LONG)]).len(), 1);
        assert_eq!(pairs(&[first, alike(2, 100, Some(200), 91)], &[(1, LONG), (2, LONG)]).len(), 0);
        assert_eq!(pairs(&[alike(1, 100, None, 0), alike(2, 100, None, 1)], &[(1, LONG), (2, LONG)]).len(), 1);
    }

    #[test]
    fn short_texts_have_to_be_the_same() {
        let both = [alike(1, 100, Some(200), 0), alike(2, 100, Some(200), 0)];
        assert_eq!(pairs(&both, &[(1, "Chậm trả lời!"), (2, "cham  tra loi")]).len(), 1);
        assert_eq!(pairs(&both, &[(1, "Chậm trả lời"), (2, "Chậm trả lời tôi")]).len(), 0);
        assert_eq!(pairs(&both, &[(1, "…"), (2, "…")]).len(), 0, "nothing is said");
        assert_eq!(pairs(&both, &[(1, LONG)]).len(), 0);
    }
}
