//! Enterprises with valid tax codes. Some have a common owner; each has a home branch.

use super::chance::{SeededRng, Weights};
use super::units::Units;
use crate::domain::ids::reference_id;
use crate::domain::tax_code::check_digit;
use crate::events::Entity;
use crate::models::Enterprise;

/// All enterprises, and those that deal with each branch.
pub struct Enterprises {
    pub rows: Vec<Enterprise>,
    /// Indexes into `rows` for each branch, and the weight of each enterprise there.
    pools: Vec<(Vec<u32>, Weights)>,
}

const WORDS: [&str; 24] = [
    "An Phát",
    "Bình Minh",
    "Cửu Long",
    "Đại Dương",
    "Đông Á",
    "Gia Hưng",
    "Hải Âu",
    "Hoa Sen",
    "Hòa Bình",
    "Hồng Hà",
    "Kim Long",
    "Lạc Việt",
    "Minh Quang",
    "Nam Á",
    "Phú Thịnh",
    "Phương Nam",
    "Quang Trung",
    "Sao Mai",
    "Tân Tiến",
    "Thái Bình",
    "Thành Công",
    "Tràng An",
    "Trường Sơn",
    "Việt Tiến",
];
const TRADES: [&str; 12] = [
    "Dệt may",
    "Điện tử",
    "Thủy sản",
    "Nông sản",
    "Cơ khí",
    "Bao bì",
    "Logistics",
    "Thương mại",
    "Xuất nhập khẩu",
    "Gỗ",
    "Hóa chất",
    "Da giày",
];
const FORMS: [&str; 4] = ["Công ty TNHH", "Công ty Cổ phần", "Công ty TNHH MTV", "DNTN"];

/// A branch with fewer enterprises also deals with those of its whole department.
const FEWEST: usize = 12;

pub fn enterprises(seed: u64, complaints: usize, units: &Units) -> Enterprises {
    let count = (complaints / 5).max(40);
    let mut rows = Vec::with_capacity(count);
    let mut homes: Vec<Vec<u32>> = units.branches.iter().map(|_| Vec::new()).collect();
    let mut group_left = 0;
    let mut group = 0;
    let mut serial = 0u64;
    while rows.len() < count {
        let index = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let mut chance = SeededRng::new(seed, "enterprise", u64::from(index));
        let home = units.by_weight.pick(&mut chance);
        let tax_code = if chance.is(0.03) {
            // A household business: a 12-digit personal number without check digit.
            format!("{:03}{:09}", chance.below(96), serial_number(&mut serial) % 1_000_000_000)
        } else {
            let head = format!("{:0>2}", units.department_codes[units.branches[home].of]);
            let main = loop {
                let nine = format!("{head}{:07}", serial_number(&mut serial) % 10_000_000);
                if let Some(check) = check_digit(&nine) {
                    break format!("{nine}{check}");
                }
            };
            if chance.is(0.1) { format!("{main}-{:03}", 1 + chance.below(9)) } else { main }
        };
        // The enterprises of one owner follow each other.
        if group_left == 0 && chance.is(0.03) {
            group += 1;
            group_left = 2 + chance.below(4);
        }
        let group_code = (group_left > 0).then(|| format!("NHOM-{group:05}"));
        group_left = group_left.saturating_sub(1);
        let name = format!(
            "{} {} {} {} (minh họa)",
            chance.pick(&FORMS),
            chance.pick(&TRADES),
            chance.pick(&WORDS),
            index + 1
        );
        homes[home].push(index);
        rows.push(Enterprise {
            id: reference_id(Entity::Enterprise, &tax_code),
            tax_code,
            name: Some(name),
            group_code,
        });
    }
    let pools = (0..units.branches.len()).map(|at| pool(units, &homes, at, count)).collect();
    Enterprises { rows, pools }
}

/// Distinct numbers that are not consecutive: the step is coprime to powers of ten.
fn serial_number(serial: &mut u64) -> u64 {
    *serial += 1;
    *serial * 7_368_787
}

fn pool(units: &Units, homes: &[Vec<u32>], branch: usize, count: usize) -> (Vec<u32>, Weights) {
    let mut pool = homes[branch].clone();
    if pool.len() < FEWEST {
        let of = units.branches[branch].of;
        let near = (0..homes.len()).filter(|at| *at != branch && units.branches[*at].of == of);
        pool.extend(near.flat_map(|at| &homes[at]));
    }
    if pool.len() < FEWEST {
        pool.extend(0..u32::try_from(count.min(40)).unwrap_or(0));
        pool.sort_unstable();
        pool.dedup();
    }
    let weights = Weights::new((0..pool.len()).map(|rank| 1.0 / (rank as f64 + 3.0)));
    (pool, weights)
}

impl Enterprises {
    /// Draws an enterprise that complains about a branch, as an index into `rows`.
    pub fn of_branch(&self, chance: &mut SeededRng, branch: usize) -> u32 {
        if chance.is(0.15) {
            return u32::try_from(chance.below(self.rows.len())).unwrap_or(0);
        }
        let (pool, weights) = &self.pools[branch];
        pool[weights.pick(chance)]
    }

    /// Draws enterprises of different owners: `many`, or fewer if there are not enough.
    pub fn several(&self, chance: &mut SeededRng, branch: usize, many: usize) -> Vec<u32> {
        let mut chosen: Vec<u32> = Vec::with_capacity(many);
        let mut owners = std::collections::BTreeSet::new();
        for attempt in 0..many * 50 {
            if chosen.len() == many {
                break;
            }
            let one = if attempt < many * 10 {
                self.of_branch(chance, branch)
            } else {
                u32::try_from(chance.below(self.rows.len())).unwrap_or(0)
            };
            let row = &self.rows[one as usize];
            let owner = row.group_code.clone().unwrap_or_else(|| row.tax_code.clone());
            if owners.insert(owner) {
                chosen.push(one);
            }
        }
        chosen
    }
}
