//! Nouns that every room shares. Imports nothing of ours.

pub mod code;
pub mod diagnostic;
pub mod digits;
pub mod message;
pub mod money;
pub mod period;
pub mod person;
pub mod place;
pub mod reason;
pub mod text;
