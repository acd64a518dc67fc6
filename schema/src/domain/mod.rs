//! Rules of the domain that need neither a database nor a clock: ids, dates, working days, states, the legal clock,
//! suspensions, tax codes, the unit tree.

pub mod amounts;
pub mod attachment;
pub mod calendar;
pub mod declaration;
pub mod ids;
pub mod inert;
pub mod legal_clock;
pub mod query_parameter;
pub mod query_text;
pub mod receipt_code;
pub mod state;
pub mod suspension;
pub mod tax_code;
pub mod toml_text;
pub mod tree;
pub mod working_days;
