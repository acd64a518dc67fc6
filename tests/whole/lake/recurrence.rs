//! The counting stage of recurrence over the lake, against the numbers of the job.

use super::Lake;
use crate::legal_clock::today;
use crate::program;
use chrono::Days;
use diesel::prelude::*;
use schema::Id;
use schema::enums::Role;
use schema::keys::Keys;
use schema::pseudonyms::{Audience, Subject};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tests::fixtures::{self, COMPLAINTS_MAP};
use tests::{Database, Json};

/// A campaign against an officer: three enterprises write nearly the same within eight days, and one of them once more,
/// so that they are four complaints and without the texts three or four episodes.
fn campaign(officer: &str, unit: &str) -> String {
    let mut csv =
        "so_pa;ngay_nhan;mst;ten_dn;don_vi;can_bo;loai;ket_luan;ngay_kl;chi_phi;gio;noi_dung;kin\n".to_owned();
    let senders = ["0100233488", "0314409058", "001099012345", "0100233488"];
    for (nth, tax_code) in (0u64..).zip(senders) {
        let day = (today() - Days::new(40 - 10 * (nth / 3) - nth)).format("%d/%m/%Y");
        let text = "Cán bộ yêu cầu doanh nghiệp nộp thêm một khoản tiền ngoài quy định thì mới làm thủ tục thông quan \
                    cho lô hàng của doanh nghiệp chúng tôi";
        csv.push_str(&format!("CD-{nth};{day};{tax_code};;{unit};{officer};CORRUPTION;;;;;{text} {nth};\n"));
    }
    csv
}

/// The officers' pseudonyms in a lake by their codes.
fn pseudonyms(database: &Database, key: &str, role: Role) -> BTreeMap<String, String> {
    let pseudonyms = Keys::load(Path::new(key)).unwrap().pseudonyms(Audience::Export(role));
    let all: Vec<(Id, String)> = database
        .open()
        .read(|conn| {
            use schema::tables::officers;
            Ok(officers::table.select((officers::id, officers::code)).load(conn)?)
        })
        .unwrap();
    all.into_iter().map(|(id, code)| (pseudonyms.of(Subject::Officer, id), code)).collect()
}

#[test]
fn the_lake_counts_recurrence_as_the_job_does() {
    for database in Database::both() {
        let until = today().to_string();
        program().run(&database, ["generate", "--complaints", "2500", "--seed", "9", "--until", &until]).ok();
        // The months of workload end some months ago, so that rates are carried over.
        let last = (today() - Days::new(130)).to_string();
        database.tamper(&format!("DELETE FROM workload WHERE month > '{last}'"));
        // Real complaints are imported into no demonstration.
        database.tamper("DELETE FROM register_info WHERE key = 'demonstration'");
        let before = numbers(&database, &until);
        let officer = before["counts"].list()[0]["code"].text().to_owned();
        fixtures::import(&database, "complaints", campaign(&officer, "02AA"), COMPLAINTS_MAP);
        let lake = Lake::new();
        lake.sync(&database, &[]);

        let expected = numbers(&database, &until);
        let by_code = |list: &Value| -> BTreeMap<String, Value> {
            list.list().iter().map(|one| (one["code"].text().to_owned(), one.clone())).collect()
        };
        let (counts, adjusted) = (by_code(&expected["counts"]), by_code(&expected["subjects"]));
        let codes = pseudonyms(&database, &lake.key, Role::DataTeam);
        let folder = lake.folder.to_str().unwrap();
        let counted = program().json(&database, &["lake", "counts", folder, "--as-of", &until]);
        let rows: BTreeMap<String, Value> = counted["rows"]
            .list()
            .iter()
            .filter(|row| row["complaints_365"] != 0)
            .map(|row| (codes[row["officer"].text()].clone(), row.clone()))
            .collect();
        assert_eq!(rows.keys().collect::<Vec<_>>(), counts.keys().collect::<Vec<_>>());
        let (mut compared, mut carried) = (0, 0);
        for (code, row) in &rows {
            let of_job = &counts[code];
            for (here, there) in [
                ("complaints_365", "complaints"),
                ("episodes_365", "episodes"),
                ("enterprises_365", "enterprises"),
                ("enterprises_confirmed_365", "enterprisesConfirmed"),
                ("anonymous_365", "anonymous"),
                ("serious_365", "serious"),
            ] {
                assert_eq!(row[here], of_job[there], "{code}: {here}");
            }
            assert_eq!(row["cut_off"], 0, "{code}");
            let Some(of_job) = adjusted.get(code) else { continue };
            assert_eq!(row["observed"], of_job["observed"], "{code}");
            assert_eq!(row["carried"] == 1, of_job["carried"] == true, "{code}");
            for name in ["exposure", "expected"] {
                let (a, b) = (row[name].number(), of_job[name].number());
                assert!((a - b).abs() <= 1e-9 * b.abs(), "{code}: {name} {a} {b}");
            }
            compared += 1;
            carried += usize::from(of_job["carried"] == true);
        }
        assert!(compared >= 20 && carried >= 20, "{compared} officers with expected episodes, {carried} carried over");

        // The campaign matters: it is four complaints of three enterprises, and counts as one.
        let (row, earlier) = (&rows[&officer], &by_code(&before["counts"])[&officer]);
        assert_eq!(row["campaign_complaints_365"], 4, "{row}");
        assert_eq!(row["complaints_365"].integer(), earlier["complaints"].integer() + 4);
        assert_eq!(row["enterprises_365"].integer(), earlier["enterprises"].integer() + 1);
        assert_eq!(row["episodes_365"].integer(), earlier["episodes"].integer() + 1);
        assert!(row["enterprises_of_campaigns_apart_365"].integer() > row["enterprises_365"].integer());

        // A lake of an earlier version lacks the tables.
        let path = lake.folder.join("manifest.json");
        let mut manifest = lake.manifest();
        manifest["tables"].as_object_mut().unwrap().remove("recurrence_complaints");
        std::fs::write(&path, manifest.to_string()).unwrap();
        let refused = program().run(&database, ["lake", "counts", folder]);
        assert!(refused.status == 1 && refused.err.contains("`phananh lake sync` adds it"), "{refused:?}");
        lake.sync(&database, &[]);
        // Sums of floating-point numbers may differ in their last digit from one question to the next.
        let again = program().json(&database, &["lake", "counts", folder, "--as-of", &until]);
        let whole = |of: &Value| -> Vec<(Value, Value)> {
            let rows = of["rows"].list().iter();
            rows.map(|row| (row["officer"].clone(), row["enterprises_365"].clone())).collect()
        };
        assert_eq!(whole(&again), whole(&counted));
    }
}

/// The numbers of the job `recurrence` for all officers.
fn numbers(database: &Database, as_of: &str) -> Value {
    program().json(database, &["flags", "numbers", "--as-of", as_of, "--subject", "officer"])
}
