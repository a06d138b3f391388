//! Lines over a logarithmic axis: what grows, and what does not.

use super::svg::{Axis, Canvas, LEFT, RIGHT, short};

/// One case, from left to right.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) ours: bool,
}

/// A picture of lines.
pub(super) struct Lines<'a> {
    pub(super) title: &'a str,
    pub(super) lines: Vec<Line>,
}

const TOP: f64 = 44.0;
const BOTTOM: f64 = 260.0;
/// The names stand right of the lines.
const NAMES: f64 = RIGHT - 110.0;
const START: f64 = LEFT - 150.0;

impl Lines<'_> {
    pub(super) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let across = Axis::holding(points().map(|(x, _)| x).collect::<Vec<_>>().into_iter(), true);
        let up = Axis::holding(points().map(|(_, y)| y).collect::<Vec<_>>().into_iter(), false);
        let mut canvas = Canvas::new(self.title, BOTTOM + 30.0);
        for tick in across.ticks() {
            canvas.text("faint", "middle", (x(across, tick), BOTTOM + 18.0), &short(tick));
        }
        for tick in up.ticks() {
            canvas.grid((START, y(up, tick)), (NAMES, y(up, tick)));
            canvas.text("faint", "end", (START - 8.0, y(up, tick) + 4.0), &short(tick));
        }
        let mut taken = Vec::new();
        for line in &self.lines {
            line.draw(&mut canvas, (across, up), &mut taken);
        }
        canvas.finish()
    }
}

impl Line {
    /// `taken` are the heights of the names that are there: two do not stand on each other.
    fn draw(&self, canvas: &mut Canvas, (across, up): (Axis, Axis), taken: &mut Vec<f64>) {
        let class = if self.ours { "ours" } else { "other" };
        let points: Vec<(f64, f64)> =
            self.points.iter().map(|&(right, high)| (x(across, right), y(up, high))).collect();
        canvas.polyline(class, &points);
        let Some(&(_, mut height)) = points.last() else { return };
        while let Some(near) = taken.iter().find(|other| (**other - height).abs() < 15.0) {
            height = near - 15.1;
        }
        taken.push(height);
        canvas.text("", "start", (NAMES + 12.0, height + 4.0), &self.name);
    }
}

fn x(axis: Axis, figure: f64) -> f64 {
    START + (NAMES - START) * axis.place(figure)
}

fn y(axis: Axis, figure: f64) -> f64 {
    BOTTOM - (BOTTOM - TOP) * axis.place(figure)
}
