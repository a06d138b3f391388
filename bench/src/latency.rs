//! `latency`: from a finished save to the value that a reader sees.
//!
//! Every case takes turns with the others, save by save, with gaps of random length between them, so that
//! other load and the phase of timers fall on all alike.

use std::time::Duration;

use crate::harness::app::Kind;
use crate::harness::random::Random;
use crate::harness::stats::float;
use crate::harness::table::{Row, Table};
use crate::harness::{Result, Size};
use crate::peers::reloaders::{self, FLOOR, Reloader};
use crate::saves::Site;

const ABOUT: &str = "Milliseconds from a save until a load shows the value. `whole` counts from the entry of the \
    system call that finishes the save, as the kernel tells of the change in the middle of it, and is what is compared; \
    p50, p99 and max count from its return.";

pub(crate) fn measure(size: Size) -> Result<Vec<Table>> {
    let columns = ["saves", "whole, p50", "whole, p99", "p50", "p99", "max", "CPU, p50"];
    let mut table = Table::new("Latency", ABOUT, "save", &columns);
    let mut sites = Vec::new();
    for kind in Kind::ALL {
        for reloader in &reloaders::ALL {
            sites.push((kind, Site::start(reloader, kind, 0)?));
        }
    }
    take_turns(&mut sites, size)?;
    table.rows = sites.iter().map(|(kind, site)| row(*kind, site)).collect();
    table.add_ratio("whole, by the floor's", "whole, p50", FLOOR);
    Ok(vec![table])
}

/// The slow ones sit most rounds out, or the run would take hours.
fn take_turns(sites: &mut [(Kind, Site)], size: Size) -> Result<()> {
    // Those that do not count: threads start, caches and directories fill.
    let (cold, rounds): (usize, usize) = size.pick((5, 300), (0, 1));
    let mut random = Random(1);
    for round in 0..cold + rounds {
        let warm = round >= cold;
        for (_, site) in
            sites.iter_mut().filter(|(_, site)| !warm || (round - cold).is_multiple_of(every(site.reloader)))
        {
            site.round(&mut random, warm)?;
        }
    }
    Ok(())
}

fn every(reloader: &Reloader) -> usize {
    match reloader.window {
        long if long >= Duration::from_millis(500) => 6,
        long if long >= Duration::from_millis(100) => 3,
        _ => 1,
    }
}

fn row(kind: Kind, site: &Site) -> Row {
    if let Some(why) = &site.failed {
        return Row::failed(kind.name(), site.reloader.name, why);
    }
    let mut values = vec![Some(float(site.seen.count())), site.whole.ms(0.5), site.whole.ms(0.99)];
    values.extend([0.5, 0.99, 1.0].map(|quantile| site.seen.ms(quantile)));
    values.push(site.cpu.ms(0.5));
    Row::new(kind.name(), site.reloader.name, values)
}
