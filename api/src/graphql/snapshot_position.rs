//! Waits until the snapshot holds the position that a client names, such as that of its own write.

use super::context::App;
use schema::db::dialect::current_position;
use std::time::Duration;

/// The header with a position of the register: of an answer, and the one that a request must see.
pub const POSITION: &str = "phananh-position";
/// A reader waits this long for a position: the snapshot follows a write within moments.
const ARRIVES_WITHIN: Duration = Duration::from_secs(2);

/// Waits for the position that the header of a request names; `i64::MAX` is the register's present one.
///
/// # Errors
/// A message for the client, if the snapshot does not hold the position in time.
pub async fn reach_position(app: &App, named: i64) -> Result<(), String> {
    if app.snapshots.current().position >= named {
        return Ok(());
    }
    let position = if named == i64::MAX { present(app).await } else { named };
    if app.refresher.reaches(position, ARRIVES_WITHIN).await {
        return Ok(());
    }
    let current = app.snapshots.current().position;
    Err(format!("{POSITION}: the tables are at position {current} and have not reached the one you name: try again"))
}

/// The position of the register; one that no snapshot reaches if it cannot be read.
async fn present(app: &App) -> i64 {
    let db = app.background_db.clone();
    match tokio::task::spawn_blocking(move || db.read(current_position)).await {
        Ok(Ok(present)) => present,
        _ => i64::MAX,
    }
}
