use super::*;
use crate::snapshot::SnapshotStore;
use chrono::{NaiveDate, TimeDelta};
use polars::prelude::{DataFrame, SortMultipleOptions};
use schema::world::{self, Parameters};

/// A register of a few complaints in a folder.
struct Register {
    _folder: tempfile::TempDir,
    db: Db,
}

impl Register {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&format!("sqlite:{}", folder.path().join("world.db").display())).expect("a database");
        db.migrate().expect("migrations");
        let until = NaiveDate::from_ymd_opt(2025, 12, 31).expect("a date");
        world::generate(&db, Parameters { complaints: 300, seed, until }, &mut |_| true).expect("a register");
        Self { _folder: folder, db }
    }

    fn file(&self, keys: Option<&Arc<Keys>>) -> SnapshotFile {
        let settings = SnapshotSettings { keep: true, folder: None, from_complaints: 0 };
        SnapshotFile::of(&self.db, &settings, keys.cloned()).expect("a file beside the database")
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        SnapshotStore::load(&self.db).expect("a snapshot").current()
    }

    /// Writes the file and returns its bytes.
    fn keep(&self, keys: Option<&Arc<Keys>>) -> Vec<u8> {
        let file = self.file(keys);
        file.keep(&self.db, &self.snapshot(), AT_THE_END);
        std::fs::read(&file.path).expect("the file")
    }

    /// What a start makes of the file; None if it reads the register.
    fn start(&self, keys: Option<&Arc<Keys>>) -> Option<Snapshot> {
        self.file(keys).load(&self.db, &Timestamp::now)
    }

    /// Why a start does not use the file.
    #[track_caller]
    fn doubt_at(&self, now: Timestamp) -> String {
        let contents = Contents::open(&self.file(None).path, None);
        let resumed = contents.and_then(|contents| self.db.read_snapshot(|conn| resume::resumed(conn, contents, now)));
        resumed.expect_err("a doubt").to_string()
    }
}

fn sorted(snapshot: &Snapshot) -> DataFrame {
    snapshot.facts.sort(["id_high", "id_low"], SortMultipleOptions::default()).expect("two columns")
}

#[test]
fn a_start_from_the_file_is_like_one_from_the_register() {
    let register = Register::new(4);
    assert!(register.start(None).is_none(), "there is no file yet");
    register.keep(None);
    let (kept, read) = (register.start(None).expect("a snapshot from the file"), register.snapshot());
    assert!(sorted(&kept).equals_missing(&sorted(&read)));
    assert_eq!((kept.position, kept.demonstration), (read.position, read.demonstration));
    assert_eq!(kept.later, read.later);
    assert!(kept.enterprises.in_order().eq(read.enterprises.in_order()));
    assert!(kept.officers.in_order().eq(read.officers.in_order()));
    let (id, _) = kept.enterprises.in_order().next().expect("an enterprise");
    let names = |of: &Snapshot| of.enterprises.get(id).map(|one| (one.tax_code, one.name, one.group_code));
    assert_eq!(names(&kept), names(&read));
}

#[test]
fn the_file_holds_no_name_and_no_tax_code() {
    let register = Register::new(5);
    let bytes = register.keep(None);
    let holds = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    let snapshot = register.snapshot();
    for (id, _) in snapshot.enterprises.in_order().take(20) {
        let enterprise = snapshot.enterprises.get(id).expect("an enterprise");
        assert!(!holds(&enterprise.tax_code) && !enterprise.name.is_some_and(|name| holds(&name)));
    }
    for id in snapshot.officers.in_order().take(20) {
        let name = snapshot.officers.get(id).expect("an officer").name;
        assert!(!name.is_some_and(|name| holds(&name)));
    }
}

#[test]
fn a_changed_byte_and_a_missing_end_show() {
    let register = Register::new(6);
    let whole = register.keep(None);
    let path = register.file(None).path;
    for at in (0..whole.len()).step_by(whole.len() / 40 + 1).chain([whole.len() - 1, whole.len() - 20]) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).expect("written");
        // The code of the key file and its version mean nothing without a key file.
        let meaningless = whole.len() - layout_tail()..whole.len() - 20;
        assert!(meaningless.contains(&at) || register.start(None).is_none(), "byte {at}");
    }
    for length in [0, 1, 50, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).expect("written");
        assert!(register.start(None).is_none(), "{length} bytes");
    }
    std::fs::write(&path, &whole).expect("written");
    assert!(register.start(None).is_some());
}

/// Bytes of the code by the key file, its version, and what follows.
fn layout_tail() -> usize {
    32 + 4 + 8 + 4 + 8
}

#[test]
fn with_a_key_file_only_what_it_signed_is_used() {
    let register = Register::new(7);
    let [own, other] = [(); 2].map(|()| Arc::new(Keys::ephemeral()));
    register.keep(None);
    assert!(register.start(Some(&own)).is_none(), "nobody signed it");
    register.keep(Some(&own));
    assert!(register.start(Some(&own)).is_some());
    assert!(register.start(Some(&other)).is_none(), "another key signed it");
    // Without a key file there is only the checksum.
    assert!(register.start(None).is_some());
}

#[test]
fn a_file_of_another_register_another_program_or_another_day_is_not_used() {
    let (register, other) = (Register::new(8), Register::new(8));
    let now = Timestamp::now();
    let own = register.keep(None);
    let yesterday = Timestamp::from(now.utc() - TimeDelta::days(1));
    assert_eq!(register.doubt_at(yesterday), "it is of a later day than today");
    other.keep(None);
    std::fs::write(&other.file(None).path, &own).expect("written");
    assert_eq!(other.doubt_at(now), "the register was restored or is another one");
    let write = |change: &dyn Fn(&mut Description)| {
        let snapshot = register.snapshot();
        let contents = Contents::open(&register.file(None).path, None).expect("a file");
        let mut description = Description { sections: Vec::new(), ..contents.description };
        change(&mut description);
        let mut draft = AtomicFile::begin(&register.file(None).path).expect("a draft");
        layout::write(&mut draft, description, &snapshot, None).expect("written");
        draft.keep().expect("kept");
    };
    write(&|description| description.position += 1);
    assert_eq!(register.doubt_at(now), "it is newer than the register, which was restored or is another one");
    write(&|description| description.position -= 1);
    write(&|description| description.program.push('x'));
    assert_eq!(register.doubt_at(now), "another version of the program wrote it");
    write(&|description| description.program = PROGRAM.clone());
    write(&|description| description.rows += 1);
    assert_eq!(register.doubt_at(now), "it lacks rows");
    write(&|description| description.rows -= 1);
    assert!(register.start(None).is_some());
}

#[test]
fn nothing_is_written_while_little_changed_or_where_it_cannot_be() {
    let register = Register::new(9);
    let file = register.file(None);
    let snapshot = register.snapshot();
    let written = |position| file.write_if_due(&register.db, &snapshot, AT_THE_END, position);
    assert!(written(None).expect("written"));
    assert!(!written(Some(snapshot.position)).expect("not due"));
    std::fs::remove_file(&file.path).expect("somebody deletes it");
    assert!(written(Some(snapshot.position)).expect("written"));
    std::fs::remove_file(&file.path).expect("somebody deletes it");
    std::fs::create_dir(&file.path).expect("a folder");
    assert!(written(None).is_err());
    assert!(register.start(None).is_none());
    let settings = SnapshotSettings { keep: true, folder: None, from_complaints: 301 };
    let small = SnapshotFile::of(&register.db, &settings, None).expect("a file");
    assert!(!small.write_if_due(&register.db, &snapshot, AT_THE_END, None).expect("not due"));
}
