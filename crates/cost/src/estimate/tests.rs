use super::*;
use crate::break_even::BreakEven;
use crate::quantity::{Megabytes, Milliseconds, Monthly, Products};

fn estimate(products: u64, writes: u64, searches: u64, memory: u64, duration: Option<u64>) -> Estimate {
    let workload = Workload {
        products: Products::new(products).unwrap(),
        writes: Monthly::new(writes).unwrap(),
        searches: Monthly::new(searches).unwrap(),
        memory: Megabytes::new(memory).unwrap(),
        duration: duration.map(|duration| Milliseconds::new(duration).unwrap()),
    };
    Estimate::new(workload, &Prices::embedded().unwrap())
}

fn total(estimate: &Estimate, provider: Provider) -> String {
    estimate.bill(provider).unwrap().total().to_string()
}

fn part(estimate: &Estimate, provider: Provider, part: Part) -> String {
    estimate.bill(provider).unwrap().part(part).unwrap().to_string()
}

#[test]
fn functions_alone_cost_what_their_price_lists_say() {
    for (requests, memory, duration, expected) in [
        (10_000, 128, 500, ["0.00", "0.00", "0.00"]),
        (1_000_000, 256, 1_000, ["0.00", "0.00", "0.36"]),
        (10_000_000, 512, 2_000, ["161.80", "5.00", "3.96"]),
    ] {
        // A request costs the same whether it writes or searches.
        for writes in [0, requests / 3, requests] {
            let estimate = estimate(10_000, writes, requests - writes, memory, Some(duration));
            let totals = [Provider::Lambda, Provider::Workers, Provider::Vercel];
            assert_eq!(totals.map(|provider| total(&estimate, provider)), expected, "{requests} requests");
        }
    }
    let estimate = estimate(10_000, 0, 10_000_000, 512, Some(2_000));
    assert_eq!(part(&estimate, Provider::Lambda, Part::FunctionRequests), "1.80");
    assert_eq!(part(&estimate, Provider::Lambda, Part::FunctionCompute), "160.00");
}

#[test]
fn free_tiers_end_at_their_last_request() {
    let at = |requests| estimate(0, 0, requests, 128, Some(1));
    let totals = |provider, requests: [u64; 2]| requests.map(|requests| total(&at(requests), provider));
    // Half a cent at 0.40 a million.
    assert_eq!(totals(Provider::Vercel, [112_499, 112_500]), ["0.00", "0.01"]);
    assert_eq!(totals(Provider::Lambda, [1_024_999, 1_025_000]), ["0.00", "0.01"]);
    // 100,000 a day in a month of 730 hours.
    assert_eq!(totals(Provider::Workers, [3_041_666, 3_041_667]), ["0.00", "5.00"]);
    assert_eq!(totals(Provider::Workers, [10_016_666, 10_016_667]), ["5.00", "5.01"]);
}

/// The amounts that deploy/README.md had before this calculation existed.
#[test]
fn the_stack_costs_what_was_calculated_by_hand() {
    let small = estimate(10_000, 50_000, 500_000, 512, None);
    let medium = estimate(100_000, 1_000_000, 10_000_000, 512, None);
    let large = estimate(1_000_000, 10_000_000, 100_000_000, 512, None);
    let amounts = |part| [&small, &medium, &large].map(|shop| self::part(shop, Provider::AwsStack, part));
    for (part, expected) in [
        (Part::SearchEngine, ["27.50", "191.76", "512.04"]),
        (Part::StoreWrites, ["0.22", "4.38", "43.75"]),
        (Part::StoreReads, ["0.10", "0.30", "2.24"]),
        (Part::Queue, ["0.32", "1.46", "12.26"]),
        (Part::HttpApi, ["0.55", "11.00", "110.00"]),
        (Part::Logs, ["0.58", "11.66", "116.60"]),
        (Part::DataOut, ["0.18", "3.60", "36.00"]),
        (Part::Metrics, ["12.00", "12.00", "12.00"]),
        (Part::Alarms, ["2.70", "2.70", "2.70"]),
    ] {
        assert_eq!(amounts(part), expected, "{part:?}");
    }
    let functions = [&small, &medium, &large].map(|shop| {
        let bill = shop.bill(Provider::AwsStack).unwrap();
        let parts = [Part::FunctionRequests, Part::FunctionCompute];
        parts.map(|part| bill.part(part).unwrap()).into_iter().sum::<Dollars>().to_string()
    });
    assert_eq!(functions, ["0.22", "4.06", "40.42"]);
    let dollars = [&small, &medium, &large]
        .map(|shop| shop.bill(Provider::AwsStack).unwrap().total().cents().round().to_string());
    assert_eq!(dollars, ["44", "243", "888"]);
}

#[test]
fn a_size_holds_its_limits_and_nothing_above() {
    let size = |products, writes, searches| {
        let estimate = estimate(products, writes, searches, 512, None);
        estimate.bill(Provider::AwsStack).map(|bill| bill.size.clone().unwrap().instance)
    };
    let small = Some("t3.small.search".to_owned());
    let medium = Some("m6g.large.search".to_owned());
    assert_eq!(size(10_000, 50_000, 500_000), small);
    for one_more in [(10_001, 50_000, 500_000), (10_000, 50_001, 500_000), (10_000, 50_000, 500_001)] {
        assert_eq!(size(one_more.0, one_more.1, one_more.2), medium, "{one_more:?}");
    }
    assert_eq!(size(0, 0, 100_000_001), None);
    assert!(estimate(0, 0, 100_000_001, 512, None).bill(Provider::Lambda).is_some());
}

#[test]
fn the_largest_workload_has_a_bill() {
    let most = 100_000_000_000;
    let estimate = estimate(10_000_000_000, most, most, 10_240, Some(900_000));
    assert!(estimate.bill(Provider::OneMachine).is_none());
    // 200 billion requests: 40,000 less the free million, and 1,800,000,000,000,000 GB-seconds less 400,000.
    assert_eq!(total(&estimate, Provider::Lambda), "30000099993.13");
}

/// Returns the prices of the program with every price and every other number as high as the file may have it.
fn highest_prices() -> Prices {
    let line = |line: &str| match line.split_once(" = ") {
        Some((key, value)) if value.starts_with('"') && value.contains("0.") => {
            format!("{key} = \"1000000\"")
        }
        Some((key @ ("products" | "writes" | "searches"), _)) => format!("{key} = 10_000_000_000"),
        Some((key, value)) if key != "as_of" && value.starts_with(|c: char| c.is_ascii_digit()) => {
            format!("{key} = {}", u32::MAX)
        }
        _ => line.to_owned(),
    };
    let text: Vec<String> = include_str!("../../prices.toml").lines().map(line).collect();
    Prices::parse(&text.join("\n")).unwrap()
}

#[test]
fn the_highest_prices_and_workload_fit_the_numbers() {
    let prices = highest_prices();
    let workload = Workload {
        products: Products::new(10_000_000_000).unwrap(),
        writes: Monthly::new(10_000_000_000).unwrap(),
        searches: Monthly::new(10_000_000_000).unwrap(),
        memory: Megabytes::new(10_240).unwrap(),
        duration: Some(Milliseconds::new(900_000).unwrap()),
    };
    let estimate = Estimate::new(workload, &prices);
    assert!(estimate.columns.iter().all(|column| column.bill.is_some()));
    assert_eq!(BreakEven::all(&workload, &prices).len(), 7);
    let most = Monthly::new(100_000_000_000).unwrap();
    let estimate = Estimate::new(Workload { writes: most, searches: most, ..workload }, &prices);
    assert!(estimate.bill(Provider::Lambda).unwrap().total() > Dollars::default());
}
