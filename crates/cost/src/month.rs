//! The length of a month, in the units that prices use.

use rust_decimal::Decimal;

/// Hours in a month: a year of 365 days has 8,760.
pub(crate) const HOURS: Decimal = Decimal::from_parts(730, 0, 0, false, 0);
/// Minutes in a month.
pub(crate) const MINUTES: Decimal = Decimal::from_parts(43_800, 0, 0, false, 0);

/// Returns the number of events in a month from that on each day.
pub(crate) fn from_daily(number: Decimal) -> Decimal {
    number * HOURS / Decimal::from(24)
}
