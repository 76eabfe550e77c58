//! `cargo xtask package`: unpacks the packages that would be published, and creates a crate that depends on them.

use std::io;
use std::path::Path;
use std::process::Command;

use sentinelone_codegen::{Error, Result};

/// The published crates, dependencies first.
const CRATES: [&str; 5] =
    ["sentinelone-raw", "sentinelone", "sentinelone-contract", "sentinelone-sandbox", "sentinelone-cli"];

/// Packs the crates as `cargo publish` does and unpacks them into `target/package/<name>`, without building them.
/// The tests of `target/downstream`, a copy of `examples/downstream`, build them.
pub(crate) fn run(root: &Path) -> Result<String> {
    let target = root.join("target");
    let packages = target.join("package");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut pack = Command::new(cargo);
    pack.current_dir(root)
        .args(["package", "--quiet", "--allow-dirty", "--no-verify", "--target-dir"])
        .arg(&target);
    // One command for all, so that dependencies resolve before they are published.
    CRATES.iter().for_each(|name| {
        pack.args(["--package", name]);
    });
    run_command(&mut pack)?;
    let mut created = String::new();
    for name in CRATES {
        // The directory name has no version, so that references to it stay valid.
        let dir = packages.join(name);
        let io = |source| Error::Io { path: dir.clone(), source };
        if dir.exists() {
            std::fs::remove_dir_all(&dir).map_err(io)?;
        }
        std::fs::create_dir_all(&dir).map_err(io)?;
        let archive = packages.join(format!("{name}-{}.crate", env!("CARGO_PKG_VERSION")));
        let mut unpack = Command::new("tar");
        // Option `m` sets the current time: cargo archives have one constant time, which hides changes from cargo.
        unpack.arg("-xzmf").arg(&archive).arg("-C").arg(&dir).arg("--strip-components=1");
        run_command(&mut unpack)?;
        created += &format!("target/package/{name}\n");
    }
    downstream(root)?;
    Ok(created + "target/downstream\nnext: (cd target/downstream && cargo test)")
}

/// Copies the example crate and makes it depend on the unpacked packages.
fn downstream(root: &Path) -> Result<()> {
    let (from, to) = (root.join("examples/downstream"), root.join("target/downstream"));
    for file in ["Cargo.toml", "src/lib.rs", "tests/contract.rs"] {
        let io = |source| Error::Io { path: to.join(file), source };
        let mut text = std::fs::read_to_string(from.join(file)).map_err(io)?;
        if file == "Cargo.toml" {
            for (path, name) in [("", ""), ("/contract", "-contract"), ("/sandbox", "-sandbox")] {
                let packed = format!("path = \"../package/sentinelone{name}\"");
                text = text.replace(&format!("path = \"../..{path}\""), &packed);
            }
            // Needed until the crates are published.
            text += "\n[patch.crates-io]\n";
            for name in CRATES {
                text += &format!("{name} = {{ path = \"../package/{name}\" }}\n");
            }
        }
        std::fs::create_dir_all(to.join(file).parent().unwrap_or(&to)).map_err(io)?;
        std::fs::write(to.join(file), text).map_err(io)?;
    }
    Ok(())
}

fn run_command(command: &mut Command) -> Result<()> {
    let status = command.status().and_then(|status| match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(status.to_string())),
    });
    status.map_err(|source| Error::Io { path: command.get_program().into(), source })
}
