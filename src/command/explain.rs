//! `jiayi explain CODE`: what a code means and what to do about it.

use std::io::{self, Write};

use anyhow::Result;

use crate::base::code::Code;
use crate::base::diagnostic::{nearest, stop};
use crate::base::message::Msg;
use crate::report::screen::{self, Look};

use super::Ended;

pub fn run(code: Option<&str>, look: Look) -> Result<Ended> {
    let codes = match code {
        None => Code::ALL.to_vec(),
        Some(text) => match Code::parse(text) {
            Some(code) => vec![code],
            None => {
                let near = nearest(text, Code::ALL.iter().map(|code| code.name()));
                let cure = near.map(|near| Msg::DidYouMean { near: near.to_string() });
                return Err(stop(Msg::NoSuchCode { text: text.to_string() }, cure));
            }
        },
    };
    let mut out = io::stdout().lock();
    screen::explain(&mut out, &codes, look)?;
    out.flush()?;
    Ok(Ended::Done)
}
