//! Plausibility limits for the cost and the delay of a complaint; larger numbers are taken for typing errors.

/// The largest accepted cost of a complaint, in VND; a mapping may set a larger limit.
pub const MOST_COST_VND: i64 = 1_000_000_000_000;

/// The largest accepted delay, in hours (about eleven years); a mapping may set a larger limit.
pub const MOST_DELAY_HOURS: i64 = 100_000;
