//! The viewer: the authenticated client of a request.

use chrono::NaiveDate;
use schema::domain::calendar::local_date;
use schema::enums::Role;
use schema::models::{ApiToken, Principal};
use schema::pseudonyms::Audience;
use schema::register::access::{authenticate, note_use};
use schema::{Db, Id, StoreError, Timestamp};

/// The authenticated client of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub token_id: Id,
    pub principal_id: Id,
    pub name: String,
    pub role: Role,
    /// The unit of a UNIT_HEAD.
    pub unit_id: Option<Id>,
    /// The officer that this viewer is, if any.
    pub officer_id: Option<Id>,
    /// Whether the data shown to this viewer leaves the organisation.
    pub outside: bool,
    /// When the token expires.
    pub expires_at: Option<Timestamp>,
    /// The day that all of one operation sees, also if it runs at midnight; None: the present day.
    pub day: Option<NaiveDate>,
}

/// Minimum time between two updates of a token's last use.
const NOTE_USE_EVERY: chrono::TimeDelta = chrono::TimeDelta::minutes(1);

/// Looks up the owner of a token; None if the token is not valid. Records the last use, about once a minute.
///
/// # Errors
/// If the database cannot be read.
pub fn viewer(db: &Db, token: &str) -> Result<Option<Viewer>, StoreError> {
    let now = Timestamp::now();
    let found = db.read(|conn| {
        let found = authenticate(conn, token, now)?;
        if let Some((token, _)) = &found {
            let is_old = |used: Timestamp| used.utc() + NOTE_USE_EVERY < now.utc();
            if token.last_used_at.is_none_or(is_old)
                && let Err(error) = note_use(conn, token.id, now)
            {
                // A read-only register, such as a replica, still answers.
                tracing::debug!(%error, "the last use of a token could not be recorded");
            }
        }
        Ok(found)
    })?;
    Ok(found.map(|(token, principal)| viewer_of(&token, principal)))
}

/// The viewer that a token belongs to.
pub fn viewer_of(token: &ApiToken, principal: Principal) -> Viewer {
    Viewer {
        token_id: token.id,
        principal_id: principal.id,
        name: principal.name,
        role: principal.role,
        unit_id: principal.unit_id,
        officer_id: principal.officer_id,
        outside: principal.outside,
        expires_at: token.expires_at,
        day: None,
    }
}

impl Viewer {
    /// The same viewer in an operation that sees one day.
    pub fn on(&self, day: NaiveDate) -> Self {
        Self { day: Some(day), ..self.clone() }
    }

    /// The day by which row scope decides: that of the operation, else the present one.
    pub fn today(&self) -> NaiveDate {
        self.day.unwrap_or_else(|| local_date(Timestamp::now()))
    }

    /// Whether the token is an external JWT, which is its own principal.
    pub fn is_external_jwt(&self) -> bool {
        self.token_id == self.principal_id
    }

    /// The audience that shares pseudonyms and cursors: all viewers of a role, or the heads of one unit. Tokens
    /// created with `--outside` and external JWTs belong to the same audience, because the same people see both.
    pub fn audience(&self) -> Audience {
        match (self.role, self.unit_id) {
            (Role::UnitHead, Some(unit)) => Audience::Unit(unit),
            (role, _) => Audience::Role(role),
        }
    }

    /// Whether this viewer sees people, enterprises and complaints only under pseudonyms. Neither ids, nor codes, nor
    /// an order derived from them may then reveal who they are.
    pub fn sees_pseudonyms_alone(&self) -> bool {
        self.role == Role::DataTeam
    }

    /// Whether this viewer has the same rights as another.
    pub fn has_rights_of(&self, other: &Self) -> bool {
        let rights = |viewer: &Self| (viewer.role, viewer.unit_id, viewer.officer_id, viewer.outside);
        rights(self) == rights(other)
    }

    /// The name recorded as the author of this viewer's changes.
    pub fn actor(&self) -> String {
        format!("token:{}", self.name)
    }

    /// Whether no complaint is withheld from this viewer. Viewers with withheld complaints (unit heads, officers) get
    /// no number that a job computed over all complaints, even if none was withheld: a number that is missing only
    /// when one was would reveal it.
    pub fn sees_every_complaint(&self) -> bool {
        !matches!(self.role, Role::UnitHead | Role::Intake | Role::Admin) && !self.is_an_officer()
    }

    /// Whether complaints that name this viewer may be withheld from it.
    pub fn is_an_officer(&self) -> bool {
        self.officer_id.is_some()
    }
}
