//! `scale`: what one save costs with few and with many files watched. It should cost the same.

use crate::harness::app::Kind;
use crate::harness::random::Random;
use crate::harness::stats::float;
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};
use crate::peers::reloaders::{self, FULL_50, NOTIFY, PROMPT, REKINDLE};
use crate::saves::Site;

const ABOUT: &str = "One save by rename, with that many other files watched (100 to a directory); medians, in \
    milliseconds: whole as in the latency table, CPU of all threads but the one that saves.";

/// Those that watch whole trees.
const WHO: [&str; 4] = [PROMPT, REKINDLE, NOTIFY, FULL_50];

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["saves", "whole, p50", "p99", "CPU, p50"];
    let mut table = Table::new("Scale", ABOUT, "files", &columns);
    let counts: [usize; 3] = size.pick([10, 1_000, 100_000], [10, 20, 40]);
    let mut sites = Vec::new();
    for files in counts {
        for name in WHO {
            sites.push((files, Site::start(reloaders::find(name)?, Kind::Rename, files)?));
        }
    }
    // The first ones wait until the trees are there, and do not count.
    let (cold, rounds, mut random) = (size.pick(5, 1), size.pick(200, 1), Random(2));
    for round in 0..cold + rounds {
        for (_, site) in &mut sites {
            site.round(&mut random, round >= cold)?;
        }
    }
    table.rows = sites.iter().map(|(files, site)| row(*files, site)).collect();
    let base = counts[0].to_string();
    table.add_growth("whole, by the first's", "whole, p50", &base);
    table.add_growth("CPU, by the first's", "CPU, p50", &base);
    Ok(vec![table])
}

fn row(files: usize, site: &Site) -> Row {
    if let Some(why) = &site.failed {
        return Row::failed(files.to_string(), site.reloader.name, why);
    }
    let count = Some(float(site.whole.count()));
    let values = vec![count, site.whole.ms(0.5), site.whole.ms(0.99), site.cpu.ms(0.5)];
    Row::new(files.to_string(), site.reloader.name, values)
}
