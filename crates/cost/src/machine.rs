//! The cost of one machine.

use crate::dollars::Dollars;
use crate::month::HOURS;
use crate::part::Part;
use crate::prices::Prices;
use crate::requests::Requests;
use crate::sizes::Size;
use crate::stack::data_out;

/// Returns the cost by part.
pub(crate) fn parts(prices: &Prices, size: &Size, requests: &Requests) -> Vec<(Part, Dollars)> {
    let machine = size.month(prices.volume.gb_month) + prices.address.hour.times(size.count() * HOURS);
    vec![(Part::Machine, machine), (Part::DataOut, data_out(prices, requests.searches))]
}
