//! `noren rules check`: whether a rules file is right.

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::Timestamp;
use rules::{Faults, Locale, Rules};

use crate::cli::CheckRulesArgs;
use crate::failure::{Context as _, Failure};

/// Writes what is in the file to standard output, or every fault of it.
///
/// # Errors
/// When the file cannot be read or is not right.
pub fn check(args: &CheckRulesArgs) -> Result<(), Failure> {
    let file = args.file.display();
    let bytes = rules::read_file(&args.file).context(|| format!("cannot read {file}"))?;
    let rules = Rules::parse(&bytes, Locale { currency: args.currency, language: args.language });
    let mut text = String::new();
    // Writing into a text cannot fail.
    let _ = match &rules {
        Ok(rules) => {
            writeln!(
                text,
                "{file} is right: {}; version {}",
                rules.summary(Timestamp::now()),
                rules.version()
            )
        }
        Err(Faults(faults)) => faults.iter().try_for_each(|fault| writeln!(text, "{file}:{fault}")),
    };
    std::io::stdout().write_all(text.as_bytes()).context(|| "writing what was found".to_owned())?;
    match rules {
        Ok(_) => Ok(()),
        Err(Faults(faults)) if faults.len() == 1 => Err(Failure::new(format!("{file} has a fault"))),
        Err(Faults(faults)) => Err(Failure::new(format!("{file} has {} faults", faults.len()))),
    }
}
