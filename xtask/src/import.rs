//! `cargo xtask import`: a document of the vendor beside `spec/`.

use std::path::Path;

use sentinelone_codegen::{Result, document, import};

pub(crate) fn run(root: &Path, file: &str) -> Result<String> {
    let document = document::open(Path::new(file))?;
    let import = import::look(&root.join("spec"), document, None)?;
    let w = import::write(&root.join("spec"), &import, "2024-04")?;
    for one in &w.done {
        println!("done {one}");
    }
    for one in &w.left {
        println!("left {one}");
    }
    for one in &w.undescribed {
        println!("und {one}");
    }
    println!("{:?}", w.files);
    Ok(format!("{} differences, {} explained", import.differences.len(), import.explained.len()))
}
