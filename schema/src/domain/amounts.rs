//! How much a complaint can have cost: more is a mistake of whoever wrote it down.

/// The most that a complaint is taken to have cost, in VND; a mapping may say more.
pub const MOST_COST_VND: i64 = 1_000_000_000_000;

/// The most hours that a complaint is taken to have held somebody up, some eleven years; a mapping may say more.
pub const MOST_DELAY_HOURS: i64 = 100_000;
