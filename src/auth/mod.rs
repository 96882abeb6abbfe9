//! The core: a bearer token in, evidence or one named reason out. No web framework, no database.

pub mod algorithm;
pub mod clock;
