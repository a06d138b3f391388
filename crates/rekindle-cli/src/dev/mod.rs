//! `rekindle dev`: a directory in, its pages in a browser out, each save shown there and in the terminal.

#![allow(dead_code)]
mod answer;
mod args;
mod browser;
mod listen;
mod notice;
mod pages;
mod proxy;

pub(crate) use args::DevArgs;

use crate::stop::Stop;

pub(crate) async fn run(_args: &DevArgs) -> Result<(), Stop> {
    Ok(())
}
