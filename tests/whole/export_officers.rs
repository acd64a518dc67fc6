//! The officers of exports of several pages, which another connection may read.

use crate::exports::{cells, get};
use diesel::prelude::*;
use schema::tables::complaint_officers;
use tests::fixtures::Files;
use tests::{Role, TestApp};

/// More than two pages.
const COMPLAINTS: u32 = 20_000;

#[test]
fn of_many_pages_each_has_the_officers_of_its_own_complaints() {
    for app in [TestApp::sqlite(), TestApp::postgres()] {
        let files = Files::new();
        let app = app.generated(COMPLAINTS, 7).start_with(&files, "");
        let team = app.as_role(Role::DataTeam);
        let officers = cells(&get(&team, "complaints.csv").text, "officers");
        assert_eq!(officers.len(), COMPLAINTS as usize);
        let named: usize =
            officers.iter().map(|cell| cell.trim_matches('"').split(';').filter(|name| !name.is_empty()).count()).sum();
        let stored = app.database.open().read(|conn| Ok(complaint_officers::table.count().get_result::<i64>(conn)?));
        assert_eq!(i64::try_from(named).unwrap(), stored.unwrap(), "{}", app.database.name);
    }
}
