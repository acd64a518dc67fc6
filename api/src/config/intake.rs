//! The table `[api.intake]` of the configuration: complainants with a receipt, and probable duplicates.

use serde::Deserialize;

/// The rights of the holders of receipts, and how long complaints are compared with one another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IntakeSettings {
    /// Operations a minute without a token, for each address (of an IPv6 network) and node.
    pub requests_per_minute: u32,
    /// Attempts a minute at receipt codes that begin with the same group, for each node.
    pub attempts_per_minute: u32,
    /// Days after the answer within which a receipt reopens its complaint.
    pub reopen_days: u32,
    /// Most days between two complaints that probably say the same.
    pub duplicate_days: u32,
}

impl Default for IntakeSettings {
    fn default() -> Self {
        Self { requests_per_minute: 30, attempts_per_minute: 10, reopen_days: 30, duplicate_days: 90 }
    }
}

impl IntakeSettings {
    /// Checks the settings.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn check(&self) -> anyhow::Result<()> {
        for (name, value) in [
            ("requests_per_minute", self.requests_per_minute),
            ("attempts_per_minute", self.attempts_per_minute),
            ("duplicate_days", self.duplicate_days),
        ] {
            anyhow::ensure!(value > 0, "the configuration, api.intake.{name}: must be 1 or more");
        }
        for (name, value) in [("reopen_days", self.reopen_days), ("duplicate_days", self.duplicate_days)] {
            anyhow::ensure!(value <= MOST_DAYS, "the configuration, api.intake.{name}: must be at most {MOST_DAYS}");
        }
        Ok(())
    }
}

const MOST_DAYS: u32 = 3_650;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        assert!(IntakeSettings::default().check().is_ok());
        for (settings, name) in [
            (IntakeSettings { requests_per_minute: 0, ..IntakeSettings::default() }, "requests_per_minute"),
            (IntakeSettings { attempts_per_minute: 0, ..IntakeSettings::default() }, "attempts_per_minute"),
            (IntakeSettings { duplicate_days: 0, ..IntakeSettings::default() }, "duplicate_days"),
            (IntakeSettings { reopen_days: 4_000, ..IntakeSettings::default() }, "reopen_days"),
        ] {
            let message = settings.check().expect_err(name).to_string();
            assert!(message.contains(name), "{message}");
        }
    }
}
