//! `screen`: a stylesheet is saved, and a page in a browser has the new style.
//!
//! The browser is driven by `bench/screen/measure.js`, which starts Vite beside; `npm ci` in that directory gets
//! both. The pages take turns, save by save.

use std::collections::BTreeMap;
use std::process::Command;

use crate::harness::child::Case;
use crate::harness::results::directory;
use crate::harness::stats::{Times, float};
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};

use super::server::REKINDLE;
use super::site::Site;

const ABOUT: &str = "Milliseconds from before the save of a stylesheet until a page in headless Chromium computes the new style, \
    which it looks for every 4 ms or so. Each server is a process of its own, with its default settings.";

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let mut table = Table::new("Screen", ABOUT, "", &["saves", "p50", "p90", "max"]);
    match times(size) {
        Ok(times) => {
            for (name, times) in times {
                table.rows.push(row(&name, &times)?);
            }
        }
        Err(why) => table.rows.push(Row::failed("", "rekindle", why.to_string())),
    }
    table.add_ratio("by Vite's, linked", "p50", "Vite, linked stylesheet");
    Ok(vec![table])
}

/// Of each page, in milliseconds.
fn times(size: Size) -> Result<BTreeMap<String, Vec<f64>>> {
    let screen = directory().join("screen");
    if !screen.join("node_modules").exists() {
        return Err("needs `npm ci` in bench/screen, and Chromium".into());
    }
    let site = Site::new()?;
    let root = site.root().to_string_lossy().into_owned();
    let mut server = Case::start(&["clients", REKINDLE, &root])?;
    let url = format!("http://127.0.0.1:{}/", server.ask::<u16>("port")?);
    let rounds = size.pick("100", "1");
    let run = Command::new("node").arg(screen.join("measure.js")).args([rounds, &url, &root]).output()?;
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&run.stdout)?)
}

fn row(name: &str, times: &[f64]) -> Result<Row> {
    let all = Times::of_millis(times)?;
    let values = [0.5, 0.9, 1.0].map(|quantile| all.ms(quantile));
    Ok(Row::new("", name, [Some(float(all.count()))].into_iter().chain(values).collect()))
}
