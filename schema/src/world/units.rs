//! The units of the world with their tree, and the issue categories.

use super::chance::{SeededRng, Weights};
use crate::domain::ids::reference_id;
use crate::enums::{CategoryKind, PeerGroup, UnitKind};
use crate::events::Entity;
use crate::models::{IssueCategory, Unit, UnitParent};
use crate::sql_types::Id;
use chrono::NaiveDate;
use serde::Deserialize;

/// The code of the General Department.
pub const GENERAL_DEPARTMENT: &str = "TCHQ";

#[derive(Deserialize)]
struct Places {
    departments: Vec<Department>,
    headquarters: Vec<Headquarters>,
}

#[derive(Deserialize)]
struct Department {
    code: String,
    name: String,
    en: String,
    weight: f64,
    seaport: usize,
    airport: usize,
    land_border: usize,
    inland: usize,
    other: usize,
}

#[derive(Deserialize)]
struct Headquarters {
    code: String,
    name: String,
    en: String,
    field: String,
}

/// A branch with its hidden parameters.
pub struct Branch {
    pub id: Id,
    pub code: String,
    /// The name that complaints use.
    pub name: String,
    pub department: Id,
    /// The index of its department.
    pub of: usize,
    pub teams: Vec<Id>,
    pub weight: f64,
    /// The time it takes to respond, relative to an average branch.
    pub slowness: f64,
    pub blames_system: bool,
    pub late: bool,
    /// The rate of complaints about its officers, relative to an average branch.
    pub ratio: f64,
}

/// All units.
pub struct Units {
    pub rows: Vec<Unit>,
    pub parents: Vec<UnitParent>,
    pub departments: Vec<Id>,
    pub department_codes: Vec<String>,
    pub branches: Vec<Branch>,
    /// Draws branches by their share of the work.
    pub by_weight: Weights,
}

/// Makes the units as of the first day of the world.
pub fn units(seed: u64, since: NaiveDate) -> Units {
    // Part of the binary, parsed in a test.
    let places: Places = toml::from_str(include_str!("places.toml")).expect("places.toml matches the struct Places");
    let top = unit(GENERAL_DEPARTMENT, "Tổng cục Hải quan", "General Department", UnitKind::GeneralDepartment, since);
    let mut units = Units {
        rows: Vec::new(),
        parents: Vec::new(),
        departments: Vec::new(),
        department_codes: Vec::new(),
        branches: Vec::new(),
        by_weight: Weights::new([]),
    };
    for place in &places.headquarters {
        let mut row = unit(&place.code, &place.name, &place.en, UnitKind::HeadquartersUnit, since);
        row.field = Some(place.field.clone());
        units.parents.push(parent(row.id, top.id, since));
        units.rows.push(row);
    }
    for (of, place) in places.departments.iter().enumerate() {
        let name = format!("Cục Hải quan {}", place.name);
        let row = unit(&place.code, &name, &format!("Customs of {}", place.en), UnitKind::ProvincialDepartment, since);
        units.parents.push(parent(row.id, top.id, since));
        units.departments.push(row.id);
        units.department_codes.push(place.code.clone());
        let department = row.id;
        units.rows.push(row);
        add_branches(&mut units, seed, of, department, place, since);
    }
    units.rows.insert(0, top);
    units.by_weight = Weights::new(units.branches.iter().map(|branch| branch.weight));
    units
}

fn add_branches(units: &mut Units, seed: u64, of: usize, department: Id, place: &Department, since: NaiveDate) {
    let groups = [
        (PeerGroup::Seaport, "cửa khẩu cảng", "port", place.seaport),
        (PeerGroup::Airport, "cửa khẩu sân bay", "airport", place.airport),
        (PeerGroup::LandBorder, "cửa khẩu", "border gate", place.land_border),
        (PeerGroup::Inland, "khu công nghiệp", "industrial zone", place.inland),
        (PeerGroup::Other, "chuyển phát nhanh", "express", place.other),
    ];
    let mut chance = SeededRng::new(seed, "branches", of as u64);
    let count: usize = groups.iter().map(|group| group.3).sum();
    let mut number = 0;
    for (group, vi, en, many) in groups {
        for nth in 1..=many {
            let code = format!("{}{}", place.code, letters(number));
            number += 1;
            let name = format!("Chi cục Hải quan {vi} số {nth} - {} (minh họa)", place.name);
            let english = format!("{} {en} {nth} (demonstration)", place.en);
            let mut row = unit(&code, &name, &english, UnitKind::Branch, since);
            row.peer_group = Some(group);
            let id = row.id;
            units.parents.push(parent(id, department, since));
            units.rows.push(row);
            let mut teams = Vec::new();
            for (team, (vi, en)) in (1..=2 + chance.below(2)).zip(TEAMS) {
                let row = unit(
                    &format!("{code}{team}"),
                    &format!("{vi} - {code} (minh họa)"),
                    &format!("{en}, {code} (demonstration)"),
                    UnitKind::Team,
                    since,
                );
                units.parents.push(parent(row.id, id, since));
                teams.push(row.id);
                units.rows.push(row);
            }
            units.branches.push(Branch {
                id,
                name: format!("Chi cục {code}"),
                code,
                department,
                of,
                teams,
                weight: place.weight / count as f64 * chance.between(0.5, 1.5),
                slowness: chance.between(0.5, 1.5),
                blames_system: false,
                late: false,
                ratio: 1.0,
            });
        }
    }
}

const TEAMS: [(&str, &str); 3] = [
    ("Đội Thủ tục hàng hóa xuất nhập khẩu", "Clearance team"),
    ("Đội Giám sát", "Supervision team"),
    ("Đội Quản lý thuế", "Duty team"),
];

/// The letters of a branch's code within its department: AA, AB, …
fn letters(number: usize) -> String {
    let letter = |n: usize| char::from(b'A' + u8::try_from(n % 26).unwrap_or(0));
    [letter(number / 26), letter(number)].into_iter().collect()
}

fn unit(code: &str, name_vi: &str, name_en: &str, kind: UnitKind, since: NaiveDate) -> Unit {
    Unit {
        id: reference_id(Entity::Unit, code),
        code: code.to_owned(),
        name_vi: name_vi.to_owned(),
        name_en: Some(name_en.to_owned()),
        kind,
        peer_group: None,
        field: None,
        valid_from: since,
        valid_to: None,
        unknown: false,
        successor_id: None,
    }
}

fn parent(unit_id: Id, parent_id: Id, since: NaiveDate) -> UnitParent {
    UnitParent { unit_id, valid_from: since, valid_to: None, parent_id }
}

/// A leaf category of complaints.
pub struct Category {
    pub id: Id,
    pub code: &'static str,
    pub kind: CategoryKind,
    pub deadline: i32,
    /// The headquarters unit that answers complaints of the category; None for the branch.
    pub owner: Option<Id>,
    /// The relative frequency, among conduct categories or among all others.
    pub weight: f64,
}

struct Kind {
    kind: CategoryKind,
    vi: &'static str,
    en: &'static str,
    deadline: i32,
    /// None for what the officers of a branch do themselves: its head answers for it.
    owner: Option<&'static str>,
    leaves: &'static [(&'static str, &'static str, &'static str, f64)],
}

const KINDS: [Kind; 5] = [
    Kind {
        kind: CategoryKind::Proficiency,
        vi: "Hệ thống mới, chưa thành thạo",
        en: "New system",
        deadline: 5,
        owner: Some("CNTT"),
        leaves: &[
            ("PRO-DECL", "Khai báo trên hệ thống", "Declaring in the system", 7.0),
            ("PRO-SIGN", "Chữ ký số", "Digital signature", 3.0),
            ("PRO-TRAIN", "Tập huấn, hướng dẫn", "Training and guidance", 3.0),
        ],
    },
    Kind {
        kind: CategoryKind::Procedure,
        vi: "Quy trình, hướng dẫn",
        en: "Procedure and guidance",
        deadline: 10,
        owner: Some("GSQL"),
        leaves: &[
            ("PRC-HS", "Phân loại, mã HS", "Classification", 8.0),
            ("PRC-VALUE", "Trị giá hải quan", "Valuation", 6.0),
            ("PRC-ORIGIN", "Xuất xứ, C/O", "Origin", 5.0),
            ("PRC-SPECIAL", "Kiểm tra chuyên ngành", "Specialised inspection", 7.0),
            ("PRC-REFUND", "Hoàn thuế, không thu thuế", "Refund", 4.0),
            ("PRC-DOC", "Giấy tờ ngoài quy định", "Documents beyond the rules", 6.0),
        ],
    },
    Kind {
        kind: CategoryKind::RigidHandling,
        vi: "Xử lý máy móc",
        en: "Rigid handling",
        deadline: 10,
        owner: None,
        leaves: &[
            ("RIG-CHANNEL", "Phân luồng", "Channel", 5.0),
            ("RIG-INSPECT", "Kiểm tra thực tế", "Physical inspection", 6.0),
            ("RIG-AMEND", "Sửa, hủy tờ khai", "Amending a declaration", 5.0),
        ],
    },
    Kind {
        kind: CategoryKind::Technical,
        vi: "Lỗi kỹ thuật",
        en: "Technical fault",
        deadline: 3,
        owner: Some("CNTT"),
        leaves: &[
            ("TEC-DOWN", "Hệ thống ngừng", "System down", 8.0),
            ("TEC-SLOW", "Hệ thống chậm", "System slow", 6.0),
            ("TEC-DATA", "Sai lệch dữ liệu", "Wrong data", 5.0),
            ("TEC-PAY", "Thanh toán điện tử", "Electronic payment", 5.0),
        ],
    },
    Kind {
        kind: CategoryKind::Conduct,
        vi: "Thái độ, tác phong",
        en: "Conduct",
        deadline: 15,
        owner: None,
        leaves: &[
            ("UNCOOPERATIVE", "Thiếu hợp tác", "Uncooperative", 20.0),
            ("IRRESPONSIBLE", "Thiếu trách nhiệm", "Irresponsible", 20.0),
            ("ARROGANT", "Hách dịch", "Arrogant", 14.0),
            ("ABUSE_OF_AUTHORITY", "Cửa quyền", "Abuse of authority", 10.0),
            ("BLAMES_SYSTEM", "Đổ lỗi cho hệ thống", "Blames the system", 0.0),
            ("OBSTRUCTION", "Phiền hà", "Obstruction", 20.0),
            ("HARASSMENT", "Sách nhiễu", "Harassment", 11.0),
            ("CORRUPTION", "Tiêu cực", "Corruption", 5.0),
        ],
    },
];

/// The two levels of categories: the rows to store, and the leaves to draw from.
pub fn categories() -> (Vec<IssueCategory>, Vec<Category>) {
    let mut rows = Vec::new();
    let mut leaves = Vec::new();
    for kind in KINDS {
        let head = IssueCategory {
            id: reference_id(Entity::Category, kind.kind.as_str()),
            code: kind.kind.to_string(),
            parent_id: None,
            name_vi: kind.vi.to_owned(),
            name_en: Some(kind.en.to_owned()),
            kind: kind.kind,
            serious: false,
            deadline_days: Some(kind.deadline),
            owner_unit_id: kind.owner.map(|owner| reference_id(Entity::Unit, owner)),
            unknown: false,
            deadline_unit: None,
            valid_to: None,
        };
        for (code, vi, en, weight) in kind.leaves {
            let serious = matches!(*code, "OBSTRUCTION" | "HARASSMENT" | "CORRUPTION");
            let row = IssueCategory {
                id: reference_id(Entity::Category, code),
                code: (*code).to_owned(),
                parent_id: Some(head.id),
                name_vi: (*vi).to_owned(),
                name_en: Some((*en).to_owned()),
                serious,
                ..head.clone()
            };
            let owner = row.owner_unit_id;
            leaves.push(Category {
                id: row.id,
                code,
                kind: kind.kind,
                deadline: kind.deadline,
                owner,
                weight: *weight,
            });
            rows.push(row);
        }
        rows.push(head);
    }
    // Parents first: leaves refer to them.
    rows.sort_by_key(|row| row.parent_id.is_some());
    (rows, leaves)
}
