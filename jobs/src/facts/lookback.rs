//! The look-back windows of the recurrence rules.

/// The windows, in days.
pub const WINDOWS: [i32; 4] = [30, 90, 180, 365];

/// Windows shorter than this are left out for dates known by month alone: they would hold one month or none by
/// accident.
pub const SHORTEST_BY_MONTH: i32 = 90;
