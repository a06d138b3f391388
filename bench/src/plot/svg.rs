//! What every picture is made of: a canvas whose colours follow the reader's scheme.

use std::fmt::Write;

use crate::harness::table::thousands;

pub(super) const WIDTH: f64 = 760.0;

/// Where the axis begins, and where it ends.
pub(super) const LEFT: f64 = 210.0;
pub(super) const RIGHT: f64 = WIDTH - 70.0;

const STYLE: &str = "text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600;font-size:14px}\
    .faint{fill:#59636e;font-size:11px}.grid{stroke:#d1d9e0;stroke-width:1}\
    .other{fill:#8c959f}.ours{fill:#bc4c00}.line{fill:none;stroke-width:2;stroke:#8c959f}.line.ours{stroke:#bc4c00}\
    @media(prefers-color-scheme:dark){text{fill:#f0f6fc}.faint{fill:#9198a1}.grid{stroke:#3d444d}\
    .other{fill:#656c76}.ours{fill:#f0883e}.line{fill:none;stroke:#656c76}.line.ours{fill:none;stroke:#f0883e}}\
    .line.ours{fill:none}";

/// A picture that is being drawn.
pub(super) struct Canvas(String);

impl Canvas {
    pub(super) fn new(title: &str, height: f64) -> Self {
        let title = escape(title);
        Self(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<style>{STYLE}</style>\n\
             <text class=\"title\" x=\"8\" y=\"22\">{title}</text>\n"
        ))
    }

    /// A text whose `anchor` (start, middle, end) is at the point.
    pub(super) fn text(&mut self, class: &str, anchor: &str, (x, y): (f64, f64), text: &str) {
        let text = escape(text);
        self.push(format_args!(
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
        ));
    }

    pub(super) fn bar(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64)) {
        // A bar of no width is still there.
        let width = width.max(3.0);
        self.push(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\"/>"
        ));
    }

    /// A line of the grid.
    pub(super) fn grid(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.push(format_args!(
            "<line class=\"grid\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    pub(super) fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.push(format_args!("<polyline class=\"line {class}\" points=\"{}\"/>", points.join(" ")));
        for point in points {
            if let Some((x, y)) = point.split_once(',') {
                self.push(format_args!("<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"3.5\"/>"));
            }
        }
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // A String takes everything.
        let _ = writeln!(self.0, "{element}");
    }

    pub(super) fn finish(self) -> String {
        self.0 + "</svg>\n"
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Figures along an axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) logarithmic: bool,
}

impl Axis {
    /// Holds all the figures: whole powers of ten, or from nothing to a little more than the greatest.
    pub(super) fn holding(figures: impl Iterator<Item = f64> + Clone, logarithmic: bool) -> Self {
        let most = figures.clone().fold(f64::MIN_POSITIVE, f64::max);
        if !logarithmic {
            return Self { low: 0.0, high: most * 1.05, logarithmic };
        }
        let least = figures.filter(|&figure| figure > 0.0).fold(most, f64::min);
        let [low, high] = [least.log10().floor(), most.log10().ceil()].map(|power| 10_f64.powf(power));
        Self { low, high: high.max(low * 10.0), logarithmic }
    }

    /// Where a figure lies: 0 at the low end, 1 at the high.
    pub(super) fn place(self, figure: f64) -> f64 {
        let Self { low, high, logarithmic } = self;
        let place = if logarithmic {
            (figure / low).log10() / (high / low).log10()
        } else {
            (figure - low) / (high - low)
        };
        place.clamp(0.0, 1.0)
    }

    /// What is written along it.
    pub(super) fn ticks(self) -> Vec<f64> {
        let Self { low, high, logarithmic } = self;
        if logarithmic {
            let powers = std::iter::successors(Some(low), |tick| Some(tick * 10.0));
            return powers.take_while(|&tick| tick <= high * 1.01).collect();
        }
        let power = 10_f64.powf(high.log10().floor());
        let step = [0.2, 0.5, 1.0, 2.0].into_iter().map(|part| part * power).find(|step| high / step <= 6.0);
        let step = step.unwrap_or(power * 5.0);
        let ticks = std::iter::successors(Some(0.0), |tick| Some(tick + step));
        ticks.take_while(|&tick| tick <= high).collect()
    }
}

/// A figure in as few characters as it needs.
pub(super) fn short(figure: f64) -> String {
    let digits = match figure {
        size if size >= 100.0 || size.fract() == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{figure:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').into()
    } else {
        thousands(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_goes_from_power_to_power() {
        let axis = Axis::holding([0.02, 560.0].into_iter(), true);
        assert_eq!((axis.low, axis.high), (0.01, 1000.0));
        assert_eq!(axis.ticks().len(), 6);
        assert!((axis.place(0.1) - 0.2).abs() < 1e-9);
    }

    #[test]
    fn a_linear_axis_begins_at_nothing() {
        let axis = Axis::holding([100.0, 20_000.0].into_iter(), false);
        assert_eq!(axis.ticks(), [0.0, 5_000.0, 10_000.0, 15_000.0, 20_000.0]);
    }
}
