//! `cargo xtask package`: what would be published, unpacked, and a crate that is built against it.

use std::io;
use std::path::Path;
use std::process::Command;

use sentinelone_codegen::{Error, Result};

/// The crates that are published, in the order of their dependencies.
const CRATES: [&str; 2] = ["sentinelone-raw", "sentinelone"];

/// Packs the crates as `cargo publish` would and unpacks them into `target/package/<name>`. They are not built:
/// the crate in `target/downstream` does that, a copy of `examples/downstream`.
pub(crate) fn run(root: &Path) -> Result<String> {
    let target = root.join("target");
    let packages = target.join("package");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut pack = Command::new(cargo);
    pack.current_dir(root)
        .args(["package", "--quiet", "--allow-dirty", "--no-verify", "--target-dir"])
        .arg(&target);
    // Both at once, so that one that is not published yet is found by the other.
    CRATES.iter().for_each(|name| {
        pack.args(["--package", name]);
    });
    done(&mut pack)?;
    let mut made = String::new();
    for name in CRATES {
        let folder = packages.join(name);
        let said = |source| Error::Io { path: folder.clone(), source };
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(said)?;
        }
        std::fs::create_dir_all(&folder).map_err(said)?;
        // A version that is part of the name would have to be said wherever the folder is.
        let archive = packages.join(format!("{name}-{}.crate", env!("CARGO_PKG_VERSION")));
        let mut unpack = Command::new("tar");
        // With the time of now: archives of cargo have one for all files, by which nobody sees what changed.
        unpack.arg("-xzmf").arg(&archive).arg("-C").arg(&folder).arg("--strip-components=1");
        done(&mut unpack)?;
        made += &format!("target/package/{name}\n");
    }
    downstream(root)?;
    Ok(made + "target/downstream\nnow: (cd target/downstream && cargo test)")
}

/// Copies the example of a crate outside the workspace, so that it depends on what was unpacked.
fn downstream(root: &Path) -> Result<()> {
    let (from, to) = (root.join("examples/downstream"), root.join("target/downstream"));
    for file in ["Cargo.toml", "src/lib.rs", "tests/contract.rs"] {
        let said = |source| Error::Io { path: to.join(file), source };
        let mut text = std::fs::read_to_string(from.join(file)).map_err(said)?;
        if file == "Cargo.toml" {
            text = text.replace("path = \"../..\"", "path = \"../package/sentinelone\"");
            // Until both are published.
            text += "\n[patch.crates-io]\nsentinelone-raw = { path = \"../package/sentinelone-raw\" }\n";
        }
        std::fs::create_dir_all(to.join(file).parent().unwrap_or(&to)).map_err(said)?;
        std::fs::write(to.join(file), text).map_err(said)?;
    }
    Ok(())
}

fn done(command: &mut Command) -> Result<()> {
    let status = command.status().and_then(|status| match status.success() {
        true => Ok(()),
        false => Err(io::Error::other(status.to_string())),
    });
    status.map_err(|source| Error::Io { path: command.get_program().into(), source })
}
