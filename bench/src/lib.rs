//! Shared parts of the benchmarks: prepared pages of threats, and a server that sends them.

pub mod decode;
pub mod har;
pub mod page;
pub mod process;
pub mod server;
