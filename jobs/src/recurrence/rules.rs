//! The rules of a run: a TOML file with these defaults, stored with the run and printed with
//! every flag.

use super::windows::WINDOWS;
use crate::JobError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// When somebody is flagged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    pub version: String,
    /// What anonymous complaints are to the count of distinct enterprises.
    pub anonymous: AnonymousRule,
    /// Days from the first complaint of an episode within which further ones of the same
    /// enterprise belong to it.
    pub episode_days: i32,
    pub watch: TierRule,
    pub review: TierRule,
    pub suspension_review: TierRule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnonymousRule {
    /// They count as complaints and never as an enterprise.
    NotCounted,
    /// Each counts as an enterprise of its own.
    OwnEnterprise,
}

/// A tier by the number of distinct enterprises alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRule {
    /// At least so many distinct enterprises …
    pub enterprises: u32,
    /// … in so many days: one of the four windows.
    pub days: i32,
    /// Whether only CONFIRMED attributions count.
    #[serde(default)]
    pub confirmed: bool,
    /// Whether at least one complaint of the window must be of a serious category.
    #[serde(default)]
    pub serious: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            version: "1".into(),
            anonymous: AnonymousRule::NotCounted,
            episode_days: 7,
            watch: TierRule { enterprises: 2, days: 180, confirmed: false, serious: false },
            review: TierRule { enterprises: 3, days: 365, confirmed: true, serious: false },
            suspension_review: TierRule { enterprises: 5, days: 365, confirmed: true, serious: true },
        }
    }
}

impl Rules {
    /// Reads rules from a file; what it leaves out is as by default.
    pub fn load(path: &Path) -> Result<Self, JobError> {
        let wrong = |message: String| JobError::Rules { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let rules: Self = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        rules.check().map_err(wrong)?;
        Ok(rules)
    }

    fn check(&self) -> Result<(), String> {
        if self.version == Self::default().version && *self != Self::default() {
            return Err(format!(
                "version {:?} is that of the default rules: give your own rules a version of their own",
                self.version
            ));
        }
        if !(0..=365).contains(&self.episode_days) {
            return Err("episode_days must be from 0 to 365".into());
        }
        for (name, tier) in
            [("watch", &self.watch), ("review", &self.review), ("suspension_review", &self.suspension_review)]
        {
            if !WINDOWS.contains(&tier.days) {
                return Err(format!("{name}.days is {}: take one of the windows 30, 90, 180 and 365", tier.days));
            }
            if tier.enterprises == 0 {
                return Err(format!("{name}.enterprises is 0: it would flag everybody"));
            }
        }
        Ok(())
    }
}
