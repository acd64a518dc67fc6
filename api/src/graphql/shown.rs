//! What is made for one audience alone: pseudonyms and cursors.

use super::page::Cursors;
use schema::keys::Keys;
use schema::pseudonyms::{Audience, Pseudonyms};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What one audience is shown.
#[derive(Clone, Default)]
pub struct Shown {
    /// None where no key file was named.
    pub pseudonyms: Option<Pseudonyms>,
    pub cursors: Cursors,
}

/// What each audience is shown, made when it first asks.
pub struct Audiences {
    keys: Option<Arc<Keys>>,
    made: Mutex<HashMap<Audience, Arc<Shown>>>,
}

impl Audiences {
    pub fn new(keys: Option<Arc<Keys>>) -> Self {
        Self { keys, made: Mutex::default() }
    }

    pub fn shown_to(&self, audience: Audience) -> Arc<Shown> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = made.entry(audience).or_insert_with(|| {
            let pseudonyms = self.keys.as_ref().map(|keys| keys.pseudonyms(audience));
            let cursors = Cursors::new(self.keys.as_ref().and_then(|keys| keys.cursors(audience)).as_ref());
            Arc::new(Shown { pseudonyms, cursors })
        });
        Arc::clone(shown)
    }
}
