//! `cargo xtask import`: a document of the vendor beside `spec/`.

use std::path::Path;

use sentinelone_codegen::{Result, document, import};

pub(crate) fn run(root: &Path, file: &str) -> Result<String> {
    let document = document::open(Path::new(file))?;
    let import = import::look(&root.join("spec"), document, None)?;
    for one in &import.explained {
        println!("E {} {} {:?}", one.id, one.place, one.what);
    }
    for one in &import.differences {
        println!("{} {} {:?}", one.id, one.place, one.what);
    }
    println!("{:?} {:?} {:?}", import.quirks, import.restored, import.profile);
    Ok(format!("{} differences, {} explained", import.differences.len(), import.explained.len()))
}
