//! How many subscriptions a token may hold at once.

use super::Service;
use crate::auth::Viewer;
use actix_web::web::Data;
use schema::Id;
use std::collections::HashMap;
use std::sync::Mutex;

/// How many subscriptions each token holds on this node.
#[derive(Default)]
pub struct Held(Mutex<HashMap<Id, u32>>);

/// One of them; it is given back when this is dropped.
pub struct Hold {
    service: Data<Service>,
    token: Id,
}

impl Held {
    /// One more for a token; None where it holds as many as it may.
    pub fn take(service: &Data<Service>, viewer: &Viewer) -> Option<Hold> {
        let limit = service.settings.limits(Some(viewer.role)).subscriptions;
        let mut held = service.held.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let number = held.entry(viewer.token_id).or_default();
        if *number >= limit {
            return None;
        }
        *number += 1;
        service.watch.subscription_opened();
        Some(Hold { service: service.clone(), token: viewer.token_id })
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut held = self.service.held.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(number) = held.get_mut(&self.token) {
            *number = number.saturating_sub(1);
            if *number == 0 {
                held.remove(&self.token);
            }
        }
        self.service.watch.subscription_closed();
    }
}
