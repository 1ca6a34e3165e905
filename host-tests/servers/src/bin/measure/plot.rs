//! A plot of the ratios to `h2`: a panel for each measure, and in it a bar for each server.

use svg::Document;
use svg::node::element::{Group, Line, Rectangle, Text};

use crate::report::{Report, measures};
use crate::servers::Kind;

/// Sizes in pixels.
const NAMES: f64 = 180.0;
const PANEL: f64 = 168.0;
/// Space between panels, which holds the numbers at the ends of bars.
const GAP: f64 = 34.0;
const ROW: f64 = 19.0;
const BAR: f64 = 12.0;
const HEAD: f64 = 48.0;
const TITLE: f64 = 44.0;
/// Space below a line of panels.
const BETWEEN: f64 = 20.0;
const FOOT: f64 = 40.0;

/// Panels of a line.
const COLUMNS: usize = 4;
/// The width of an entry of the legend, and of all of them, of which the last is short.
const ENTRY: f64 = 168.0;
const ENTRIES: f64 = 414.0;
const LEGEND: [(Kind, &str, &str); 3] = [
    (Kind::Native, "this project, native", "#2f6db5"),
    (Kind::Component, "this project, component", "#e08a1e"),
    (Kind::Other, "others", "#8a8f98"),
];
const TEXT: &str = "#24292f";
const FAINT: &str = "#6e7781";
const GRID: &str = "#e3e6ea";

/// A logarithmic scale on which 1 has the same place in every panel.
struct Scale {
    /// The binary logarithms of the ends.
    from: f64,
    to: f64,
}

impl Scale {
    fn of(report: &Report) -> Self {
        let ratios =
            report.rows.iter().flat_map(|row| measures().filter_map(|measure| report.ratio(row, measure)));
        let (from, to) = ratios
            .filter(|ratio| ratio.is_normal() && *ratio > 0.0)
            .map(f64::log2)
            .fold((-1.0_f64, 1.0_f64), |(from, to), log| (from.min(log), to.max(log)));
        Self { from: from.floor(), to: to.ceil() }
    }

    /// Returns the distance of a ratio from the left end of a panel.
    fn at(&self, ratio: f64) -> f64 {
        (ratio.log2() - self.from) / (self.to - self.from) * (PANEL - 2.0 * GAP) + GAP
    }

    /// Returns the powers of four on the scale.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (from, to) = (self.from / 2.0, self.to / 2.0);
        (-8..=8).map(f64::from).filter(move |tick| (from..=to).contains(tick)).map(|tick| 4_f64.powf(tick))
    }
}

/// Draws the plot.
pub(crate) fn draw(report: &Report) -> Document {
    let scale = Scale::of(report);
    let panel_height = HEAD + ROW * report.rows.len() as f64 + BETWEEN;
    let width = NAMES + PANEL * COLUMNS as f64 + 8.0;
    let lines = measures().count().div_ceil(COLUMNS);
    let height = TITLE + panel_height * lines as f64 + FOOT;
    let mut document = Document::new()
        .set("viewBox", (0.0, 0.0, width, height))
        .set("font-family", "Helvetica, Arial, sans-serif")
        .set("font-size", 12)
        .add(Rectangle::new().set("width", width).set("height", height).set("fill", "#ffffff"))
        .add(
            text("CPU time and memory relative to h2 (left: less)", 8.0, 24.0, TEXT)
                .set("font-size", 15)
                .set("font-weight", "bold"),
        )
        .add(legend(width - ENTRIES, 13.0));
    for line in 0..lines {
        document = document.add(names(report, TITLE + panel_height * line as f64 + HEAD));
    }
    for (number, measure) in measures().enumerate() {
        let x = NAMES + PANEL * (number % COLUMNS) as f64;
        let y = TITLE + panel_height * (number / COLUMNS) as f64;
        document =
            document.add(panel(report, measure, &scale).set("transform", format!("translate({x},{y})")));
    }
    for (line, origin) in [report.origin[0..1].concat(), report.origin[1..].join(", ")].iter().enumerate() {
        let y = height - 26.0 + 15.0 * line as f64;
        document = document.add(text(origin, 8.0, y, FAINT).set("font-size", 10));
    }
    document
}

/// Draws the names of the servers.
fn names(report: &Report, y: f64) -> Group {
    let mut group = Group::new();
    for (number, row) in report.rows.iter().enumerate() {
        let name = text(&row.server, NAMES - 8.0, y + ROW * number as f64 + BAR - 1.0, TEXT);
        group = group.add(name.set("text-anchor", "end"));
    }
    group
}

fn legend(x: f64, y: f64) -> Group {
    let mut group = Group::new();
    for (number, (_, name, color)) in LEGEND.iter().enumerate() {
        let x = x + ENTRY * number as f64;
        let sample = Rectangle::new().set("x", x).set("y", y).set("width", BAR).set("height", BAR);
        group = group.add(sample.set("fill", *color)).add(text(name, x + 18.0, y + BAR - 1.0, TEXT));
    }
    group
}

/// Draws the bars of a measure.
fn panel(report: &Report, measure: &str, scale: &Scale) -> Group {
    let bottom = HEAD + ROW * report.rows.len() as f64 - (ROW - BAR);
    // The unit is that of the table; ratios have none.
    let title = measure.split(", ").next().unwrap_or(measure);
    let one = scale.at(1.0);
    let mut group = Group::new()
        .add(text(title, PANEL / 2.0, 16.0, TEXT).set("text-anchor", "middle").set("font-weight", "bold"));
    for tick in scale.ticks() {
        let x = scale.at(tick);
        group = group.add(line(x, HEAD - 6.0, bottom + 4.0, GRID)).add(
            text(&tick.to_string(), x, HEAD - 11.0, FAINT).set("text-anchor", "middle").set("font-size", 10),
        );
    }
    for (number, row) in report.rows.iter().enumerate() {
        let Some(ratio) = report.ratio(row, measure).filter(|ratio| ratio.is_normal() && *ratio > 0.0) else {
            continue;
        };
        let y = HEAD + ROW * number as f64;
        let end = scale.at(ratio);
        let color = LEGEND.iter().find(|(kind, ..)| *kind == row.kind).map_or(TEXT, |(.., color)| color);
        let bar = Rectangle::new().set("x", end.min(one)).set("y", y).set("width", (end - one).abs());
        group = group.add(bar.set("height", BAR).set("fill", color));
        let (x, anchor) = if ratio < 1.0 { (end - 4.0, "end") } else { (end + 4.0, "start") };
        let digits = if ratio < 10.0 { 2 } else { 1 };
        let number = text(&format!("{ratio:.digits$}"), x, y + BAR - 2.0, TEXT);
        group = group.add(number.set("text-anchor", anchor).set("font-size", 11));
    }
    group.add(line(one, HEAD - 6.0, bottom + 4.0, FAINT))
}

fn text(content: &str, x: f64, y: f64, color: &str) -> Text {
    Text::new(content).set("x", x).set("y", y).set("fill", color)
}

/// Draws a vertical line.
fn line(x: f64, from: f64, to: f64, color: &str) -> Line {
    Line::new().set("x1", x).set("x2", x).set("y1", from).set("y2", to).set("stroke", color)
}
