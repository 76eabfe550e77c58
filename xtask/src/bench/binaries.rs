//! The measured binaries and their build.

use std::path::{Path, PathBuf};
use std::process::Command;

use sentinelone_codegen::{Error, Result};

use super::effort::Effort;
use super::processes::{run_command, run_json};
use super::progress::progress;

/// Paths of the measured binaries.
pub(super) struct Binaries {
    pub(super) bench: PathBuf,
    /// Built by a full run only.
    pub(super) contract: PathBuf,
    pub(super) s1: PathBuf,
    /// Directory for the files of the measurements.
    pub(super) work: PathBuf,
}

impl Binaries {
    /// Builds the measured binaries.
    ///
    /// A quick run builds both in one step, without TLS, with a profile without link-time optimization. Otherwise the release profile is used, and each is built alone, so that the library of `s1-bench` does
    /// not have the features of the others.
    pub(super) fn build(root: &Path, effort: &Effort) -> Result<Self> {
        progress("building the binaries");
        let profile = if effort.quick { "quick" } else { "release" };
        let build = |arguments: &[&str]| {
            run_command(cargo(root).args(["build", "--quiet", "--profile", profile]).args(arguments))
        };
        let bench = ["-p", "sentinelone-bench", "--bin", "s1-bench"];
        let s1 = ["-p", "sentinelone-cli", "--bin", "s1"];
        if effort.quick {
            build(&[&bench[..], &s1, &["--no-default-features"]].concat())?;
        } else {
            build(&s1)?;
            build(&["-p", "sentinelone-bench", "--bin", "s1-bench-contract", "--features", "contract"])?;
            build(&bench)?;
        }
        let target = target_dir(root)?;
        let dir = target.join(profile);
        let binary = |name: &str| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let work = target.join("bench");
        std::fs::create_dir_all(&work).map_err(|source| Error::Io { path: work.clone(), source })?;
        let (bench, contract) = (binary("s1-bench"), binary("s1-bench-contract"));
        Ok(Self { bench, contract, s1: binary("s1"), work })
    }
}

pub(super) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // The first variable would move the binaries; the second could cache a clean build.
    command.env_remove("CARGO_BUILD_TARGET").env_remove("RUSTC_WRAPPER");
    command
}

pub(super) fn target_dir(root: &Path) -> Result<PathBuf> {
    let metadata = run_json(cargo(root).args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let dir = metadata["target_directory"].as_str().unwrap_or("target");
    Ok(root.join(dir))
}
