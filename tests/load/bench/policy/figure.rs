//! The drawing: a panel for each scene, a line for each class.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::overload::{LASTS_US, MINUTE_US, Waits};
use super::scene::Scene;

const SIZE: (u32, u32) = (900, 960);
const COLUMNS: usize = 2;
const COLOURS: [RGBColor; 3] = [RGBColor(0, 114, 178), RGBColor(213, 94, 0), RGBColor(110, 110, 110)];
const FONT: &str = "sans-serif";
/// In minutes of the axis.
const LABEL_HEIGHT: f64 = 2.4;

pub(super) fn draw(played: &[(Waits, Scene)]) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let panels = root.split_evenly((played.len().div_ceil(COLUMNS), COLUMNS));
        for (panel, (waits, scene)) in panels.iter().zip(played) {
            draw_panel(panel, waits, scene)?;
        }
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

fn draw_panel(panel: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>, waits: &Waits, scene: &Scene) -> Result<()> {
    let minutes = |us: i64| us as f64 / MINUTE_US as f64;
    let lasts = minutes(LASTS_US);
    panel.draw(&Text::new(scene.title, (12, 10), (FONT, 16).into_font().style(FontStyle::Bold))).map_err(failed)?;
    panel.draw(&Text::new(scene.rule, (12, 32), (FONT, 13))).map_err(failed)?;
    let mut chart = ChartBuilder::on(panel)
        .margin(12)
        .margin_top(54)
        .margin_right(64)
        .x_label_area_size(34)
        .y_label_area_size(40)
        .build_cartesian_2d(0.0..lasts, 0.0..lasts)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .x_labels(5)
        .y_labels(5)
        .x_label_formatter(&|minute| format!("{minute:.0}"))
        .y_label_formatter(&|minute| format!("{minute:.0}"))
        .x_desc("minutes since the overload began")
        .y_desc("longest wait, min")
        .label_style((FONT, 12))
        .draw()
        .map_err(failed)?;
    let mut labels: Vec<f64> = Vec::new();
    for ((line, class), colour) in waits.iter().zip(&scene.classes).zip(COLOURS) {
        let points = line.iter().map(|(at, wait)| (minutes(*at), minutes(*wait)));
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2))).map_err(failed)?;
        let last = line.last().map_or(0.0, |(_, wait)| minutes(*wait));
        // Lines that end together have their names one above the other.
        let taken = |at: f64| labels.iter().any(|label| (label - at).abs() < LABEL_HEIGHT * 0.9);
        let mut at = last;
        while taken(at) {
            at += LABEL_HEIGHT;
        }
        labels.push(at);
        let style = (FONT, 12).into_font().color(&colour);
        chart.draw_series([Text::new(class.name, (lasts + 0.6, at + 1.0), style)]).map_err(failed)?;
    }
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the figure cannot be drawn: {error}")
}
