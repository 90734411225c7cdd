//! Who may use a service.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use access::jwt::{JwksSource, JwtOptions, JwtOptionsError, JwtVerifier};
use access::limits::{DEFAULT_FAILURES, FailOpen, LimitOptions, Limits};
use access::{Keyring, RateLimit, Scope, Scopes, SecretHash};
use clap::builder::EnumValueParser;
use clap::{Args, ValueEnum};
use ipnet::IpNet;

use super::access_values::{Trimmed, parse_host, parse_network, parse_origin};
use crate::StartError;
use crate::access::{Authenticator, Guard, GuardOptions, Hosts, Origins};

/// Who may use a service.
#[derive(Debug, Clone, Args)]
pub struct Access {
    /// Who may use the service: those with API keys (`keys`, see `noren keys`), with tokens of an identity provider (`jwt`), or
    /// both (`keys,jwt`); `none` lets everyone do everything. A service that only this machine reaches has none by
    /// default; any other must choose
    #[arg(
        long,
        env = "NOREN_ACCESS",
        value_name = "KIND",
        value_delimiter = ',',
        value_parser = Trimmed(EnumValueParser::<AccessKind>::new())
    )]
    pub access: Vec<AccessKind>,
    /// What clients without a key may do
    #[arg(long, env = "NOREN_ANONYMOUS", value_name = "SCOPE", default_value = "nothing")]
    pub anonymous: Anonymous,
    /// Host names under which clients may call the service without keys, separated by commas; addresses and localhost are always
    /// allowed
    #[arg(long, env = "NOREN_HOSTS", value_name = "NAMES", value_delimiter = ',', value_parser = parse_host)]
    pub hosts: Vec<String>,
    /// Sites whose pages may use every route, such as https://admin.example, separated by commas; pages of all sites may
    /// search
    #[arg(long, env = "NOREN_CORS", value_name = "ORIGINS", value_delimiter = ',', value_parser = parse_origin)]
    pub cors: Vec<String>,
    /// Addresses of proxies whose X-Forwarded-For header is believed, such as 10.0.0.0/8, separated by commas
    #[arg(long, env = "NOREN_TRUSTED_PROXIES", value_name = "ADDRESSES", value_delimiter = ',', value_parser = parse_network)]
    pub trusted_proxies: Vec<IpNet>,
    /// SHA-256 of a key that may do everything, in hexadecimal digits; it works also when no other key exists
    #[arg(long, env = "NOREN_ROOT_KEY_HASH", value_name = "SHA256", hide_env_values = true)]
    pub root_key_hash: Option<SecretHash>,
    /// Store of the API keys
    #[arg(long, env = "NOREN_ACCESS_STORE", default_value = "sqlite")]
    pub access_store: AccessStoreKind,
    /// Table of the API keys in DynamoDB
    #[arg(long, env = "NOREN_ACCESS_TABLE", default_value = "noren-access", value_name = "NAME")]
    pub access_table: String,
    /// Tokens that are accepted.
    #[command(flatten)]
    pub jwt: Jwt,
    /// Most requests of a client in a number of seconds, such as 600/60, in this process; a key may have a limit of its own
    #[arg(long, env = "NOREN_RATE_LIMIT", value_name = "REQUESTS/SECONDS")]
    pub rate_limit: Option<RateLimit>,
    /// Whether the log has an entry for each write and each action of an operator: who, what, when and from where
    #[arg(
        long,
        env = "NOREN_AUDIT",
        value_name = "on|off",
        hide_possible_values = true,
        default_value = "on"
    )]
    pub audit: AuditLog,
}

/// The switch of the audit log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AuditLog {
    /// It has
    On,
    /// It has none
    Off,
}

/// The JSON Web Tokens that are accepted.
#[derive(Debug, Clone, Args)]
pub struct Jwt {
    /// File with the secret of HS256 tokens, at least 32 bytes
    #[arg(long, env = "NOREN_JWT_SECRET_FILE", value_name = "FILE")]
    pub jwt_secret_file: Option<PathBuf>,
    /// Key set of RS256, ES256 and EdDSA tokens: an https:// address or a file
    #[arg(long, env = "NOREN_JWKS", value_name = "URL|FILE", hide_env_values = true)]
    pub jwks: Option<String>,
    /// Issuer of the tokens, their claim `iss`
    #[arg(
        long,
        env = "NOREN_JWT_ISSUER",
        value_name = "ISSUER",
        default_value = "",
        hide_default_value = true
    )]
    pub jwt_issuer: String,
    /// Audience of the tokens, their claim `aud`
    #[arg(
        long,
        env = "NOREN_JWT_AUDIENCE",
        value_name = "AUDIENCE",
        default_value = "",
        hide_default_value = true
    )]
    pub jwt_audience: String,
    /// Claim with the scopes of a token
    #[arg(long, env = "NOREN_JWT_SCOPE_CLAIM", value_name = "CLAIM", default_value = "scope")]
    pub jwt_scope_claim: String,
}

impl Jwt {
    /// Opens the verifier.
    fn open(&self) -> Result<JwtVerifier, StartError> {
        let jwks = self.jwks.as_ref().map(|jwks| match jwks.contains("://") {
            true => JwksSource::Url(jwks.clone()),
            false => JwksSource::File(jwks.into()),
        });
        let options = JwtOptions {
            secret_file: self.jwt_secret_file.clone(),
            jwks,
            issuer: self.jwt_issuer.clone(),
            audience: self.jwt_audience.clone(),
            scope_claim: self.jwt_scope_claim.clone(),
        };
        let missing = [
            ("NOREN_JWT_ISSUER", options.issuer.is_empty()),
            ("NOREN_JWT_AUDIENCE", options.audience.is_empty()),
            ("NOREN_JWT_SECRET_FILE or NOREN_JWKS", options.secret_file.is_none() && options.jwks.is_none()),
        ];
        let missing: Vec<&str> =
            missing.into_iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| name).collect();
        if !missing.is_empty() {
            return Err(StartError::usage(format!("NOREN_ACCESS=jwt needs {}", missing.join(", and "))));
        }
        JwtVerifier::open(options).map_err(|error| match &error {
            JwtOptionsError::Empty(_) => {
                StartError::usage("NOREN_JWT_SCOPE_CLAIM must name a claim, such as scope")
            }
            JwtOptionsError::Url { .. } => StartError::usage(format!("NOREN_JWKS cannot be used: {error}")),
            JwtOptionsError::SecretFile { .. } | JwtOptionsError::SecretLength { .. } => {
                StartError::because("NOREN_JWT_SECRET_FILE cannot be used", error)
            }
            _ => StartError::because("NOREN_JWKS cannot be used", error),
        })
    }
}

/// A way to control access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AccessKind {
    /// Everyone may do everything
    None,
    /// API keys
    Keys,
    /// JSON Web Tokens
    Jwt,
}

/// The rights of clients without credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Anonymous {
    /// Nothing
    Nothing,
    /// Search
    Search,
}

/// A kind of access store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AccessStoreKind {
    /// A file in the data folder
    Sqlite,
    /// A table in DynamoDB
    Dynamodb,
}

/// The way in which clients reach a service.
#[derive(Debug, Clone, Copy)]
pub enum Reach {
    /// At an address.
    Address(SocketAddr),
    /// Through an API of AWS, whose certificate ties its name to the function.
    Lambda,
}

impl Access {
    /// Returns true if API keys are accepted.
    pub fn accepts_keys(&self) -> bool {
        self.access.contains(&AccessKind::Keys)
    }

    /// Returns true if clients without a key may search.
    pub fn lets_everyone_search(&self) -> bool {
        let has_keys = self.access.iter().any(|kind| *kind != AccessKind::None);
        !has_keys || self.anonymous == Anonymous::Search
    }

    /// Checks that the settings fit each other and the reach of the service.
    ///
    /// # Errors
    /// If others reach the service and `NOREN_ACCESS` is not set, or if settings contradict each other.
    pub fn check(&self, reach: Reach) -> Result<(), StartError> {
        if self.access.contains(&AccessKind::None) && self.access.len() > 1 {
            return Err(StartError::usage(
                "NOREN_ACCESS=none cannot be combined with another value; choose one",
            ));
        }
        self.check_root_key()?;
        self.check_effect()?;
        let how = "set NOREN_ACCESS=keys and create one with `noren keys create`, or set NOREN_ACCESS=none to let \
                   everyone read, write and delete everything";
        match (self.access.is_empty(), reach) {
            (false, _) => Ok(()),
            (true, Reach::Address(address)) if address.ip().to_canonical().is_loopback() => Ok(()),
            (true, Reach::Address(address)) => Err(StartError::usage(format!(
                "others can reach {address}, and nothing says who may use it; {how}"
            ))),
            (true, Reach::Lambda) => {
                Err(StartError::usage(format!("nothing says who may use this function; {how}")))
            }
        }
    }

    /// Refuses the hash of an empty text, which `sha256sum` prints if the variable with the key is not set.
    fn check_root_key(&self) -> Result<(), StartError> {
        let is_of_nothing =
            |hash: &SecretHash| ["", "\n"].iter().any(|text| *hash == SecretHash::of_text(text));
        match self.root_key_hash.as_ref().is_some_and(is_of_nothing) {
            true => Err(StartError::usage(
                "NOREN_ROOT_KEY_HASH is the hash of an empty text; choose a key of 32 random bytes",
            )),
            false => Ok(()),
        }
    }

    /// Refuses settings without effect: whoever sets them believes that they control access.
    fn check_effect(&self) -> Result<(), StartError> {
        let jwt = [
            ("NOREN_JWT_SECRET_FILE", self.jwt.jwt_secret_file.is_some()),
            ("NOREN_JWKS", self.jwt.jwks.is_some()),
            ("NOREN_JWT_ISSUER", !self.jwt.jwt_issuer.is_empty()),
            ("NOREN_JWT_AUDIENCE", !self.jwt.jwt_audience.is_empty()),
        ];
        let any = [
            ("NOREN_ROOT_KEY_HASH", self.root_key_hash.is_some()),
            ("NOREN_ANONYMOUS", self.anonymous == Anonymous::Search),
        ];
        let set =
            |settings: &[(&'static str, bool)]| settings.iter().find(|(_, set)| *set).map(|(name, _)| *name);
        let accepts_jwt = self.access.contains(&AccessKind::Jwt);
        match (set(&jwt), set(&any)) {
            (Some(name), _) if !accepts_jwt && !self.access.contains(&AccessKind::None) => {
                Err(StartError::usage(format!(
                    "{name} has no effect unless NOREN_ACCESS accepts tokens; set NOREN_ACCESS=jwt or keys,jwt, or unset {name}"
                )))
            }
            (_, Some(name)) if self.access.is_empty() => Err(StartError::usage(format!(
                "{name} has no effect without NOREN_ACCESS; set NOREN_ACCESS=keys, jwt or keys,jwt, or unset {name}"
            ))),
            _ => Ok(()),
        }
    }

    /// Returns true if requests need credentials.
    fn asks_for_credentials(&self) -> bool {
        self.access.iter().any(|kind| *kind != AccessKind::None)
    }

    /// Returns the guard of a service that is not ready to check keys and tokens yet: it knows the root key only.
    pub fn guard_of_start(&self) -> Guard {
        let root_key_only = || Authenticator { root_key: self.root_key_hash.clone(), keys: None, jwt: None };
        let authenticator = self.asks_for_credentials().then(root_key_only);
        Guard::new(GuardOptions { authenticator, ..GuardOptions::default() })
    }

    /// Returns the guard of a service. `keyring` are the keys, if they are accepted.
    ///
    /// # Errors
    /// If tokens are accepted and cannot be checked.
    pub fn guard(&self, reach: Reach, keyring: Option<Arc<Keyring>>) -> Result<Guard, StartError> {
        let asks = self.asks_for_credentials();
        if self.access.contains(&AccessKind::None) {
            tracing::warn!(
                "NOREN_ACCESS=none: whoever reaches this service may read, write and delete everything"
            );
        }
        if self.trusted_proxies.iter().any(|proxies| proxies.prefix_len() == 0) {
            tracing::warn!(
                "NOREN_TRUSTED_PROXIES has every address: whoever sends X-Forwarded-For chooses the address that is logged and limited"
            );
        }
        let anonymous = match self.anonymous {
            Anonymous::Nothing => Scopes::NONE,
            Anonymous::Search => Scope::Search.into(),
        };
        let hosts = match reach {
            Reach::Address(_) => Hosts::new(&self.hosts),
            Reach::Lambda => Hosts::any(),
        };
        let jwt = match self.access.contains(&AccessKind::Jwt) {
            true => Some(self.jwt.open()?),
            false => None,
        };
        let limits = LimitOptions {
            default: self.rate_limit,
            failures: DEFAULT_FAILURES,
            store: keyring.as_ref().map(|keyring| Arc::clone(keyring.store())),
            fail_open: FailOpen::default(),
        };
        let root_key = self.root_key_hash.clone();
        Ok(Guard::new(GuardOptions {
            authenticator: asks.then(|| Authenticator { root_key, keys: keyring, jwt }),
            limits: (asks || self.rate_limit.is_some()).then(|| Limits::new(limits)),
            anonymous,
            hosts,
            origins: Origins::new(&self.cors),
            proxies: self.trusted_proxies.clone(),
            refuses_forwarded: self.access.is_empty(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        access: Access,
    }

    fn check(flags: &[&str], address: &str) -> Result<(), String> {
        let access = Program::try_parse_from([&["noren"], flags].concat()).ok().unwrap().access;
        access.check(Reach::Address(address.parse().unwrap())).map_err(|error| error.line())
    }

    #[test]
    fn only_a_service_on_loopback_may_start_without_a_choice() {
        for address in ["127.0.0.1:8080", "127.0.0.2:0", "[::1]:8080", "[::ffff:127.0.0.1]:80"] {
            assert_eq!(check(&[], address), Ok(()), "{address}");
        }
        for address in ["0.0.0.0:8080", "[::]:80", "192.0.2.1:80"] {
            let error = check(&[], address).unwrap_err();
            assert!(error.contains(address) && error.contains("NOREN_ACCESS=keys"), "{error}");
            assert_eq!(check(&["--access=none"], address), Ok(()));
            assert_eq!(check(&["--access=keys"], address), Ok(()));
        }
        let access = Program::try_parse_from(["noren"]).ok().unwrap().access;
        assert!(access.check(Reach::Lambda).is_err());
        assert!(check(&["--access=none,keys"], "127.0.0.1:80").is_err());
    }

    #[test]
    fn settings_that_would_have_no_effect_are_refused() {
        let hash = "--root-key-hash=dda2139281f9314b2881d925045534f30a44ef00aaad539f5150d09442ac6726";
        for (flags, variable) in [
            (&[hash][..], "NOREN_ROOT_KEY_HASH"),
            (&["--anonymous=search"], "NOREN_ANONYMOUS"),
            (&["--jwt-issuer=i"], "NOREN_JWT_ISSUER"),
            (&["--access=keys", "--jwks=keys.json"], "NOREN_JWKS"),
            (&["--access=keys", "--jwt-secret-file=secret"], "NOREN_JWT_SECRET_FILE"),
        ] {
            let error = check(flags, "127.0.0.1:80").unwrap_err();
            assert!(error.starts_with(variable) && error.contains("NOREN_ACCESS"), "{flags:?}: {error}");
        }
        for flags in [
            &["--access=keys", hash, "--anonymous=search"][..],
            &["--access=none", hash, "--anonymous=search"],
        ] {
            assert_eq!(check(flags, "127.0.0.1:80"), Ok(()), "{flags:?}");
        }
    }

    #[test]
    fn the_hash_of_nothing_is_no_root_key() {
        // Printed by: printf '' | sha256sum; echo | sha256sum
        for hash in [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
        ] {
            let error =
                check(&["--access=keys", &format!("--root-key-hash={hash}")], "127.0.0.1:80").unwrap_err();
            assert!(error.contains("empty"), "{error}");
        }
    }

    #[test]
    fn values_that_are_wrong_are_refused() {
        for flag in [
            "--access=key",
            "--anonymous=write",
            "--cors=admin.example",
            "--cors=https://admin.example/path",
            "--cors=https://admin.example:443",
            "--trusted-proxies=proxy",
            "--hosts=https://catalogue.example",
            "--hosts=catalogue.example:8080",
            "--hosts=*",
            "--root-key-hash=secret",
        ] {
            assert!(Program::try_parse_from(["noren", flag]).is_err(), "{flag}");
        }
        for flag in [
            "--cors=https://admin.example:8443,http://localhost",
            "--cors=*",
            "--trusted-proxies=10.0.0.1,fd00::/8",
            "--hosts=catalogue.example,noren_sync,10.0.0.7",
        ] {
            assert!(Program::try_parse_from(["noren", flag]).is_ok(), "{flag}");
        }
    }
    #[test]
    fn spaces_in_lists_are_ignored() {
        let flags = [
            "noren",
            "--access= keys, jwt",
            "--hosts=a.example, b.example",
            "--cors=https://a.example, https://b.example",
            "--trusted-proxies=10.0.0.1, 10.0.0.2",
        ];
        let access = Program::try_parse_from(flags).ok().unwrap().access;
        assert_eq!(access.access, [AccessKind::Keys, AccessKind::Jwt]);
        assert_eq!(access.hosts, ["a.example", "b.example"]);
        assert_eq!(access.cors, ["https://a.example", "https://b.example"]);
        assert_eq!(access.trusted_proxies.len(), 2);
    }

    #[test]
    fn what_tokens_lack_is_named_once() {
        let open = |flags: &[&str]| {
            let access =
                Program::try_parse_from([&["noren", "--access=jwt"], flags].concat()).ok().unwrap().access;
            access.guard(Reach::Lambda, None).map_err(|error| error.line()).unwrap_err()
        };
        let all = "NOREN_ACCESS=jwt needs NOREN_JWT_ISSUER, and NOREN_JWT_AUDIENCE, and NOREN_JWT_SECRET_FILE or NOREN_JWKS";
        assert_eq!(open(&[]), all);
        let with_key = &["--jwt-issuer=i", "--jwt-secret-file=/nope"];
        assert_eq!(open(with_key), "NOREN_ACCESS=jwt needs NOREN_JWT_AUDIENCE");
        let error = open(&[&with_key[..], &["--jwt-audience=a"]].concat());
        assert!(error.contains("/nope") && error.matches("token").count() < 3, "{error}");
    }
}
