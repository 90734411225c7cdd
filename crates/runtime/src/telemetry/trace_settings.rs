//! The values of `OTEL_*` variables that the SDK would ignore if they are wrong, or that would harm the service.

use std::str::FromStr;
use std::time::Duration;

use crate::StartError;

/// The samplers of the specification.
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// The most spans that may wait to be sent: some 500 MB.
const MAX_QUEUE: u64 = 1_000_000;

/// Settings of the export.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Settings {
    /// The time limit for one export.
    pub(super) timeout: Duration,
    /// The most spans that can wait, those that are being sent included.
    pub(super) capacity: u64,
}

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    /// Names the variable with a wrong value, and what to write.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, StartError> {
        let value =
            |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let refused = |name: &str, value: &str, advice: &str| {
            StartError::usage(format!("{name}={value} cannot be used; write {advice}"))
        };
        if let Some(exporter) = value("OTEL_TRACES_EXPORTER").filter(|exporter| exporter != "otlp") {
            return Err(refused("OTEL_TRACES_EXPORTER", &exporter, "otlp or none"));
        }
        if let Some(sampler) = value("OTEL_TRACES_SAMPLER").filter(|name| !SAMPLERS.contains(&name.as_str()))
        {
            return Err(refused("OTEL_TRACES_SAMPLER", &sampler, &format!("one of {}", SAMPLERS.join(", "))));
        }
        if let Some(ratio) = value("OTEL_TRACES_SAMPLER_ARG")
            && !ratio.parse().is_ok_and(|ratio: f64| (0.0..=1.0).contains(&ratio))
        {
            return Err(refused("OTEL_TRACES_SAMPLER_ARG", &ratio, "a number from 0 to 1, such as 0.01"));
        }
        let number = |name: &str, default: u64, least: u64, most: u64| match value(name) {
            None => Ok(default),
            Some(text) => match u64::from_str(&text) {
                Ok(number) if (least..=most).contains(&number) => Ok(number),
                _ => Err(refused(name, &text, &format!("a whole number from {least} to {most}"))),
            },
        };
        let day = 24 * 60 * 60 * 1000;
        number("OTEL_BSP_SCHEDULE_DELAY", 5000, 1, day)?;
        let queue = number("OTEL_BSP_MAX_QUEUE_SIZE", 2048, 1, MAX_QUEUE)?;
        let batch = number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, 1, MAX_QUEUE)?;
        let timeout = number("OTEL_EXPORTER_OTLP_TIMEOUT", 10_000, 1, day)?;
        let timeout = number("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", timeout, 1, day)?;
        Ok(Self { timeout: Duration::from_millis(timeout), capacity: queue + batch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Settings, String> {
        let variable = |asked: &str| (asked == name).then(|| value.to_owned());
        Settings::read(variable).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_that_the_sdk_would_ignore_is_refused() {
        for (name, right, wrong) in [
            ("OTEL_TRACES_EXPORTER", "otlp", "console"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio", "sometimes"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.01", "1.5"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100", "0"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "4096", "18446744073709551615"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2000", "2s"),
        ] {
            assert!(read(name, right).is_ok(), "{name}={right}");
            let error = read(name, wrong).unwrap_err();
            assert!(error.contains(&format!("{name}={wrong} cannot be used; write ")), "{error}");
        }
        assert_eq!(
            read("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2000").unwrap().timeout,
            Duration::from_secs(2)
        );
    }
}
