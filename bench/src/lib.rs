//! What the measurements share: pages of prepared threats, and a server that has nothing else to do.

pub mod page;
pub mod server;
