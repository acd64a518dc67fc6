//! The rules of a run: a TOML file with these defaults, stored with the run and printed with
//! every flag.

use super::windows::WINDOWS;
use crate::JobError;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// When somebody is flagged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    pub version: String,
    /// What anonymous complaints are to the count of distinct enterprises.
    pub anonymous: AnonymousRule,
    /// Days from the first complaint of an episode within which further ones of the same
    /// enterprise belong to it.
    pub episode_days: i32,
    /// Fewer episodes of the others in a stratum than this, and it is widened.
    pub stratum_episodes: u32,
    /// Numbers are adjusted where the exposure is known of subjects with at least this share of the
    /// episodes; with less, most would be compared with nothing.
    pub exposure_coverage: f64,
    pub campaign: CampaignRule,
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

/// When texts are a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CampaignRule {
    /// At least so many distinct enterprises …
    pub enterprises: u32,
    /// … within so many days, with texts …
    pub days: i32,
    /// … of at least so many characters, after normalisation …
    pub characters: u32,
    /// … that share at least so much of their shingles (Jaccard).
    pub similarity: f64,
    /// Forms that an association hands out, say: texts alike to one of these are no campaign.
    pub templates: Vec<String>,
}

impl Default for CampaignRule {
    fn default() -> Self {
        Self { enterprises: 3, days: 30, characters: 60, similarity: 0.7, templates: Vec::new() }
    }
}

/// What a tier asks for, all of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRule {
    /// At least so many distinct enterprises …
    pub enterprises: u32,
    /// … in so many days: one of the four windows, of which all the tier's numbers are.
    pub days: i32,
    /// Whether only CONFIRMED attributions count.
    #[serde(default)]
    pub confirmed: bool,
    /// Whether at least one complaint of the window must be of a serious category.
    #[serde(default)]
    pub serious: bool,
    /// The q-value is at most this.
    #[serde(default)]
    pub q: Option<f64>,
    /// EB05, the rate ratio that is exceeded with 95 %, is at least this.
    #[serde(default)]
    pub eb05: Option<f64>,
    /// Whether q and EB05 must hold also without any one enterprise, and without anonymous complaints.
    #[serde(default)]
    pub robust: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            version: "2".into(),
            anonymous: AnonymousRule::NotCounted,
            episode_days: 7,
            stratum_episodes: 5,
            exposure_coverage: 0.5,
            campaign: CampaignRule::default(),
            watch: TierRule {
                enterprises: 2,
                days: 180,
                confirmed: false,
                serious: false,
                q: None,
                eb05: Some(1.0),
                robust: false,
            },
            review: TierRule {
                enterprises: 3,
                days: 365,
                confirmed: true,
                serious: false,
                q: Some(0.05),
                eb05: Some(1.5),
                robust: true,
            },
            suspension_review: TierRule {
                enterprises: 5,
                days: 365,
                confirmed: true,
                serious: true,
                q: Some(0.01),
                eb05: Some(2.0),
                robust: true,
            },
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

    /// The tiers with their names, the highest first.
    pub fn tiers(&self) -> [(&'static str, &TierRule); 3] {
        [("suspension_review", &self.suspension_review), ("review", &self.review), ("watch", &self.watch)]
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
        if !(0.0..=1.0).contains(&self.exposure_coverage) {
            return Err("exposure_coverage is a share: from 0 to 1".into());
        }
        let campaign = &self.campaign;
        if campaign.enterprises < 2 || !(1..=90).contains(&campaign.days) {
            return Err("campaign: it takes 2 enterprises or more, within 1 to 90 days".into());
        }
        if !(campaign.similarity > 0.0 && campaign.similarity <= 1.0) {
            return Err("campaign.similarity is a share: above 0 and at most 1".into());
        }
        for (name, tier) in self.tiers() {
            if !WINDOWS.contains(&tier.days) {
                return Err(format!("{name}.days is {}: take one of the windows 30, 90, 180 and 365", tier.days));
            }
            if tier.enterprises == 0 {
                return Err(format!("{name}.enterprises is 0: it would flag everybody"));
            }
            if tier.q.is_some_and(|q| !(q > 0.0 && q <= 1.0)) {
                return Err(format!("{name}.q is a share: above 0 and at most 1"));
            }
            if tier.eb05.is_some_and(|eb05| !(eb05 >= 0.0 && eb05.is_finite())) {
                return Err(format!("{name}.eb05 is a rate ratio: a number from 0"));
            }
        }
        Ok(())
    }
}
