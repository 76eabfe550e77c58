//! Compile time of a crate that depends on the client, compared with a crate that uses reqwest directly.

use std::path::Path;
use std::time::Instant;

use sentinelone_codegen::{Error, Result};

use super::binaries::{cargo, target_dir};
use super::effort::Effort;
use super::processes::run_command;
use super::progress::progress;
use super::table::{Goal, Row, Table, Unit};

const CLIENT_MAIN: &str = r#"use sentinelone::{ApiToken, Client};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder("usea1.sentinelone.net").token(ApiToken::from_env("S1_API_TOKEN")?).build()?;
    let mut threats = client.threats().list().items().limit(10);
    while let Some(threat) = threats.next().await {
        println!("{}", threat?.id.unwrap_or_default());
    }
    Ok(())
}
"#;

const REQWEST_MAIN: &str = r#"#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = reqwest::Client::new();
    let url = "https://usea1.sentinelone.net/web/api/v2.1/threats?limit=10";
    let token = format!("ApiToken {}", std::env::var("S1_API_TOKEN")?);
    let body = client.get(url).header("authorization", token).send().await?.error_for_status()?.bytes().await?;
    let page: serde_json::Value = serde_json::from_slice(&body)?;
    for threat in page["data"].as_array().into_iter().flatten() {
        println!("{}", threat["id"].as_str().unwrap_or_default());
    }
    Ok(())
}
"#;

/// Times clean builds of both crates. Without `--quick`, also times release builds and compares the binaries.
pub(super) fn measure(root: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    let work = target_dir(root)?.join("bench/build");
    let toml = |path: &Path| path.display().to_string().replace('\\', "/");
    let client = format!("sentinelone = {{ path = '{}' }}", toml(root));
    let reqwest =
        "reqwest = { version = '0.13.5', default-features = false, features = ['rustls'] }\nserde_json = '1'";
    let crates = [("client", client.as_str(), CLIENT_MAIN), ("bare", reqwest, REQWEST_MAIN)];
    for (name, dependencies, main) in crates {
        write(root, &work.join(name), name, dependencies, main)?;
    }
    let reference = "vs. a crate with reqwest, tokio and serde_json";
    let profiles = if effort.quick { &["dev"][..] } else { &["dev", "release"] };
    for profile in profiles {
        progress(&format!("clean builds of two crates ({profile})"));
        let (mut times, mut sizes) = (Vec::new(), Vec::new());
        for (name, _, _) in crates {
            let (seconds, bytes) = build(&work.join(name), name, profile)?;
            times.push(seconds);
            sizes.push(bytes as f64 / 1024.0);
        }
        let label = format!("clean {profile} build of a dependent crate, {reference}");
        table.push(Row::ratio("build", &label, Unit::Seconds, [times[0], times[1]], Goal::AtMost(1.5)));
        if *profile == "release" {
            let label = format!("size of its stripped binary, {reference}");
            table.push(Row::ratio("build", &label, Unit::Kib, [sizes[0], sizes[1]], Goal::None));
        }
    }
    Ok(())
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}

/// Writes a crate outside the workspace, with the lock file of the workspace.
fn write(root: &Path, dir: &Path, name: &str, dependencies: &str, main: &str) -> Result<()> {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n\
         tokio = {{ version = '1.47', default-features = false, features = ['macros', 'rt'] }}\n\n\
         [profile.release]\nstrip = true\n\n[workspace]\n"
    );
    let source = dir.join("src");
    std::fs::create_dir_all(&source).map_err(io(&source))?;
    for (path, text) in [(dir.join("Cargo.toml"), manifest.as_str()), (source.join("main.rs"), main)] {
        std::fs::write(&path, text).map_err(io(&path))?;
    }
    let lock = root.join("Cargo.lock");
    std::fs::copy(&lock, dir.join("Cargo.lock")).map(drop).map_err(io(&lock))
}

/// Runs a clean build. Returns its seconds and the size of the binary in bytes.
fn build(dir: &Path, name: &str, profile: &str) -> Result<(f64, u64)> {
    let target = dir.join("target");
    if target.exists() {
        std::fs::remove_dir_all(&target).map_err(io(&target))?;
    }
    let cargo = || {
        let mut cargo = cargo(dir);
        // Incremental data would slow down the build.
        cargo.env("CARGO_TARGET_DIR", &target).env("CARGO_INCREMENTAL", "0");
        cargo
    };
    // Downloads are not measured.
    run_command(cargo().args(["fetch", "--quiet"]))?;
    let start = Instant::now();
    run_command(cargo().args(["build", "--quiet", "--profile", profile]))?;
    let seconds = start.elapsed().as_secs_f64();
    let output = target.join(if profile == "dev" { "debug" } else { profile });
    let binary = output.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let size = std::fs::metadata(&binary).map_err(io(&binary))?.len();
    std::fs::remove_dir_all(&target).map_err(io(&target))?;
    Ok((seconds, size))
}
