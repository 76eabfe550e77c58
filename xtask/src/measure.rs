//! `cargo xtask measure`: compile times of `generated/` and of progenitor's output for the same operations.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use sentinelone_codegen::bundle::Bundle;
use sentinelone_codegen::{Error, Result, files, stock};

const RUNS: usize = 3;

/// Times release builds of each crate alone, without its dependencies. Reports the best of three runs.
pub(crate) fn run(root: &Path) -> Result<String> {
    let work = root.join("target/measure");
    let bundle = Bundle::read(&root.join("spec"))?;
    let (shared, inline) = (work.join("stock"), work.join("stock-inline"));
    files::write(&shared, &stock::files(&bundle, false)?)?;
    files::write(&inline, &stock::files(&bundle, true)?)?;
    let generated = root.join("generated");
    let crates = [
        ("generated/", generated.as_path(), "sentinelone-raw", "ours"),
        ("progenitor, shared filters", &shared, "stock", "theirs"),
        ("progenitor, inline filters", &inline, "stock", "theirs"),
    ];
    let operations = bundle.operations().count();
    let mut report = format!(
        "{operations} operations, release build of the crate alone, best of {RUNS}, ratios to generated/\n"
    );
    let mut base = None;
    for (name, dir, package, target) in crates {
        let seconds = best(dir, package, &work.join(target))?.as_secs_f64();
        let lines = lines(&dir.join("src"))?;
        let (base_seconds, base_lines) = *base.get_or_insert((seconds, lines));
        let (slower, longer) = (seconds / base_seconds, lines as f64 / base_lines as f64);
        report.push_str(&format!(
            "{name:<30} {seconds:>6.1} s {slower:>5.1}x {lines:>7} lines {longer:>5.1}x\n"
        ));
    }
    Ok(report)
}

fn lines(dir: &Path) -> Result<usize> {
    let mut lines = 0;
    for entry in std::fs::read_dir(dir).map_err(io(dir))? {
        let path = entry.map_err(io(dir))?.path();
        lines += if path.is_dir() {
            self::lines(&path)?
        } else {
            std::fs::read_to_string(&path).map_err(io(&path))?.lines().count()
        };
    }
    Ok(lines)
}

fn best(dir: &Path, package: &str, target: &Path) -> Result<Duration> {
    let build = || cargo(dir, target, &["build", "--release", "--quiet", "--package", package]);
    build()?;
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        cargo(dir, target, &["clean", "--release", "--quiet", "--package", package])?;
        let start = Instant::now();
        build()?;
        best = best.min(start.elapsed());
    }
    Ok(best)
}

fn cargo(dir: &Path, target: &Path, arguments: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", target)
        .status()
        .map_err(io(dir))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::Generator(format!("cargo {} failed in {}", arguments.join(" "), dir.display())))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path, source }
}
