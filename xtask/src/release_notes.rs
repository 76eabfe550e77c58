//! `cargo xtask release-notes`: proposes the next version and its changelog section.

use std::path::Path;
use std::process::Command;

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::diff::release::{self, Release, SemverCheck};
use sentinelone_codegen::{Error, Result};

use crate::diff::{self, DiffInput, git};

/// The published libraries.
const PACKAGES: [&str; 4] = ["sentinelone", "sentinelone-raw", "sentinelone-contract", "sentinelone-sandbox"];

pub(crate) fn run(root: &Path, since: Option<&str>) -> Result<String> {
    let since = since.map_or_else(|| last_tag(root), |revision| Ok(revision.to_owned()))?;
    let old = diff::read_input(root, &format!("{since}:spec"))?;
    let new = DiffInput::Curated(Box::new(Bundle::read(&root.join("spec"))?));
    let findings = diff::compare(root, &old, &new, false)?;
    let release = Release {
        version: version(root)?,
        since: &since,
        findings: &findings,
        semver_checks: semver_checks(root, &since),
    };
    Ok(release.notes())
}

fn last_tag(root: &Path) -> Result<String> {
    match git(root, &["describe", "--tags", "--abbrev=0"]) {
        Ok(tag) => Ok(tag.trim().to_owned()),
        Err(_) => Err(Error::Command("no tag to compare with; set a revision with --since REV".to_owned())),
    }
}

/// Returns the version of the workspace.
fn version(root: &Path) -> Result<[u64; 3]> {
    let path = root.join("Cargo.toml");
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
    let missing = || Error::Command(format!("{}: workspace version is missing", path.display()));
    let (_, section) = text.split_once("[workspace.package]").ok_or_else(missing)?;
    let line = section
        .lines()
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("version = "))
        .ok_or_else(missing)?;
    release::version(line.trim().trim_matches('"'))
}

/// Returns the results of `cargo semver-checks`, or `None` if it is not installed.
fn semver_checks(root: &Path, since: &str) -> Option<Vec<SemverCheck>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let run = |arguments: &[&str]| Command::new(&cargo).args(arguments).current_dir(root).output();
    run(&["semver-checks", "--version"]).ok().filter(|output| output.status.success())?;
    let check = |package: &&str| match run(&["semver-checks", "--package", package, "--baseline-rev", since])
    {
        Ok(output) => {
            let all = [output.stdout, output.stderr].concat();
            SemverCheck::read(package, output.status.success(), &String::from_utf8_lossy(&all))
        }
        Err(error) => SemverCheck::read(package, false, &error.to_string()),
    };
    Some(PACKAGES.iter().map(check).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn run_without_tag_requires_revision() {
        let home = tempfile::tempdir().unwrap();
        git(home.path(), &["init", "--quiet"]).unwrap();
        let error = run(home.path(), None).unwrap_err().to_string();
        assert!(error.contains("--since REV"), "{error}");
    }

    #[test]
    fn version_equals_workspace_version() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let [major, minor, patch] = version(root).unwrap();
        assert_eq!(format!("{major}.{minor}.{patch}"), env!("CARGO_PKG_VERSION"));
    }
}
