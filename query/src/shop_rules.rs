//! The rules of the shop as a running service has them: read when it starts, and again when their file changes.
//!
//! Whoever needs the rules looks at the file, at most once a second, so that nothing runs in the background: between its
//! requests a Lambda function stands still.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

pub use rules::Locale;
use rules::{Faults, Rules};
use runtime::{Gauges, StartError};

/// How often the file is looked at, at most.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// File systems count times in steps of up to two seconds: a file that was changed just now may change again and show
/// the same time and size.
const COARSEST_TIME: Duration = Duration::from_secs(2);
/// Faults of a refused file that are logged, each in a line.
const MAX_LOGGED_FAULTS: usize = 20;

const VERSION: &str = "noren_rules_version";
const RELOADS: &str = "noren_rules_reloads_total";

/// The rules in a file, as they were when it was last right.
#[derive(Debug)]
pub struct ShopRules {
    path: PathBuf,
    locale: Locale,
    look_every: Duration,
    current: RwLock<Arc<Rules>>,
    watch: Mutex<Watch>,
}

/// What was last seen of the file.
#[derive(Debug)]
struct Watch {
    next_look: Instant,
    /// None while there is none.
    stamp: Option<Stamp>,
    /// The version of the text that was last read, whether or not it was right.
    version: u32,
}

/// What changes when a file is written.
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

/// Why a file has no rules.
enum Refused {
    Unreadable(io::Error),
    Faulty(Faults),
}

impl ShopRules {
    /// The rules in the file that is configured; none where none is.
    ///
    /// # Errors
    /// When the file cannot be read, or with all its faults.
    pub fn open_configured(file: Option<&Path>, locale: Locale) -> Result<Option<Arc<Self>>, StartError> {
        let rules = file.map(|path| Self::open(path, locale, LOOK_EVERY));
        rules.transpose().map(|rules| rules.map(Arc::new))
    }

    /// The rules in this file, which is looked at so often, at most.
    ///
    /// # Errors
    /// When the file cannot be read, or with all its faults.
    pub fn open(path: &Path, locale: Locale, look_every: Duration) -> Result<Self, StartError> {
        metrics::describe_gauge!(VERSION, "tells apart the rules in force: equal where the files are");
        metrics::describe_counter!(RELOADS, "changes of the rules file, by `result`: read or refused");
        let shown = path.display();
        let unreadable =
            |error| StartError::because(format!("cannot read the rules file {shown} (NOREN_RULES)"), error);
        // Before it is read, so that a change in between is seen.
        let stamp = Stamp::of(path).map_err(unreadable)?;
        let bytes = rules::read_file(path).map_err(unreadable)?;
        let rules = Rules::parse(&bytes, locale).map_err(|Faults(faults)| {
            let details = faults.iter().map(|fault| format!("{shown}:{fault}")).collect();
            StartError::new(format!(
                "the rules file {shown} (NOREN_RULES) is not right; correct these faults"
            ))
            .with_details(details)
        })?;
        let watch =
            Watch { next_look: Instant::now() + look_every, stamp: Some(stamp), version: rules.version() };
        Ok(Self {
            path: path.to_owned(),
            locale,
            look_every,
            current: RwLock::new(Arc::new(rules)),
            watch: Mutex::new(watch),
        })
    }

    /// The rules in force, which are those of the file as it was at most a second ago, or before it was spoilt.
    pub fn current(&self) -> Arc<Rules> {
        // Somebody else's look is as good as ours.
        if let Ok(mut watch) = self.watch.try_lock()
            && watch.next_look <= Instant::now()
        {
            watch.next_look = Instant::now() + self.look_every;
            self.look(&mut watch);
        }
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn look(&self, watch: &mut Watch) {
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
                    "the rules of the shop were read again"
                );
                metrics::counter!(RELOADS, "result" => "read").increment(1);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
            }
            Err(refused) => {
                metrics::counter!(RELOADS, "result" => "refused").increment(1);
                self.log(&refused);
            }
        }
    }

    /// The rules of a text that was not read before.
    fn read_changed(&self, watch: &mut Watch) -> Result<Option<Rules>, Refused> {
        let bytes = rules::read_file(&self.path).map_err(Refused::Unreadable)?;
        let version = Rules::version_of(&bytes);
        if std::mem::replace(&mut watch.version, version) == version {
            return Ok(None);
        }
        Rules::parse(&bytes, self.locale).map(Some).map_err(Refused::Faulty)
    }

    fn log(&self, refused: &Refused) {
        const STAY: &str = "the rules file is refused, and the rules from before stay";
        let file = self.path.display();
        match refused {
            Refused::Unreadable(error) => tracing::error!(rules.file = %file, error = %error, "{STAY}"),
            Refused::Faulty(Faults(faults)) => {
                for fault in faults.iter().take(MAX_LOGGED_FAULTS) {
                    tracing::error!(
                        rules.file = %file, rules.line = fault.line, rules.column = fault.column,
                        rules.fault = fault.message, rules.faults = faults.len(), "{STAY}"
                    );
                }
            }
        }
    }
}

/// The metrics of the rules, which are as new as the file even where nobody searches.
pub fn gauges(rules: Arc<ShopRules>) -> Gauges {
    Gauges::new(move || {
        metrics::gauge!(VERSION).set(rules.current().version());
        // They are told from the start, so that the first change is an increase.
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
        /// A shop that looks at its file whenever it is asked.
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
    fn a_change_counts_at_the_next_look() {
        let shop = Shop::new();
        assert_eq!(shop.pinned(), ["a"]);
        // As long as before, and within the same step of the clock.
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
    fn a_file_is_looked_at_no_more_often_than_it_should() {
        let shop = Shop::new();
        let seldom = ShopRules { look_every: Duration::from_secs(3600), ..shop.rules };
        seldom.current();
        fs::write(shop.folder.path().join("rules.toml"), "version = 1").unwrap();
        assert_eq!(seldom.current().version(), Rules::version_of(PINNED.as_bytes()));
    }

    #[test]
    fn a_start_with_a_broken_file_fails_with_a_line_for_each_fault() {
        let folder = tempfile::tempdir().unwrap();
        let error = Shop::open(folder.path()).unwrap_err();
        assert!(error.line().contains("rules.toml (NOREN_RULES): No such file"), "{}", error.line());
        fs::write(folder.path().join("rules.toml"), "version = 2\nx = 1").unwrap();
        let error = Shop::open(folder.path()).unwrap_err();
        let details = error.details();
        assert!(error.line().contains("is not right") && details.len() == 2, "{}", error.line());
        assert!(details[0].contains("rules.toml:1:11: is version 2 "), "{details:?}");
        assert!(ShopRules::open_configured(None, Locale::default()).unwrap().is_none());
    }
}
