//! Commands whose output nobody reads any more, as after `noren … | head`: they end quietly.

use std::io::pipe;
use std::process::{Child, Stdio};

use serde_json::json;

use crate::support::{TestApp, command};

/// Returns the end of a pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe can be made");
    drop(reader);
    writer.into()
}

/// Starts `noren` with its outputs.
fn start(arguments: &[&str], out: Stdio, err: Stdio) -> Child {
    let mut command = command("noren");
    command.args(arguments).stdin(Stdio::null()).stdout(out).stderr(err);
    command.spawn().expect("it starts")
}

/// Runs `noren` to its end, and returns its exit code and its errors.
fn run(arguments: &[&str], out: Stdio, err: Stdio) -> (Option<i32>, String) {
    let output = start(arguments, out, err).wait_with_output().expect("its output can be read");
    (output.status.code(), String::from_utf8(output.stderr).expect("its errors are text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_output_nobody_reads_ends_quietly() {
    let app = TestApp::spawn().await;
    let products: Vec<_> = (0..50).map(|n| json!({"id": format!("p{n}"), "name": "Kettle"})).collect();
    app.fill(&products).await;
    let url = app.url.as_str();
    let commands: [&[&str]; 7] = [
        &["--help"],
        &["search", "--help"],
        &["completions", "bash"],
        &["search", "--url", url, "kettle"],
        &["search", "--url", url, "--json", "kettle"],
        &["explain", "--url", url, "p1", "--query", "kettle"],
        &["export", "--url", url],
    ];
    for arguments in commands {
        let (code, errors) = run(arguments, closed(), Stdio::piped());
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_failure_that_nobody_reads_keeps_its_exit_code() {
    let unreachable = "http://127.0.0.1:1";
    let commands: [(&[&str], i32); 4] = [
        (&["bogus"], 2),
        (&["search", "--sort", "cheap"], 2),
        (&["search", "--url", unreachable, "kettle"], 1),
        (&["import", "--url", unreachable, "there-is-no-such-file.csv"], 1),
    ];
    for (arguments, expected) in commands {
        let (code, _) = run(arguments, closed(), closed());
        assert_eq!(code, Some(expected), "{arguments:?}");
    }
}
