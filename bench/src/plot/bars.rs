//! Horizontal bars, one a case.

use super::svg::{Axis, Canvas, LEFT, RIGHT, short};

/// One case: from a figure, or from the low end, to another.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) from: Option<f64>,
    /// `None`: there is no figure.
    pub(super) to: Option<f64>,
    pub(super) ours: bool,
}

/// A picture of bars.
pub(super) struct Bars<'a> {
    pub(super) title: &'a str,
    pub(super) logarithmic: bool,
    pub(super) bars: Vec<Bar>,
}

/// From one bar to the next.
const STEP: f64 = 26.0;
const THICK: f64 = 14.0;
const TOP: f64 = 40.0;

impl Bars<'_> {
    pub(super) fn svg(&self) -> String {
        #[allow(clippy::cast_precision_loss, reason = "a handful of bars")]
        let bottom = TOP + STEP * self.bars.len() as f64;
        let figures = self.bars.iter().flat_map(|bar| [bar.from, bar.to]).flatten();
        let axis = Axis::holding(figures, self.logarithmic);
        let mut canvas = Canvas::new(self.title, bottom + 28.0);
        for tick in axis.ticks() {
            let x = across(axis, tick);
            canvas.grid((x, TOP - 4.0), (x, bottom));
            canvas.text("faint", "middle", (x, bottom + 16.0), &short(tick));
        }
        let mut y = TOP;
        for bar in &self.bars {
            bar.draw(&mut canvas, axis, y);
            y += STEP;
        }
        canvas.finish()
    }
}

impl Bar {
    fn draw(&self, canvas: &mut Canvas, axis: Axis, y: f64) {
        let baseline = y + THICK - 2.0;
        canvas.text("", "end", (LEFT - 10.0, baseline), &self.name);
        let Some(to) = self.to else {
            return canvas.text("faint", "start", (LEFT + 4.0, baseline), "never");
        };
        let (start, end) = (across(axis, self.from.unwrap_or(axis.low)), across(axis, to));
        canvas.bar(if self.ours { "ours" } else { "other" }, (start, y), (end - start, THICK));
        let label = self.from.map_or_else(|| short(to), |from| format!("{} – {}", short(from), short(to)));
        canvas.text("faint", "start", (end.max(start + 3.0) + 5.0, baseline), &label);
    }
}

fn across(axis: Axis, figure: f64) -> f64 {
    LEFT + (RIGHT - LEFT) * axis.place(figure)
}
