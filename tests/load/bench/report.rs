//! What was measured, round by round, and what it says: median, spread, and the ratio to another figure of the same round.
//! Pure.

use std::fmt;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::load::percentile;

/// One figure, with its value in each round.
#[derive(Clone, Debug, Serialize)]
struct Figure {
    name: String,
    unit: &'static str,
    rounds: Vec<f64>,
    /// The figure that this one is divided by.
    against: Option<String>,
}

/// All figures, in the order in which they were first noted.
#[derive(Clone, Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
}

/// The middle of some values, and the ends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct Spread {
    median: f64,
    min: f64,
    max: f64,
}

/// A figure as it leaves.
#[derive(Serialize)]
struct Line<'a> {
    name: &'a str,
    unit: &'a str,
    #[serde(flatten)]
    spread: Spread,
    against: Option<&'a str>,
    ratio: Option<Spread>,
    rounds: &'a [f64],
}

impl Report {
    /// Adds the value of one round. A figure is noted once in each round, what it is compared with as well.
    pub(super) fn note(&mut self, name: &str, unit: &'static str, value: f64, against: Option<&str>) {
        match self.figures.iter_mut().find(|figure| figure.name == name) {
            Some(figure) => figure.rounds.push(value),
            None => self.figures.push(Figure {
                name: name.to_owned(),
                unit,
                rounds: vec![value],
                against: against.map(str::to_owned),
            }),
        }
    }

    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(&self.lines().collect::<Vec<_>>())
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.figures.iter().map(|figure| Line {
            name: &figure.name,
            unit: figure.unit,
            spread: Spread::of(figure.rounds.clone()),
            against: figure.against.as_deref(),
            ratio: self.ratios(figure).map(Spread::of),
            rounds: &figure.rounds,
        })
    }

    /// Round by round: the machine may be twice as fast in the next one.
    fn ratios(&self, figure: &Figure) -> Option<Vec<f64>> {
        let against = figure.against.as_ref()?;
        let other = self.figures.iter().find(|other| other.name == *against)?;
        Some(figure.rounds.iter().zip(&other.rounds).map(|(value, other)| value / other).collect())
    }
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Spread {
        let mut at = |percent| percentile(&mut values, percent);
        Spread { median: at(50), min: at(0), max: at(100) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        let heading = ["FIGURE", "MEDIAN", "MIN", "MAX", "UNIT", "RATIO", "MIN", "MAX", "TO"];
        table.load_style(presets::NOTHING).set_header(heading);
        for line in self.lines() {
            let ratio = |pick: fn(Spread) -> f64| line.ratio.map(pick).map(rounded).unwrap_or_default();
            table.add_row([
                line.name.to_owned(),
                rounded(line.spread.median),
                rounded(line.spread.min),
                rounded(line.spread.max),
                line.unit.to_owned(),
                ratio(|spread| spread.median),
                ratio(|spread| spread.min),
                ratio(|spread| spread.max),
                line.against.unwrap_or_default().to_owned(),
            ]);
        }
        for column in [1, 2, 3, 5, 6, 7] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        f.write_str(&table.trim_fmt())
    }
}

/// Three digits that count.
fn rounded(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_compares_within_a_round() {
        let mut report = Report::default();
        for (raw, tick) in [(100.0, 50.0), (1.0, 0.9), (10.0, 8.0)] {
            report.note("raw", "/s", raw, None);
            report.note("tick", "/s", tick, Some("raw"));
        }
        let lines: Vec<Line> = report.lines().collect();
        assert_eq!(lines[0].ratio, None);
        assert_eq!(lines[1].spread, Spread { median: 8.0, min: 0.9, max: 50.0 });
        assert_eq!(lines[1].ratio, Some(Spread { median: 0.8, min: 0.5, max: 0.9 }));
        let table = report.to_string();
        let row = table.lines().find(|line| line.contains("tick")).unwrap();
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>(),
            ["tick", "8.00", "0.900", "50.0", "/s", "0.800", "0.500", "0.900", "raw"]
        );
        let json: serde_json::Value = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        assert_eq!(json[1]["ratio"]["median"], 0.8);
        assert_eq!(json[1]["rounds"], serde_json::json!([50.0, 0.9, 8.0]));
    }
}
