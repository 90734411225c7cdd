//! Sizes of domains and machines, and the choice among them.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::dollars::Dollars;
use crate::month::HOURS;
use crate::quantity::{Monthly, Products};
use crate::requests::Requests;
use crate::toml_fields::Price;

/// Instances with disks, and the workloads that they are for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Size {
    instance: String,
    count: u32,
    hour: Price,
    disk_gb: u32,
    products: Products,
    writes: Monthly,
    searches: Monthly,
}

/// The name of a size: instances and disks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SizeName {
    /// The type of the instances.
    pub instance: String,
    /// The number of instances.
    pub count: u32,
    /// GB of disk of each instance.
    pub disk_gb: u32,
}

impl Size {
    fn fits(&self, requests: &Requests) -> bool {
        requests.products <= self.products.into()
            && requests.writes <= self.writes.into()
            && requests.searches <= self.searches.into()
    }

    /// Returns the cost of the instances and their disks for a month.
    pub(crate) fn month(&self, gb_month: Price) -> Dollars {
        let count = Decimal::from(self.count);
        self.hour.times(count * HOURS) + gb_month.times(count * Decimal::from(self.disk_gb))
    }

    /// Returns the price of one instance for an hour.
    pub(crate) fn hour(&self) -> Price {
        self.hour
    }

    /// Returns the number of instances.
    pub(crate) fn count(&self) -> Decimal {
        self.count.into()
    }

    /// Returns the name of the size.
    pub(crate) fn name(&self) -> SizeName {
        SizeName { instance: self.instance.clone(), count: self.count, disk_gb: self.disk_gb }
    }
}

/// One or more sizes; the first that fits a workload is taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<Size>")]
pub(crate) struct Sizes(Vec<Size>);

impl TryFrom<Vec<Size>> for Sizes {
    type Error = &'static str;
    fn try_from(sizes: Vec<Size>) -> Result<Self, &'static str> {
        match sizes.is_empty() {
            true => Err("must have at least one size"),
            false => Ok(Self(sizes)),
        }
    }
}

impl Sizes {
    /// Returns the first size that is for these requests, or `None` if all are too small.
    pub(crate) fn choose(&self, requests: &Requests) -> Option<&Size> {
        self.0.iter().find(|size| size.fits(requests))
    }

    /// Returns the numbers of requests at which the choice may change, with the mix of `requests`.
    pub(crate) fn bounds(&self, requests: &Requests) -> Vec<Decimal> {
        let total = requests.total();
        let bound =
            |limit: Monthly, part: Decimal| (!part.is_zero()).then(|| Decimal::from(limit) * total / part);
        let bounds =
            |size: &Size| [bound(size.writes, requests.writes), bound(size.searches, requests.searches)];
        self.0.iter().flat_map(bounds).flatten().collect()
    }

    /// Returns all sizes.
    pub(crate) fn all(&self) -> &[Size] {
        &self.0
    }
}
