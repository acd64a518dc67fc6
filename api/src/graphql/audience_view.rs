//! The pseudonyms and cursors of each audience.

use super::page::Cursors;
use schema::keys::Keys;
use schema::pseudonyms::{Audience, Pseudonyms};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The pseudonyms and cursors of one audience.
#[derive(Clone, Default)]
pub struct AudienceView {
    /// None if the server has no key file.
    pub pseudonyms: Option<Pseudonyms>,
    pub cursors: Cursors,
}

/// The [`AudienceView`] of each audience, created on first use.
pub struct AudienceViews {
    keys: Option<Arc<Keys>>,
    views: Mutex<HashMap<Audience, Arc<AudienceView>>>,
}

impl AudienceViews {
    pub fn new(keys: Option<Arc<Keys>>) -> Self {
        Self { keys, views: Mutex::default() }
    }

    pub fn view_for(&self, audience: Audience) -> Arc<AudienceView> {
        let mut views = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let view = views.entry(audience).or_insert_with(|| {
            let pseudonyms = self.keys.as_ref().map(|keys| keys.pseudonyms(audience));
            let cursors = Cursors::new(self.keys.as_ref().and_then(|keys| keys.cursors(audience)).as_ref());
            Arc::new(AudienceView { pseudonyms, cursors })
        });
        Arc::clone(view)
    }
}
