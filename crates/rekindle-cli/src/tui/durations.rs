//! The pane of durations: sparklines of the last reloads, and what half and nearly all of them took. Pure.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Sparkline;
use rekindle::StageTimes;

use super::facts::STAGES;
use super::layout::ALL_STAGES;
use super::palette::Palette;
use super::times::Times;
use super::view::pane;
use crate::text::milliseconds;

/// The total, as an index.
const TOTAL: usize = STAGES - 1;
/// The columns of a name, and of two figures.
const NAME: u16 = 9;
const FIGURES: u16 = 20;
/// What takes so many times as long as the one in the middle has the largest bar.
const UNUSUAL: u64 = 4;

/// Draws the totals, and the stages if there is room for all of them.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, times: &Times, palette: Palette) {
    if area.is_empty() {
        return;
    }
    let inner = pane(frame, area, "Durations", palette);
    legend(frame, area, palette);
    if times.len() == 0 {
        let line = Line::styled("no reload yet", palette.dim());
        return frame.render_widget(line, inner);
    }
    let rows = inner.rows();
    let (totals, stages) = if area.height >= ALL_STAGES { (2, STAGES - 1) } else { (1, 0) };
    row(frame, Rect { height: totals, ..inner }, TOTAL, times, palette);
    for (stage, area) in (0..stages).zip(rows.skip(usize::from(totals))) {
        row(frame, area, stage, times, palette);
    }
}

/// The names of the figures, in the line of the title.
fn legend(frame: &mut Frame<'_>, area: Rect, palette: Palette) {
    if area.height > 1 && area.width > NAME + FIGURES {
        let at = Rect { x: area.right() - FIGURES, width: FIGURES, height: 1, ..area };
        frame.render_widget(Line::styled(format!("{:>9} {:>9} ", " p50", " p99"), palette.dim()), at);
    }
}

/// A name, a sparkline, two figures; the figures go first where there is no room.
fn row(frame: &mut Frame<'_>, area: Rect, stage: usize, times: &Times, palette: Palette) {
    let name = Rect { width: NAME.min(area.width), height: 1, ..area };
    frame.render_widget(Span::raw(StageTimes::NAMES[stage]), name);
    let figures = if area.width >= NAME + FIGURES + 8 { FIGURES } else { 0 };
    let bars = Rect { x: area.x + name.width, width: area.width - name.width - figures, ..area };
    let data = shown(times.last(stage, usize::from(bars.width)), area.height);
    frame.render_widget(Sparkline::default().data(data).style(palette.accent()), bars);
    if figures > 0 {
        let at = Rect { x: bars.right(), width: figures, height: 1, ..area };
        let [half, most] =
            [50, 99].map(|percent| times.quantile(stage, percent).map_or(String::new(), milliseconds));
        frame.render_widget(Line::raw(format!("{half:>9} {most:>9} ")), at);
    }
}

/// As they are shown: what took any time has at least the smallest bar, since a gap would say that there was no
/// reload; and one that took far longer than usual does not make all others as small as that.
fn shown(mut times: Vec<u64>, height: u16) -> Vec<u64> {
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0).max(1);
    let most = sorted.last().copied().unwrap_or(0).min(usual.saturating_mul(UNUSUAL));
    let least = most.div_ceil(8 * u64::from(height.max(1)));
    times.iter_mut().for_each(|time| *time = (*time).clamp(least, most));
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_long_leaves_the_others_to_be_told_apart() {
        assert_eq!(shown(vec![100, 120, 80, 50_000], 1), [100, 120, 80, 480]);
        assert_eq!(shown(vec![100, 1], 1), [100, 13]);
        assert_eq!(shown(vec![0, 0], 1), [0, 0]);
        assert_eq!(shown(vec![], 1), [0; 0]);
    }
}
