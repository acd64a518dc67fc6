//! The rules of a run, read from a TOML file or by default. They are stored with the run and printed with
//! every flag.

use crate::JobError;
use crate::facts::lookback::WINDOWS;
use schema::domain::toml_text;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// When a subject is flagged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    pub version: String,
    /// Rule by which anonymous complaints count among distinct enterprises.
    pub anonymous: AnonymousRule,
    /// Complaints of the same enterprise within this many days of the first one of an episode belong to it.
    pub episode_days: i32,
    /// A stratum in which the other subjects have fewer episodes than this is widened.
    pub stratum_episodes: u32,
    /// Numbers are adjusted for exposure only if the subjects with known exposure have at least this share of
    /// the episodes; otherwise most subjects would lack a comparison.
    pub exposure_coverage: f64,
    pub campaign: CampaignRule,
    pub watch: TierRule,
    pub review: TierRule,
    pub suspension_review: TierRule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnonymousRule {
    /// Anonymous complaints count as complaints and never as an enterprise.
    NotCounted,
    /// Each counts as an enterprise of its own.
    OwnEnterprise,
}

/// When similar texts form a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CampaignRule {
    /// Minimum number of distinct enterprises.
    pub enterprises: u32,
    /// Days within which these complain.
    pub days: i32,
    /// Minimum length of a text in characters, after normalisation.
    pub characters: u32,
    /// Minimum Jaccard similarity of the shingles of two texts.
    pub similarity: f64,
    /// Texts similar to one of these, such as the form of an association, belong to no campaign.
    pub templates: Vec<String>,
}

impl Default for CampaignRule {
    fn default() -> Self {
        Self { enterprises: 3, days: 30, characters: 60, similarity: 0.7, templates: Vec::new() }
    }
}

/// The conditions of a tier; all must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierRule {
    /// Minimum number of distinct enterprises.
    pub enterprises: u32,
    /// The window, one of the four, that all numbers of the tier are taken from.
    pub days: i32,
    /// Whether only CONFIRMED attributions count.
    #[serde(default)]
    pub confirmed: bool,
    /// Whether at least one complaint of the window must be of a serious category.
    #[serde(default)]
    pub serious: bool,
    /// Maximum q-value.
    #[serde(default)]
    pub q: Option<f64>,
    /// Minimum EB05, the rate ratio that is exceeded with a probability of 95 %.
    #[serde(default)]
    pub eb05: Option<f64>,
    /// Whether q and EB05 must also hold without any one enterprise, and without anonymous complaints.
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
    /// Reads rules from a TOML file. Missing top-level fields and missing fields of `campaign` take their
    /// defaults.
    ///
    /// # Errors
    /// `Rules` if the file cannot be read or parsed, or a value is out of range.
    pub fn load(path: &Path) -> Result<Self, JobError> {
        let wrong = |message: String| JobError::Rules { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let rules: Self = toml_text::parse(&text).map_err(wrong)?;
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
                "version {:?} is reserved for the default rules: set another version for changed rules",
                self.version
            ));
        }
        if !(0..=365).contains(&self.episode_days) {
            return Err("episode_days must be between 0 and 365".into());
        }
        if !(0.0..=1.0).contains(&self.exposure_coverage) {
            return Err("exposure_coverage must be between 0 and 1".into());
        }
        let campaign = &self.campaign;
        if campaign.enterprises < 2 || !(1..=90).contains(&campaign.days) {
            return Err("campaign.enterprises must be at least 2 and campaign.days between 1 and 90".into());
        }
        if !(campaign.similarity > 0.0 && campaign.similarity <= 1.0) {
            return Err("campaign.similarity must be above 0 and at most 1".into());
        }
        for (name, tier) in self.tiers() {
            if !WINDOWS.contains(&tier.days) {
                return Err(format!("{name}.days is {}: it must be one of 30, 90, 180 and 365", tier.days));
            }
            if tier.enterprises == 0 {
                return Err(format!("{name}.enterprises is 0, which would flag every subject: it must be at least 1"));
            }
            if tier.q.is_some_and(|q| !(q > 0.0 && q <= 1.0)) {
                return Err(format!("{name}.q must be above 0 and at most 1"));
            }
            if tier.eb05.is_some_and(|eb05| !(eb05 >= 0.0 && eb05.is_finite())) {
                return Err(format!("{name}.eb05 must be a finite number of at least 0"));
            }
        }
        Ok(())
    }
}
