use super::*;
use crate::invented_register::invented_register;
use crate::snapshot::SnapshotStore;
use chrono::TimeDelta;
use polars::prelude::{DataFrame, SortMultipleOptions};
use std::io::Write;

/// A register of a few complaints in a folder.
struct Register {
    _folder: tempfile::TempDir,
    db: Db,
}

impl Register {
    fn new(seed: u64) -> Self {
        let (folder, db) = invented_register(300, seed);
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

    /// The snapshot that a start makes of the file; None if the start reads the register.
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
    assert!(register.start(Some(&own)).is_none(), "it has no signature");
    register.keep(Some(&own));
    assert!(register.start(Some(&own)).is_some());
    assert!(register.start(Some(&other)).is_none(), "another key signed it");
    // Without a key file there is only the checksum.
    assert!(register.start(None).is_some());
}

#[test]
fn a_file_of_another_register_another_program_or_another_day_is_not_used() {
    let (register, other) = (Register::new(8), Register::new(8));
    let own = register.keep(None);
    // Taken here and not earlier: the snapshot may be of the day after.
    let now = Timestamp::now();
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
        layout::write(&mut draft, description, &snapshot, None, || false).expect("written");
        draft.keep().expect("kept");
    };
    write(&|description| description.position += 1);
    assert_eq!(register.doubt_at(now), "it is newer than the register, which was restored or is another one");
    write(&|description| description.position -= 1);
    write(&|description| description.program.push('x'));
    assert_eq!(register.doubt_at(now), "another version of the program wrote it");
    write(&|description| description.program = PROGRAM.clone().expect("a program"));
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
    let written = |content| file.write_if_due(&register.db, &snapshot, AT_THE_END, content);
    let content = Some(FileContent::of(&snapshot));
    assert!(written(None).expect("written"));
    assert!(!written(content).expect("not due"));
    std::fs::remove_file(&file.path).expect("the file is deleted");
    assert!(written(content).expect("written"));
    std::fs::remove_file(&file.path).expect("the file is deleted");
    std::fs::create_dir(&file.path).expect("a folder");
    assert!(written(None).is_err());
    assert!(register.start(None).is_none());
    std::fs::remove_dir(&file.path).expect("no folder");
    let aside = file.path.with_extension("aside");
    assert!(register.file(None).write_if_due(&register.db, &snapshot, AT_THE_END, None).expect("written"));
    std::fs::rename(&file.path, &aside).expect("moved");
    std::os::unix::fs::symlink(&aside, &file.path).expect("a link");
    let before = std::fs::read(&aside).expect("a file");
    assert_eq!(written(None).expect_err("a link").to_string(), NO_FILE);
    assert_eq!(register.doubt_at(Timestamp::now()), NO_FILE);
    assert_eq!(std::fs::read(&aside).expect("a file"), before);
    std::fs::remove_file(&file.path).expect("no link");
    file.end_by(Instant::now());
    assert_eq!(written(None).expect_err("an end").to_string(), ENDS);
    let settings = SnapshotSettings { keep: true, folder: None, from_complaints: 301 };
    let small = SnapshotFile::of(&register.db, &settings, None).expect("a file");
    assert!(!small.write_if_due(&register.db, &snapshot, AT_THE_END, None).expect("not due"));
}

/// A disk that is full after some bytes.
struct FullAfter<W>(usize, W);

impl<W: Write> Write for FullAfter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 && !bytes.is_empty() {
            return Err(ErrorKind::StorageFull.into());
        }
        let written = self.1.write(&bytes[..bytes.len().min(self.0)])?;
        self.0 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

#[test]
fn a_file_that_could_not_be_finished_leaves_the_old_one_and_no_draft() {
    let register = Register::new(10);
    let whole = register.keep(None);
    let path = register.file(None).path;
    let names = || std::fs::read_dir(folder_of(&path)).expect("a folder").count();
    let before = names();
    let snapshot = register.snapshot();
    let write = |room: usize, has_to_end: bool| {
        let contents = Contents::open(&path, None).expect("a file");
        let description = Description { sections: Vec::new(), ..contents.description };
        let mut draft = FullAfter(room, AtomicFile::begin(&path).expect("a draft"));
        layout::write(&mut draft, description, &snapshot, None, || has_to_end)
    };
    for room in [0, 1, whole.len() / 2, whole.len() - 1] {
        assert!(write(room, false).is_err(), "{room} bytes");
    }
    assert_eq!(write(2 * whole.len(), true).expect_err("an end").to_string(), ENDS);
    assert_eq!(names(), before);
    assert_eq!(std::fs::read(&path).expect("the file"), whole);
    assert!(register.start(None).is_some());
}

#[test]
fn what_a_full_reading_corrects_stays_correct_at_the_next_start() {
    use diesel::prelude::*;
    use schema::tables::complaints;
    let register = Register::new(11);
    register.keep(None);
    let file = register.file(None);
    let store = SnapshotStore::load_kept(&register.db, Some(&file)).expect("a snapshot");
    assert!(store.current().agrees_with(&register.snapshot()).expect("columns"));
    // Another program changes the database: the position stays the same.
    let change = register.db.write("test", |tx| {
        Ok(diesel::update(complaints::table).set(complaints::delay_hours.eq(Some(7.25_f64))).execute(tx.conn)?)
    });
    assert_eq!(change.expect("changed").value, 300);
    let fresh = register.snapshot();
    assert_eq!(fresh.position, store.current().position);
    assert!(!store.current().agrees_with(&fresh).expect("columns"));
    file.keep(&register.db, &store.current(), AT_THE_END);
    assert!(!register.start(None).expect("the file").agrees_with(&fresh).expect("columns"), "nothing is due");
    store.replace(&fresh);
    file.keep(&register.db, &store.current(), WHILE_SERVING);
    let next = register.start(None).expect("the file");
    assert!(sorted(&next).equals_missing(&sorted(&fresh)));
}

#[test]
fn enterprises_that_count_as_others_and_too_many_changes_are_doubts() {
    use diesel::connection::SimpleConnection;
    let register = Register::new(12);
    register.keep(None);
    let change = |sql: &str| {
        let changed = register.db.write("test", |tx| Ok(tx.conn.batch_execute(sql)?));
        changed.unwrap_or_else(|error| panic!("{sql}: {error}"));
    };
    change("UPDATE enterprises SET group_code = 'ONE'");
    assert_eq!(register.doubt_at(Timestamp::now()), "some enterprises count as others since it was written");
    register.keep(None);
    assert!(register.start(None).is_some());
    // Each round makes an event for each that there was.
    let events = |conn: &mut schema::Conn| changes_since(conn, 0);
    let before = register.db.read(events).expect("a count");
    let rounds = 10_000 / before + 1;
    let mut sql = "CREATE TEMP TABLE more AS SELECT * FROM complaint_events;".to_owned();
    for _ in 0..rounds {
        sql += "UPDATE more SET position = position + 1; INSERT INTO complaint_events SELECT * FROM more;";
    }
    change(&format!("{sql} DROP TABLE more"));
    let doubt = register.doubt_at(Timestamp::now());
    assert_eq!(doubt, format!("{} changes since are too many to catch up with", rounds * before));
}
