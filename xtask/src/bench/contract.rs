//! Validation of recorded traffic against the contract.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use sentinelone_codegen::Result;

use super::binaries::Binaries;
use super::processes::{measured, median, run_json};
use super::progress::progress;
use super::table::{Goal, Row, Table, Unit};

/// Size of the HAR file.
const MEGABYTES: &str = "200";

pub(super) fn measure(binaries: &Binaries, table: &mut Table) -> Result<()> {
    progress("validating a HAR file of 200 MB");
    let har = binaries.work.join("threats.har");
    let verified = measure_har(binaries, &har, table);
    // The file is large, and is written quickly.
    let _ = std::fs::remove_file(&har);
    verified?;

    progress("validating a page");
    let page = [run_json(Command::new(&binaries.contract).arg("20"))?];
    let megabytes = median(&page, "bytes")? / 1e6;
    let rates = [megabytes / median(&page, "validate")?, megabytes / median(&page, "parse")?];
    let label = "validate a page of 1,000 threats, vs. parsing it into `serde_json::Value`";
    table.push(Row::ratio("contract", label, Unit::MegabytesPerSecond, rates, Goal::None));
    Ok(())
}

fn measure_har(binaries: &Binaries, har: &Path, table: &mut Table) -> Result<()> {
    let file = [run_json(Command::new(&binaries.bench).arg("har").arg(har).arg(MEGABYTES))?];
    let line = [binaries.s1.as_os_str(), "contract".as_ref(), "verify".as_ref(), har.as_os_str()];
    let run = [run_json(&mut measured(&binaries.bench, &line.map(OsString::from)))?];
    let label = "`s1 contract verify` of a HAR file of 200 MB, 1,000 threats per response";
    let rate = median(&file, "bytes")? / median(&run, "seconds")? / 1e6;
    table.push(Row::alone("contract", label, Unit::MegabytesPerSecond, rate, Goal::Min(40.0)));
    if let Ok(peak) = median(&run, "peak_kib") {
        table.push(Row::alone("contract", "its peak memory", Unit::Kib, peak, Goal::Max(65_536.0)));
    }
    Ok(())
}
