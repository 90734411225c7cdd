//! The bill of a workload, by part and provider.

use crate::dollars::Dollars;
use crate::part::Part;
use crate::prices::Prices;
use crate::provider::Provider;
use crate::requests::Requests;
use crate::sizes::{SizeName, Sizes};
use crate::workload::Workload;
use crate::{functions, machine, stack};

/// The cost of one month at one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The domain or the machine, if there is one.
    pub size: Option<SizeName>,
    /// The amount of each part that the bill counts.
    pub parts: Vec<(Part, Dollars)>,
}

impl Bill {
    /// Returns the bill of a provider, or `None` if the prices have no size that is large enough.
    pub(crate) fn new(provider: Provider, prices: &Prices, requests: &Requests) -> Option<Self> {
        let of_functions = |parts| Some(Self { size: None, parts });
        match provider {
            Provider::AwsStack => {
                let size = prices.opensearch.sizes.choose(requests)?;
                Some(Self { size: Some(size.name()), parts: stack::parts(prices, size, requests) })
            }
            Provider::OneMachine => {
                let size = prices.machine.sizes.choose(requests)?;
                Some(Self { size: Some(size.name()), parts: machine::parts(prices, size, requests) })
            }
            Provider::Lambda => of_functions(functions::lambda(&prices.lambda, requests)),
            Provider::Workers => of_functions(functions::workers(&prices.workers, requests)),
            Provider::Vercel => of_functions(functions::vercel(&prices.vercel, requests)),
        }
    }

    /// Returns the amount of a part, or `None` if the bill does not count it.
    pub fn part(&self, part: Part) -> Option<Dollars> {
        self.parts.iter().find(|(known, _)| *known == part).map(|(_, amount)| *amount)
    }

    /// Returns the exact sum of all parts. It may differ by a cent from the sum of rounded parts.
    pub fn total(&self) -> Dollars {
        self.parts.iter().map(|(_, amount)| *amount).sum()
    }
}

/// A provider and its bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The provider.
    pub provider: Provider,
    /// The bill, or `None` if the prices have no size that is large enough.
    pub bill: Option<Bill>,
}

/// The bills of all providers for one workload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estimate {
    /// The workload.
    pub workload: Workload,
    /// The bills, in the order of [`Provider::ALL`].
    pub columns: [Column; Provider::ALL.len()],
}

impl Estimate {
    /// Calculates the bills of a workload.
    pub fn new(workload: Workload, prices: &Prices) -> Self {
        let requests = Requests::new(&workload, &prices.assumptions);
        let column = |provider| Column { provider, bill: Bill::new(provider, prices, &requests) };
        Self { workload, columns: Provider::ALL.map(column) }
    }

    /// Returns the bill of a provider, or `None` if the prices have no size that is large enough.
    pub fn bill(&self, provider: Provider) -> Option<&Bill> {
        self.columns.iter().find(|column| column.provider == provider).and_then(|column| column.bill.as_ref())
    }
}

/// Returns the sizes of a provider, if it has any.
pub(crate) fn sizes(provider: Provider, prices: &Prices) -> Option<&Sizes> {
    match provider {
        Provider::AwsStack => Some(&prices.opensearch.sizes),
        Provider::OneMachine => Some(&prices.machine.sizes),
        Provider::Lambda | Provider::Workers | Provider::Vercel => None,
    }
}

#[cfg(test)]
mod tests;
