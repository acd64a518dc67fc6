//! Limits the concurrent subscriptions of a token.

use super::Service;
use crate::access::Viewer;
use actix_web::web::Data;
use schema::Id;
use std::collections::HashMap;
use std::sync::Mutex;

/// The open subscriptions of each token on this node.
#[derive(Default)]
pub struct SubscriptionLimit(Mutex<HashMap<Id, u32>>);

/// An open subscription, released when dropped.
pub struct SubscriptionPermit {
    service: Data<Service>,
    token: Id,
}

impl SubscriptionLimit {
    /// Counts one more subscription of a token; None if the token has as many as it may.
    pub fn take(service: &Data<Service>, viewer: &Viewer) -> Option<SubscriptionPermit> {
        let limit = service.settings.limits(Some(viewer.role)).subscriptions;
        let mut counts = service.subscription_limit.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let number = counts.entry(viewer.token_id).or_default();
        if *number >= limit {
            return None;
        }
        *number += 1;
        service.metrics.subscription_opened();
        Some(SubscriptionPermit { service: service.clone(), token: viewer.token_id })
    }
}

impl Drop for SubscriptionPermit {
    fn drop(&mut self) {
        let mut counts = self.service.subscription_limit.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(number) = counts.get_mut(&self.token) {
            *number = number.saturating_sub(1);
            if *number == 0 {
                counts.remove(&self.token);
            }
        }
        self.service.metrics.subscription_closed();
    }
}
