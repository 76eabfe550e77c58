//! Import of a vendor document: comparison with `spec/`, and update of `spec/`.
//!
//! The import extracts the operations of `spec/operations.toml` from the document
//! ([`extract`](crate::document::extract)), applies the corrections of `spec/overlays/` ([`overlays`]) and compares the
//! result with `spec/` location by location. A remaining difference is a change of the vendor, or does not have an
//! explanation yet. The conventions of `spec/README.md` ([`conventions()`]) do not count as differences.

mod adding;
pub mod baseline;
pub mod changes;
mod comparison;
mod conventions;
mod moves;
pub mod naming;
pub mod operations;
pub mod overlays;
pub mod report;
mod writing;

pub use adding::{AddReport, AddedOperation, add};
pub use comparison::{Correction, Difference, DifferenceKind, Import, compare, compare_with_spec};
pub use conventions::conventions;
pub use moves::Move;
pub use writing::{WriteReport, write};
