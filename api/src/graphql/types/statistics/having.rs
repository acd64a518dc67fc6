//! The operators on the measures of groups.

use crate::graphql::filter::{DecimalOps, FloatOps, IntOps};
use crate::graphql::scalars::Decimal;

/// The kind of number that a measure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    Whole,
    Float,
    /// A sum of VND.
    Money,
}

/// Operators on a kind of number.
pub trait OperatorsOn {
    const NUMBER: Number;
}

/// The operators on a measure, with operands as numbers.
pub struct Ops {
    eq: Option<f64>,
    ne: Option<f64>,
    one_of: Option<Vec<f64>>,
    gt: Option<f64>,
    gte: Option<f64>,
    lt: Option<f64>,
    lte: Option<f64>,
    is_null: Option<bool>,
}

/// Makes [`Ops`] of the operators on a type of operand: the kind of number, and how an operand becomes one.
macro_rules! numbers {
    ($($ops:ty, $kind:ident: $operand:ty => $number:expr;)+) => {
        $(
            impl OperatorsOn for $ops {
                const NUMBER: Number = Number::$kind;
            }

            impl From<&$ops> for Ops {
                fn from(ops: &$ops) -> Self {
                    let number: fn(&$operand) -> f64 = $number;
                    Self {
                        eq: ops.eq.as_ref().map(number),
                        ne: ops.ne.as_ref().map(number),
                        one_of: ops.r#in.as_ref().map(|values| values.iter().map(number).collect()),
                        gt: ops.gt.as_ref().map(number),
                        gte: ops.gte.as_ref().map(number),
                        lt: ops.lt.as_ref().map(number),
                        lte: ops.lte.as_ref().map(number),
                        is_null: ops.is_null,
                    }
                }
            }
        )+
    };
}

numbers! {
    IntOps, Whole: i32 => |n| f64::from(*n);
    FloatOps, Float: f64 => |x| *x;
    DecimalOps, Money: Decimal => |amount| amount.0 as f64;
}

impl Ops {
    /// Whether a value satisfies all operators; None is a missing value.
    pub fn holds(&self, value: Option<f64>) -> bool {
        if self.is_null.is_some_and(|null| null != value.is_none()) {
            return false;
        }
        let Some(value) = value else {
            let compares = self.one_of.is_some()
                || [self.eq, self.ne, self.gt, self.gte, self.lt, self.lte].iter().any(Option::is_some);
            return !compares;
        };
        self.eq.is_none_or(|other| value == other)
            && self.ne.is_none_or(|other| value != other)
            && self.one_of.as_ref().is_none_or(|all| all.contains(&value))
            && self.gt.is_none_or(|other| value > other)
            && self.gte.is_none_or(|other| value >= other)
            && self.lt.is_none_or(|other| value < other)
            && self.lte.is_none_or(|other| value <= other)
    }
}
