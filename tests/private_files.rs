//! The files of a catalogue are for its own user alone, whatever the shell allows.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Answer, Running, after_script, command, http_client};

/// Returns the files and folders below a path, with their permissions.
fn permissions(path: &Path) -> Vec<(PathBuf, bool, u32)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).unwrap().flatten() {
        let (path, metadata) = (entry.path(), entry.metadata().unwrap());
        found.push((path.clone(), metadata.is_dir(), metadata.permissions().mode() & 0o777));
        if metadata.is_dir() {
            found.extend(permissions(&path));
        }
    }
    found
}

/// A shell that allows everybody everything.
const PERMISSIVE: &str = "umask 000";

#[tokio::test(flavor = "multi_thread")]
async fn new_files_are_for_their_user_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("data");
    let arguments = ["serve", "--data-dir", folder.to_str().unwrap()];
    let prepare = |noren: &mut Command| *noren = after_script(PERMISSIVE, noren);
    let service = Running::start_with("noren", &arguments, prepare).await;
    let lines = "{\"id\":\"lamp\",\"name\":\"Lamp\"}\n";
    let import = http_client().post(format!("{}/imports", service.url)).body(lines);
    Answer::of(import.header("content-type", "application/x-ndjson")).await.expect(202);
    let (backup, export) = (dir.path().join("backup"), dir.path().join("export.ndjson"));
    let commands: [&[&str]; 2] = [
        &["backup", backup.to_str().unwrap(), "--data-dir", folder.to_str().unwrap()],
        &["export", "--output", export.to_str().unwrap(), "--url", &service.url],
    ];
    for arguments in commands {
        let mut noren = command("noren");
        noren.args(arguments);
        let status = after_script(PERMISSIVE, &noren).status().unwrap();
        assert!(status.success(), "{arguments:?}");
    }
    let found = permissions(dir.path());
    assert!(found.len() > 10, "{found:?}");
    for (path, is_folder, mode) in found {
        let expected = if is_folder { 0o700 } else { 0o600 };
        assert_eq!(mode, expected, "{} has {mode:o}", path.display());
    }
}
