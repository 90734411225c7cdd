//! The vocabulary of the demo catalogue. All brands are invented.

mod electronics;
mod garden_and_books;
mod home_and_leisure;
mod kitchen;
mod shared;
mod toys_and_outdoor;

use crate::product_line::ProductLine;

/// Returns every product line. Their order is part of the catalogue: another order gives other products.
pub(crate) fn product_lines() -> Vec<&'static ProductLine> {
    let groups = [
        electronics::LINES,
        kitchen::LINES,
        garden_and_books::LINES,
        toys_and_outdoor::LINES,
        home_and_leisure::LINES,
    ];
    groups.into_iter().flatten().collect()
}
