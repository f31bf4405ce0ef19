//! What was paid: numbered batches in an embedded database, each chained to the one before it by a hash.
//! Nothing is ever edited; a mistake is undone by a batch of its own.
//!
//! [`store`] opens the file and says what is wrong with it, [`chain`] numbers and hashes batches, [`pages`] packs
//! signings and services, [`recall`] reads what a run starts from, [`tell`] what people look at, [`writer`] writes
//! a batch, [`post`] says what of a run goes into it, [`verify`] finds what was changed since.
//! No amount is worked out here.

pub mod chain;
pub mod pages;
pub mod post;
pub mod recall;
pub mod store;
pub mod tell;
pub mod verify;
pub mod writer;
