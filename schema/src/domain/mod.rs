//! Rules of the domain that neither a database nor a clock decides.

pub mod amounts;
pub mod calendar;
pub mod declaration;
pub mod ids;
pub mod inert;
pub mod state;
pub mod tax_code;
pub mod tree;
