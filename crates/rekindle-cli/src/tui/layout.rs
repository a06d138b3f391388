//! [`Plan`]: how much room there is in, where everything goes out. Pure.
//!
//! What matters least drops out first: the stages, the sparklines, the keys, the log, the lines of a failure;
//! the header and the table of configurations stay for as long as there is a line for them.

use ratatui::layout::Rect;

/// From here on durations stand beside the table.
const WIDE: u16 = 112;
/// The lines of the durations with all stages: a title, the totals, six stages.
pub(super) const ALL_STAGES: u16 = 9;

/// What there is to show.
#[derive(Debug, Clone, Copy)]
pub(super) struct Needs {
    /// The rows of the table.
    pub(super) configs: usize,
    /// The lines of the failure; none without one.
    pub(super) failure: usize,
    /// Whether the keys are wanted.
    pub(super) keys: bool,
}

/// Where everything goes; what has no room has an empty area.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) header: Rect,
    pub(super) table: Rect,
    pub(super) durations: Rect,
    pub(super) failure: Rect,
    pub(super) log: Rect,
    pub(super) keys: Rect,
}

impl Plan {
    /// In this area.
    pub(super) fn new(area: Rect, needs: Needs) -> Self {
        let (header, body, keys) = frame(area, needs.keys);
        let mut rest = body;
        let wide = area.width >= WIDE && body.height >= 20;
        let least = if needs.failure > 0 { 3 } else { 4 };
        let band = table_height(needs.configs, body.height, least);
        let band = cut_top(&mut rest, if wide { band.max(ALL_STAGES) } else { band });
        let (table, beside) = if wide { halves(band) } else { (band, Rect::default()) };
        let failure = failure_height(needs.failure, rest.height);
        let failure = cut_top(&mut rest, failure);
        let below = if wide { Rect::default() } else { cut_bottom(&mut rest, durations_height(body.height)) };
        let durations = if wide { beside } else { below };
        Self { header, table, durations, failure, log: rest, keys }
    }

    /// One thing in place of all panes.
    pub(super) fn whole(area: Rect, keys: bool) -> (Rect, Rect, Rect) {
        frame(area, keys)
    }
}

/// Header, body and keys.
fn frame(area: Rect, keys: bool) -> (Rect, Rect, Rect) {
    let mut rest = area;
    let header = cut_top(&mut rest, if area.height >= 14 { 2 } else { 1 });
    let keys = cut_bottom(&mut rest, u16::from(keys && area.height >= 6));
    (header, rest, keys)
}

/// A title, the names of the columns and the rows, but not more than its share.
fn table_height(configs: usize, body: u16, least: u16) -> u16 {
    let wanted = u16::try_from(configs.max(1)).unwrap_or(u16::MAX).saturating_add(2);
    wanted.min((body / 3).max(least)).min(body)
}

fn failure_height(lines: usize, rest: u16) -> u16 {
    if lines == 0 {
        return 0;
    }
    let wanted = u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(1);
    // A log of fewer lines than these says too little.
    let room = if rest >= 12 { rest - 6 } else { rest };
    let height = wanted.min(room);
    if rest - height < 2 { rest } else { height }
}

fn durations_height(body: u16) -> u16 {
    match body {
        0..16 => 0,
        16..34 => 2,
        _ => ALL_STAGES,
    }
}

fn halves(area: Rect) -> (Rect, Rect) {
    let left = area.width / 2 + area.width / 12;
    let right = area.width - left - 2;
    (Rect { width: left, ..area }, Rect { x: area.x + left + 2, width: right, ..area })
}

fn cut_top(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    let top = Rect { height, ..*rest };
    *rest = Rect { y: rest.y + height, height: rest.height - height, ..*rest };
    top
}

fn cut_bottom(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    rest.height -= height;
    Rect { y: rest.y + rest.height, height, ..*rest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(width: u16, height: u16, failure: usize) -> Plan {
        Plan::new(Rect::new(0, 0, width, height), Needs { configs: 4, failure, keys: true })
    }

    #[test]
    fn nothing_lies_over_something_else_or_beyond_the_edge() {
        for (width, height) in
            (0..130).step_by(13).flat_map(|width| (0..50).map(move |height| (width, height)))
        {
            for failure in [0, 3, 30] {
                let plan = plan(width, height, failure);
                let all = [plan.header, plan.table, plan.durations, plan.failure, plan.log, plan.keys];
                let areas: u32 = all.iter().map(|area| area.area()).sum();
                assert!(areas <= u32::from(width) * u32::from(height), "{width}x{height}: {plan:?}");
                for (number, area) in all.iter().enumerate().filter(|(_, area)| !area.is_empty()) {
                    assert!(area.right() <= width && area.bottom() <= height, "{width}x{height}: {plan:?}");
                    let others = all[number + 1..].iter().filter(|other| !other.is_empty());
                    assert!(!others.clone().any(|other| area.intersects(*other)), "{plan:?}");
                }
            }
        }
    }

    #[test]
    fn panes_drop_out_from_the_least_to_the_most_important() {
        let shown = |height, failure| {
            let plan = plan(80, height, failure);
            [plan.durations, plan.keys, plan.log, plan.failure, plan.table, plan.header]
                .map(|area| !area.is_empty())
        };
        assert_eq!(shown(24, 6), [true, true, true, true, true, true]);
        assert_eq!(shown(16, 6), [false, true, true, true, true, true]);
        assert_eq!(shown(10, 6), [false, true, false, true, true, true]);
        assert_eq!(shown(5, 6), [false, false, false, true, true, true]);
        assert_eq!(shown(3, 6), [false, false, false, false, true, true]);
        assert_eq!(shown(1, 6), [false, false, false, false, false, true]);
        assert_eq!(shown(10, 0), [false, true, true, false, true, true]);
    }
}
