//! The shop's rules in a running service: read at the start, and again when the file changes.
//!
//! A request that needs the rules checks the file, at most once a second. Nothing runs in the background, because a Lambda
//! function is frozen between its requests.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

pub use rules::Locale;
use rules::{Faults, Rules};
use runtime::{Gauges, StartError};

/// The minimum time between two checks of the file.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The coarsest resolution of modification times among file systems. A file that was modified within this time may change
/// again with the same time and size.
const COARSEST_TIME: Duration = Duration::from_secs(2);
/// The most faults of a rejected file to log, one line each.
const MAX_LOGGED_FAULTS: usize = 20;

const VERSION: &str = "noren_rules_version";
const RELOADS: &str = "noren_rules_reloads_total";

/// The rules in a file, as of its last valid content.
#[derive(Debug)]
pub struct ShopRules {
    path: PathBuf,
    locale: Locale,
    check_interval: Duration,
    current: RwLock<Arc<Rules>>,
    watch: Mutex<Watch>,
}

/// The last observed state of the file.
#[derive(Debug)]
struct Watch {
    next_check: Instant,
    /// `None` if the file does not exist.
    stamp: Option<Stamp>,
    /// The version of the content that was last read, valid or not.
    version: u32,
}

/// The attributes that change when the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        Ok(Self { modified: file.modified()?, bytes: file.len() })
    }

    fn is_fresh(&self) -> bool {
        self.modified.elapsed().is_ok_and(|age| age < COARSEST_TIME)
    }
}

/// The reason why a file is rejected.
enum Rejection {
    Unreadable(io::Error),
    Invalid(Faults),
}

impl ShopRules {
    /// Opens the configured file; returns `None` if none is configured.
    ///
    /// # Errors
    /// If the file cannot be read, or has faults: the error lists all of them.
    pub fn open_configured(file: Option<&Path>, locale: Locale) -> Result<Option<Arc<Self>>, StartError> {
        let rules = file.map(|path| Self::open(path, locale, CHECK_INTERVAL));
        rules.transpose().map(|rules| rules.map(Arc::new))
    }

    /// Opens a file. [`current`](Self::current) checks it for changes no more often than `check_interval`.
    ///
    /// # Errors
    /// If the file cannot be read, or has faults: the error lists all of them.
    pub fn open(path: &Path, locale: Locale, check_interval: Duration) -> Result<Self, StartError> {
        metrics::describe_gauge!(VERSION, "version of the rules in effect: equal for equal files");
        metrics::describe_counter!(RELOADS, "changes of the rules file, by `result`: read or refused");
        let shown = path.display();
        let unreadable = |error| {
            StartError::because(
                format!(
                    "cannot read the rules file {shown}; set NOREN_RULES (--rules) to a readable TOML file"
                ),
                error,
            )
        };
        // Taken before reading, so that a change in between is detected.
        let stamp = Stamp::of(path).map_err(unreadable)?;
        let bytes = rules::read_file(path).map_err(unreadable)?;
        let rules = Rules::parse(&bytes, locale).map_err(|Faults(faults)| {
            let details = faults.iter().map(|fault| format!("{shown}:{fault}")).collect();
            StartError::new(format!("the rules file {shown} (NOREN_RULES) has faults; correct them"))
                .with_details(details)
        })?;
        let watch = Watch {
            next_check: Instant::now() + check_interval,
            stamp: Some(stamp),
            version: rules.version(),
        };
        Ok(Self {
            path: path.to_owned(),
            locale,
            check_interval,
            current: RwLock::new(Arc::new(rules)),
            watch: Mutex::new(watch),
        })
    }

    /// Returns the rules in effect: those of the last valid content of the file, as of the last check.
    pub fn current(&self) -> Arc<Rules> {
        // If another request is checking at the moment, this one need not.
        if let Ok(mut watch) = self.watch.try_lock()
            && watch.next_check <= Instant::now()
        {
            watch.next_check = Instant::now() + self.check_interval;
            self.check(&mut watch);
        }
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn check(&self, watch: &mut Watch) {
        let stamp = Stamp::of(&self.path).ok();
        if stamp == watch.stamp && !stamp.is_some_and(|stamp| stamp.is_fresh()) {
            return;
        }
        watch.stamp = stamp;
        match self.read_changed(watch) {
            Ok(None) => {}
            Ok(Some(rules)) => {
                tracing::info!(
                    rules.file = %self.path.display(), rules.version = rules.version(),
                    "reloaded the rules of the shop"
                );
                metrics::counter!(RELOADS, "result" => "read").increment(1);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
            }
            Err(rejection) => {
                metrics::counter!(RELOADS, "result" => "refused").increment(1);
                self.log(&rejection);
            }
        }
    }

    /// Reads the file; returns `None` if its content was read before.
    fn read_changed(&self, watch: &mut Watch) -> Result<Option<Rules>, Rejection> {
        let bytes = rules::read_file(&self.path).map_err(Rejection::Unreadable)?;
        let version = Rules::version_of(&bytes);
        if std::mem::replace(&mut watch.version, version) == version {
            return Ok(None);
        }
        Rules::parse(&bytes, self.locale).map(Some).map_err(Rejection::Invalid)
    }

    fn log(&self, rejection: &Rejection) {
        const KEPT: &str = "the rules file is invalid; the previous rules stay in effect";
        let file = self.path.display();
        match rejection {
            Rejection::Unreadable(error) => tracing::error!(rules.file = %file, error = %error, "{KEPT}"),
            Rejection::Invalid(Faults(faults)) => {
                for fault in faults.iter().take(MAX_LOGGED_FAULTS) {
                    tracing::error!(
                        rules.file = %file, rules.line = fault.line, rules.column = fault.column,
                        rules.fault = fault.message, rules.faults = faults.len(), "{KEPT}"
                    );
                }
            }
        }
    }
}

/// Returns the metrics of the rules. Each reading also checks the file, so they are current even without searches.
pub fn gauges(rules: Arc<ShopRules>) -> Gauges {
    Gauges::new(move || {
        metrics::gauge!(VERSION).set(rules.current().version());
        // Exported from the start, so that the first change is an increase.
        for result in ["read", "refused"] {
            metrics::counter!(RELOADS, "result" => result).increment(0);
        }
        async {}
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;

    const PINNED: &str = "version = 1\n[[pin]]\nquery = \"tea\"\nproducts = \"a\"\n";

    struct Shop {
        folder: tempfile::TempDir,
        rules: ShopRules,
    }

    impl Shop {
        /// Returns a shop that checks its file at every request.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("rules.toml"), PINNED).unwrap();
            let rules = Self::open(folder.path()).unwrap();
            Self { folder, rules }
        }

        fn open(folder: &Path) -> Result<ShopRules, StartError> {
            ShopRules::open(&folder.join("rules.toml"), Locale::default(), Duration::ZERO)
        }

        fn write(&self, text: &str) {
            fs::write(self.folder.path().join("rules.toml"), text).unwrap();
        }

        fn pinned(&self) -> Vec<String> {
            let tuning = self.rules.current().tuning("tea", Currency::USD, jiff::Timestamp::UNIX_EPOCH);
            tuning.pinned.iter().map(ToString::to_string).collect()
        }
    }

    #[test]
    fn a_change_takes_effect_at_the_next_check() {
        let shop = Shop::new();
        assert_eq!(shop.pinned(), ["a"]);
        // The same size, and within the resolution of modification times.
        shop.write(&PINNED.replace("\"a\"", "\"b\""));
        assert_eq!(shop.pinned(), ["b"]);
        shop.write("version = 1");
        assert_eq!(shop.pinned(), [""; 0]);
    }

    #[test]
    fn a_file_that_is_broken_or_gone_changes_nothing() {
        let shop = Shop::new();
        let version = shop.rules.current().version();
        shop.write("version = 1\n[[pin]]\nquery = 5\n");
        assert_eq!(shop.pinned(), ["a"]);
        fs::remove_file(shop.folder.path().join("rules.toml")).unwrap();
        assert_eq!(shop.pinned(), ["a"]);
        assert_eq!(shop.rules.current().version(), version);
        shop.write(&PINNED.replace("\"a\"", "\"c\""));
        assert_eq!(shop.pinned(), ["c"]);
    }

    #[test]
    fn the_file_that_was_right_is_taken_again_after_a_broken_one() {
        let shop = Shop::new();
        shop.write("version = 2");
        assert_eq!(shop.pinned(), ["a"]);
        shop.write(PINNED);
        assert_eq!(shop.pinned(), ["a"]);
    }

    #[test]
    fn a_file_is_checked_no_more_often_than_configured() {
        let shop = Shop::new();
        let seldom = ShopRules { check_interval: Duration::from_secs(3600), ..shop.rules };
        seldom.current();
        fs::write(shop.folder.path().join("rules.toml"), "version = 1").unwrap();
        assert_eq!(seldom.current().version(), Rules::version_of(PINNED.as_bytes()));
    }

    #[test]
    fn a_start_with_a_broken_file_fails_with_a_line_for_each_fault() {
        let folder = tempfile::tempdir().unwrap();
        let error = Shop::open(folder.path()).unwrap_err();
        let line = "rules.toml; set NOREN_RULES (--rules) to a readable TOML file: No such file";
        assert!(error.line().contains(line), "{}", error.line());
        fs::write(folder.path().join("rules.toml"), "version = 2\nx = 1").unwrap();
        let error = Shop::open(folder.path()).unwrap_err();
        let details = error.details();
        assert!(error.line().contains("has faults; correct them") && details.len() == 2, "{}", error.line());
        assert!(details[0].contains("rules.toml:1:11: is version 2 "), "{details:?}");
        assert!(ShopRules::open_configured(None, Locale::default()).unwrap().is_none());
    }
}
