//! Starts of all four programs: what cannot work ends with one line that says what to do, and what people write in short
//! works.

use crate::support::{Answer, Running, finished, http_client};

/// The programs, with the arguments that make each a service.
const PROGRAMS: [(&str, &[&str]); 4] =
    [("noren", &["serve"]), ("noren-command", &[]), ("noren-sync", &[]), ("noren-query", &[])];

/// A start that cannot work.
struct BadStart<'a> {
    arguments: &'a [&'a str],
    variables: &'a [(&'a str, &'a str)],
    /// The programs that it concerns; the others ignore the variable.
    programs: &'a [&'a str],
    code: i32,
    /// Texts in the line: the fault and the way out.
    named: &'a [&'a str],
}

const ALL: &[&str] = &["noren", "noren-command", "noren-sync", "noren-query"];
const WITH_STORE: &[&str] = &["noren", "noren-command", "noren-sync"];
const WITH_INDEX: &[&str] = &["noren", "noren-sync", "noren-query"];

impl BadStart<'_> {
    fn check(&self, data: &str) {
        for (name, command) in PROGRAMS.iter().filter(|(name, _)| self.programs.contains(name)) {
            let mut arguments = [command, self.arguments].concat();
            for (flag, value) in [("--listen", "127.0.0.1:0"), ("--data-dir", data)] {
                let is_given = arguments.contains(&flag) || (flag == "--listen" && self.names_listen());
                if !is_given {
                    arguments.extend([flag, value]);
                }
            }
            let output = finished(name, &arguments, self.variables);
            let error = String::from_utf8(output.stderr).unwrap();
            let shown = format!("{name} {arguments:?} {:?}: {error}", self.variables);
            assert_eq!(output.status.code(), Some(self.code), "{shown}");
            assert_eq!(error.lines().count(), 1, "one line: {shown}");
            assert!(error.starts_with("error: ") && !error.contains("panicked"), "{shown}");
            for text in self.named {
                assert!(error.contains(text), "`{text}` is missing: {shown}");
            }
        }
    }

    fn names_listen(&self) -> bool {
        self.variables.iter().any(|(variable, _)| *variable == "NOREN_LISTEN")
    }
}

#[test]
fn a_wrong_flag_or_variable_is_one_line_and_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let flag = |arguments, named| BadStart { arguments, variables: &[], programs: ALL, code: 2, named };
    let variable =
        |variables, programs, named| BadStart { arguments: &[], variables, programs, code: 2, named };
    for start in [
        flag(&["--lsten", "8080"], &["--lsten", "--listen"]),
        flag(&["--listen", "nowhere"], &["--listen", "the port is missing", "nowhere:8080"]),
        flag(&["--listen", "127.0.0.1:99999"], &["--listen", "99999", "0 to 65535"]),
        flag(&["--listen", "noren.invalid:8080"], &["noren.invalid", "resolve", "127.0.0.1:8080"]),
        flag(&["--currency", "dollars"], &["--currency", "dollars"]),
        variable(&[("NOREN_LISTN", "8080")], ALL, &["NOREN_LISTN", "did you mean NOREN_LISTEN?"]),
        variable(&[("NOREN_COLOUR", "red")], ALL, &["NOREN_COLOUR", "write one of NOREN_ACCESS, "]),
        variable(&[("NOREN_LISTEN", "nowhere")], ALL, &["NOREN_LISTEN=nowhere", "nowhere:8080"]),
        variable(&[("NOREN_LISTEN", "::1:8080")], ALL, &["NOREN_LISTEN=::1:8080", "such as [::1]:8080"]),
        variable(
            &[("NOREN_CACHE_SECONDS", "abc")],
            &["noren", "noren-query"],
            &["NOREN_CACHE_SECONDS=abc", "write a whole number"],
        ),
        variable(
            &[("NOREN_IMPORT_MAX_JOBS", "0")],
            &["noren", "noren-command"],
            &["NOREN_IMPORT_MAX_JOBS=0", "from 1 to 65535"],
        ),
        variable(
            &[("NOREN_HOSTS", "http://a.example")],
            ALL,
            &["NOREN_HOSTS=http://a.example", "without scheme"],
        ),
        variable(
            &[("NOREN_ACCESS", "jwt"), ("NOREN_JWT_ISSUER", "a")],
            ALL,
            &["needs NOREN_JWT_AUDIENCE", "NOREN_JWKS"],
        ),
        variable(&[("RUST_LOG", "noren=foo=bar")], ALL, &["RUST_LOG=noren=foo=bar", "such as info"]),
        variable(&[("NOREN_CURRENCY", "dollars")], ALL, &["NOREN_CURRENCY=dollars"]),
        variable(&[("NOREN_STORE", "mysql")], WITH_STORE, &["NOREN_STORE=mysql", "sqlite, dynamodb"]),
        variable(&[("NOREN_QUEUE", "kafka")], WITH_STORE, &["NOREN_QUEUE=kafka", "sqlite, sqs"]),
        variable(&[("NOREN_INDEX", "solr")], WITH_INDEX, &["NOREN_INDEX=solr", "tantivy, opensearch"]),
        variable(
            &[("NOREN_CREATE_TABLES", "maybe")],
            WITH_STORE,
            &["NOREN_CREATE_TABLES=maybe", "true, false"],
        ),
    ] {
        start.check(data.to_str().unwrap());
        assert!(!data.exists(), "a start that is refused creates nothing");
    }
}

fn bad_place<'a>(arguments: &'a [&'a str], programs: &'a [&'a str], named: &'a [&'a str]) -> BadStart<'a> {
    BadStart { arguments, variables: &[], programs, code: 1, named }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_used_is_one_line_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("file"));
    std::fs::write(&file, "x").unwrap();
    let (data, file) = (data.to_str().unwrap(), file.to_str().unwrap());
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let below = format!("{file}/data");
    for start in [
        bad_place(&["--listen", &address], ALL, &[&address, "in use", "--listen"]),
        // An address for documentation, which no machine has.
        bad_place(
            &["--listen", "192.0.2.1:8080", "--access", "none"],
            ALL,
            &["192.0.2.1:8080", "0.0.0.0", "--listen"],
        ),
        bad_place(&["--data-dir", file], ALL, &[file]),
        bad_place(&["--data-dir", &below], ALL, &[&below]),
        // Not even root can create a folder there.
        bad_place(&["--data-dir", "/proc/noren"], ALL, &["/proc/noren"]),
    ] {
        start.check(data);
    }
    let _first = Running::start("noren", &["serve", "--data-dir", data]).await;
    bad_place(&[], &["noren", "noren-sync"], &[data, "another"]).check(data);
}

#[test]
fn a_wrong_setting_of_aws_ends_the_start_at_once_and_creates_nothing() {
    const KEYS: [(&str, &str); 4] = [
        ("NOREN_STORE", "dynamodb"),
        ("NOREN_QUEUE", "sqs"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let nowhere = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    for (variables, named) in [
        (vec![("AWS_REGION", "eu west")], ["`eu west`", "AWS_REGION"]),
        (
            vec![("AWS_ENDPOINT_URL_SQS", "nonsense")],
            ["AWS_ENDPOINT_URL_SQS=nonsense", "http://127.0.0.1:8000"],
        ),
        (vec![nowhere, ("NOREN_DYNAMODB_TABLE", "a b")], ["`a b`", "NOREN_DYNAMODB_TABLE"]),
        (vec![nowhere, ("NOREN_SQS_QUEUE", "a b")], ["`a b`", "NOREN_SQS_QUEUE"]),
        (
            vec![
                nowhere,
                ("NOREN_ACCESS", "keys"),
                ("NOREN_ACCESS_STORE", "dynamodb"),
                ("NOREN_ACCESS_TABLE", "a b"),
            ],
            ["`a b`", "NOREN_ACCESS_TABLE"],
        ),
    ] {
        let variables = [&KEYS[..], &[("AWS_REGION", "eu-west-1")], &variables[..]].concat();
        let start = BadStart {
            arguments: &[],
            variables: &variables,
            programs: &["noren-command"],
            code: 1,
            named: &named,
        };
        start.check(data.to_str().unwrap());
        assert!(!data.exists(), "{variables:?}");
    }
}

#[test]
fn a_command_on_a_folder_without_a_catalogue_creates_none() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    let missing = folder.path().join("missing");
    let commands: [&[&str]; 7] = [
        &["search", "tea"],
        &["explain", "a"],
        &["export"],
        &["verify"],
        &["reindex"],
        &["dlq", "list"],
        &["keys", "list"],
    ];
    let places = [(empty, "no catalogue in"), (missing.to_str().unwrap(), "no folder")];
    for (command, (place, named)) in
        commands.into_iter().flat_map(|command| places.map(|place| (command, place)))
    {
        for output in [
            finished("noren", &[command, &["--data-dir", place]].concat(), &[]),
            finished("noren", &[command, &["--back-ends"]].concat(), &[("NOREN_DATA_DIR", place)]),
        ] {
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1), "{command:?}: {error}");
            assert!(error.contains(named) && error.contains(place), "{error}");
        }
    }
    assert_eq!(std::fs::read_dir(empty).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_variable_counts_as_unset() {
    let variables = api::config::variables();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    for (name, arguments) in PROGRAMS {
        let service = Running::start_with(name, &[arguments, &["--data-dir", data]].concat(), |command| {
            command.envs(variables.iter().map(|variable| (variable, ""))).env("NOREN_UNKNOWN", "");
        })
        .await;
        Answer::of(http_client().get(format!("{}/health/ready", service.url))).await.expect(200);
    }
    let empty: Vec<(&str, &str)> = variables.iter().map(|variable| (variable.as_str(), "")).collect();
    let search = finished("noren", &["search", "--data-dir", data], &empty);
    assert!(search.status.success(), "{search:?}");
}

#[test]
fn a_command_on_a_folder_refuses_variables_that_choose_other_back_ends() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let backup = folder.path().join("backup");
    let commands: [&[&str]; 6] = [
        &["search", "tea", "--data-dir", data],
        &["export", "--data-dir", data],
        &["verify", "--data-dir", data],
        &["reindex", "--data-dir", data],
        &["dlq", "list", "--data-dir", data],
        &["bench", "--check"],
    ];
    for arguments in commands {
        for (variable, value) in
            [("NOREN_STORE", "dynamodb"), ("NOREN_QUEUE", "sqs"), ("NOREN_INDEX", "opensearch")]
        {
            let output = finished("noren", arguments, &[(variable, value)]);
            let error = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{arguments:?}: {error}");
            assert!(
                error.contains(&format!("{variable}={value}")) && error.contains("--back-ends"),
                "{error}"
            );
        }
    }
    let keys = ["keys", "list", "--data-dir", data];
    let output = finished("noren", &keys, &[("NOREN_ACCESS_STORE", "dynamodb")]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    assert!(error.contains("NOREN_ACCESS_STORE=dynamodb") && error.contains("--back-ends"), "{error}");
    let copy = ["backup", backup.to_str().unwrap(), "--data-dir", data];
    assert_eq!(finished("noren", &copy, &[("NOREN_STORE", "dynamodb")]).status.code(), Some(2));
}

#[test]
fn each_program_names_the_commit_that_it_was_built_from() {
    for (name, _) in PROGRAMS {
        let output = finished(name, &["--version"], &[]);
        let line = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{name}: {line}");
        let rest = line
            .strip_prefix(&format!("{name} {} (", env!("CARGO_PKG_VERSION")))
            .unwrap_or_else(|| panic!("{line}"));
        let commit = rest.trim_end().strip_suffix(')').unwrap();
        let is_commit = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(is_commit || commit.starts_with("commit unknown: "), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_logs_the_address_that_it_listens_on() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in PROGRAMS {
        let log = folder.path().join(format!("{name}.log"));
        let data = folder.path().join("data");
        let arguments = [arguments, &["--data-dir", data.to_str().unwrap()]].concat();
        let service = Running::start_with(name, &arguments, |command| {
            command.stderr(std::fs::File::create(&log).unwrap());
        })
        .await;
        let address = service.url.strip_prefix("http://").unwrap();
        let log = std::fs::read_to_string(&log).unwrap();
        let line = log
            .lines()
            .find(|line| line.contains("\"listening\""))
            .unwrap_or_else(|| panic!("{name}: {log}"));
        assert!(line.contains(&format!("\"address\":\"{address}\"")), "{name}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_in_a_folder_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let service = Running::start_with("noren", &["serve", "--demo"], |command| {
        command.current_dir(folder.path());
    })
    .await;
    let search = finished("noren", &["search", "lamp", "--url", &service.url], &[]);
    assert!(search.status.success(), "{search:?}");
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["data-demo"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_each_service_answers_a_browser_with_links_and_a_program_with_json() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let client = http_client();
    for (name, arguments) in PROGRAMS {
        let service = Running::start(name, &[arguments, &["--data-dir", data]].concat()).await;
        let page = client.get(format!("{}/", service.url)).header("accept", "text/html,*/*;q=0.8");
        let page = Answer::of(page).await.expect(200);
        assert!(
            page.header("content-type").starts_with("text/html") && page.header("vary").contains("accept")
        );
        let links = page.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
        let links: Vec<String> = links.map(|link| link.replace("&amp;", "&")).collect();
        assert!(links.iter().any(|link| link == "metrics"), "{name}: {links:?}");
        assert_eq!(links.iter().any(|link| link == "docs"), name != "noren-sync", "{name}: {links:?}");
        assert_eq!(page.text.contains("<form"), matches!(name, "noren" | "noren-query"), "{name}");
        for link in links.iter().filter(|link| !link.starts_with("data:")) {
            Answer::of(client.get(format!("{}/{link}", service.url))).await.expect(200);
        }

        let index = Answer::of(client.get(format!("{}/", service.url))).await.expect(200).json();
        let paths: Vec<&str> =
            index["paths"].as_array().unwrap().iter().filter_map(|path| path.as_str()).collect();
        assert!(paths.contains(&"/health/ready") && paths.contains(&"/metrics"), "{name}: {index}");
        assert_eq!(paths.contains(&"/products/search"), matches!(name, "noren" | "noren-query"), "{name}");
        assert_eq!(paths.contains(&"/admin/index"), matches!(name, "noren" | "noren-sync"), "{name}");
        if name != "noren-sync" {
            assert_eq!((&index["docs"], &index["openapi"]), (&"/docs".into(), &"/openapi.json".into()));
        }
        let missing = Answer::of(client.get(format!("{}/nothing", service.url))).await.problem(404);
        assert!(missing["detail"].as_str().unwrap().contains("/docs"), "{name}: {missing}");
    }
}
