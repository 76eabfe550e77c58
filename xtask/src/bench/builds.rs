//! What it costs to depend on the client: a build from nothing, beside one of what people would take instead.

use std::path::Path;
use std::time::Instant;

use sentinelone_codegen::{Error, Result};

use super::processes::ran;
use super::table::{Goal, Row, Table};
use super::{Effort, cargo, progress, target};

const OURS: &str = r#"use sentinelone::{ApiToken, Client};

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

const BARE: &str = r#"#[tokio::main(flavor = "current_thread")]
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

/// Times both builds; in release too, with what comes out of it, unless it has to be quick.
pub(super) fn measure(root: &Path, effort: &Effort, table: &mut Table) -> Result<()> {
    let work = target(root)?.join("bench/build");
    let toml = |path: &Path| path.display().to_string().replace('\\', "/");
    let ours = format!("sentinelone = {{ path = '{}' }}", toml(root));
    let bare =
        "reqwest = { version = '0.13.5', default-features = false, features = ['rustls'] }\nserde_json = '1'";
    let sides = [("ours", ours.as_str(), OURS), ("bare", bare, BARE)];
    for (name, dependencies, main) in sides {
        write(root, &work.join(name), name, dependencies, main)?;
    }
    let beside = "beside a crate with reqwest, tokio and serde_json";
    let profiles = if effort.quick { &["dev"][..] } else { &["dev", "release"] };
    for profile in profiles {
        progress(&format!("building two crates from nothing ({profile})"));
        let (mut times, mut sizes) = (Vec::new(), Vec::new());
        for (name, _, _) in sides {
            let (seconds, bytes) = build(&work.join(name), name, profile)?;
            times.push(seconds);
            sizes.push(bytes as f64);
        }
        let what = format!("clean {profile} build of a dependent crate, {beside}");
        table.push(Row::times("build", &what, times[0], times[1], Goal::AtMost(1.5)));
        if *profile == "release" {
            let what = format!("size of its stripped binary, {beside}");
            table.push(Row::memory("build", &what, sizes[0] / 1024.0, sizes[1] / 1024.0, Goal::None));
        }
    }
    Ok(())
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}

/// A crate outside the workspace, with the versions that the workspace has.
fn write(root: &Path, folder: &Path, name: &str, dependencies: &str, main: &str) -> Result<()> {
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n\
         tokio = {{ version = '1.47', default-features = false, features = ['macros', 'rt'] }}\n\n\
         [profile.release]\nstrip = true\n\n[workspace]\n"
    );
    let source = folder.join("src");
    std::fs::create_dir_all(&source).map_err(io(&source))?;
    for (path, text) in [(folder.join("Cargo.toml"), manifest.as_str()), (source.join("main.rs"), main)] {
        std::fs::write(&path, text).map_err(io(&path))?;
    }
    let lock = root.join("Cargo.lock");
    std::fs::copy(&lock, folder.join("Cargo.lock")).map(drop).map_err(io(&lock))
}

/// Builds from nothing: seconds, and the size of the binary.
fn build(folder: &Path, name: &str, profile: &str) -> Result<(f64, u64)> {
    let built = folder.join("target");
    if built.exists() {
        std::fs::remove_dir_all(&built).map_err(io(&built))?;
    }
    let cargo = || {
        let mut cargo = cargo(folder);
        // What comes from a registry is built without what a next build would save.
        cargo.env("CARGO_TARGET_DIR", &built).env("CARGO_INCREMENTAL", "0");
        cargo
    };
    // What has to be downloaded is no part of the building.
    ran(cargo().args(["fetch", "--quiet"]))?;
    let begun = Instant::now();
    ran(cargo().args(["build", "--quiet", "--profile", profile]))?;
    let seconds = begun.elapsed().as_secs_f64();
    let folder = built.join(if profile == "dev" { "debug" } else { profile });
    let binary = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let size = std::fs::metadata(&binary).map_err(io(&binary))?.len();
    std::fs::remove_dir_all(&built).map_err(io(&built))?;
    Ok((seconds, size))
}
