//! Who may use a service.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use access::jwt::{JwksSource, JwtOptions, JwtVerifier};
use access::limits::{DEFAULT_FAILURES, FailOpen, LimitOptions, Limits};
use access::{Keyring, RateLimit, Scope, Scopes, SecretHash};
use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::StartError;
use crate::access::{Accepted, Guard, Hosts, Origins, Rules};

/// Who may use a service.
#[derive(Debug, Clone, Args)]
pub struct Access {
    /// Who may use the service: those with API keys (`keys`, see `noren keys`), with tokens of an identity provider (`jwt`), or
    /// both (`keys,jwt`); `none` lets everyone do everything. A service that only this machine reaches has none by
    /// default; any other must choose
    #[arg(long, env = "NOREN_ACCESS", value_name = "KIND", value_delimiter = ',')]
    pub access: Vec<AccessKind>,
    /// What clients without a key may do
    #[arg(long, env = "NOREN_ANONYMOUS", value_name = "SCOPE", default_value = "nothing")]
    pub anonymous: Anonymous,
    /// Host names by which the service may be called without keys, separated by commas; addresses and localhost always may
    #[arg(long, env = "NOREN_HOSTS", value_name = "NAMES", value_delimiter = ',')]
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
    #[arg(long, env = "NOREN_JWKS", value_name = "URL|FILE")]
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
        JwtVerifier::open(options).map_err(|error| {
            let settings = "NOREN_ACCESS=jwt needs NOREN_JWT_ISSUER, NOREN_JWT_AUDIENCE, and NOREN_JWT_SECRET_FILE or NOREN_JWKS";
            StartError::usage(format!("{settings}: {}", StartError::because("tokens cannot be checked", error).line()))
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

/// Where a service can be reached.
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

    /// Checks that the settings fit each other and the reach of the service.
    ///
    /// # Errors
    /// If others reach the service and nobody said who may use it, or if settings contradict each other.
    pub fn check(&self, reach: Reach) -> Result<(), StartError> {
        if self.access.contains(&AccessKind::None) && self.access.len() > 1 {
            return Err(StartError::usage(
                "NOREN_ACCESS=none cannot be combined with another value; choose one",
            ));
        }
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

    /// Returns true if requests need credentials.
    fn asks_for_credentials(&self) -> bool {
        self.access.iter().any(|kind| *kind != AccessKind::None)
    }

    /// Returns the guard of a service that is not ready to check keys and tokens yet: it knows the root key only.
    pub fn guard_of_start(&self) -> Guard {
        let root_key_only = || Accepted { root_key: self.root_key_hash.clone(), keys: None, jwt: None };
        let credentials = self.asks_for_credentials().then(root_key_only);
        Guard::new(Rules { credentials, ..Rules::default() })
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
        Ok(Guard::new(Rules {
            credentials: asks.then(|| Accepted { root_key: self.root_key_hash.clone(), keys: keyring, jwt }),
            limits: (asks || self.rate_limit.is_some()).then(|| Limits::new(limits)),
            anonymous,
            hosts,
            origins: Origins::new(&self.cors),
            proxies: self.trusted_proxies.clone(),
        }))
    }
}

/// Parses an origin: a scheme and a host, with a port if it is not the usual one.
fn parse_origin(text: &str) -> Result<String, String> {
    let is_origin = |origin: &http::Uri| {
        matches!(origin.scheme_str(), Some("http" | "https"))
            && matches!(origin.path(), "" | "/")
            && origin.query().is_none()
    };
    match text.parse::<http::Uri>() {
        _ if text == "*" => Ok(text.to_owned()),
        Ok(origin) if is_origin(&origin) => Ok(text.to_owned()),
        _ => {
            Err("an origin is a scheme and a host, such as https://admin.example, or * for every site"
                .to_owned())
        }
    }
}

/// Parses a network, or one address.
fn parse_network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "write an address such as 10.0.0.1, or a network such as 10.0.0.0/8".to_owned())
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
    fn values_that_are_wrong_are_refused() {
        for flag in [
            "--access=key",
            "--anonymous=write",
            "--cors=admin.example",
            "--cors=https://admin.example/path",
            "--trusted-proxies=proxy",
            "--root-key-hash=secret",
        ] {
            assert!(Program::try_parse_from(["noren", flag]).is_err(), "{flag}");
        }
        for flag in [
            "--cors=https://admin.example:8443,http://localhost",
            "--cors=*",
            "--trusted-proxies=10.0.0.1,fd00::/8",
        ] {
            assert!(Program::try_parse_from(["noren", flag]).is_ok(), "{flag}");
        }
    }
}
