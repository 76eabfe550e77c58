//! `cargo xtask release-notes`: which number the next release takes, and what it has to say.

use std::path::Path;
use std::process::Command;

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::release::{self, Release, Verdict};
use sentinelone_codegen::{Error, Result};

use crate::diff::{self, Source, git};

/// What is published.
const PACKAGES: [&str; 2] = ["sentinelone", "sentinelone-raw"];

pub(crate) fn run(root: &Path, arguments: &[&str]) -> Result<String> {
    let since = match arguments {
        [] => last_tag(root)?,
        ["--since", revision] => (*revision).to_owned(),
        other => return Err(Error::Command(format!("{}: give --since REV or nothing", other.join(" ")))),
    };
    let old = diff::source(root, &format!("{since}:spec"))?;
    let new = Source::Curated(Box::new(Bundle::read(&root.join("spec"))?));
    let findings = diff::between(root, &old, &new, false, None)?;
    let release = Release {
        version: version(root)?,
        since: &since,
        findings: &findings,
        verdicts: verdicts(root, &since),
    };
    Ok(release.notes())
}

fn last_tag(root: &Path) -> Result<String> {
    match git(root, &["describe", "--tags", "--abbrev=0"]) {
        Ok(tag) => Ok(tag.trim().to_owned()),
        Err(_) => Err(Error::Command(
            "there is no tag to compare with; name a revision with --since REV".to_owned(),
        )),
    }
}

/// The version of the workspace.
fn version(root: &Path) -> Result<[u64; 3]> {
    let path = root.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
    let missing = || Error::Command(format!("{}: states no version of the workspace", path.display()));
    let (_, section) = text.split_once("[workspace.package]").ok_or_else(missing)?;
    let line = section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("version = "))
        .ok_or_else(missing)?;
    release::version(line.trim().trim_matches('"'))
}

/// What `cargo semver-checks` says of the code itself; nothing where it is not installed.
fn verdicts(root: &Path, since: &str) -> Option<Vec<Verdict>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |arguments: &[&str]| Command::new(&cargo).args(arguments).current_dir(root).output();
    run(&["semver-checks", "--version"]).ok().filter(|output| output.status.success())?;
    let verdict =
        |package: &&str| match run(&["semver-checks", "--package", package, "--baseline-rev", since]) {
            Ok(output) => {
                let all = [output.stdout, output.stderr].concat();
                Verdict::read(package, output.status.success(), &String::from_utf8_lossy(&all))
            }
            Err(error) => Verdict::read(package, false, &error.to_string()),
        };
    Some(PACKAGES.iter().map(verdict).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn without_a_tag_a_revision_is_asked_for() {
        let home = tempfile::tempdir().unwrap();
        git(home.path(), &["init", "--quiet"]).unwrap();
        let error = run(home.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("--since REV"), "{error}");
        assert!(run(home.path(), &["--until", "v1"]).is_err());
    }

    #[test]
    fn the_version_is_that_of_the_workspace() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let [major, minor, patch] = version(root).unwrap();
        assert_eq!(format!("{major}.{minor}.{patch}"), env!("CARGO_PKG_VERSION"));
    }
}
