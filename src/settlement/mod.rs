//! The computation: rows and rules in, lines and reasons out. No files, no clock, no printing.

pub mod rules;

pub mod price;

pub mod qualify;

pub mod evidence;

pub mod assess;

pub mod lines;
