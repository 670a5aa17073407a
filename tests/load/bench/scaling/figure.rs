//! The drawing: three panels over the same time.

use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::ScalingOptions;
use super::seen::Seen;

const SIZE: (u32, u32) = (900, 780);
const FONT: &str = "sans-serif";
const LINE: RGBColor = RGBColor(0, 114, 178);
const BOUND: RGBColor = RGBColor(213, 94, 0);
const LOAD: RGBColor = RGBColor(236, 240, 244);

struct Panel {
    title: &'static str,
    /// Seconds since the load began, and the value.
    points: Vec<(f64, f64)>,
    /// A line that it should stay under, and what that is.
    bound: Option<(f64, String)>,
}

pub(super) fn draw(seen: &Seen, options: &ScalingOptions) -> Result<String> {
    let seconds = |at_us: i64| (at_us - seen.load_us.0) as f64 / 1e6;
    let workers = seen.samples.iter().map(|sample| (seconds(sample.at_us), sample.workers as f64)).collect();
    let waiting = seen.samples.iter().map(|sample| (seconds(sample.at_us), sample.waiting as f64)).collect();
    let waits = seen.wait_line().into_iter().map(|(at_us, ms)| (seconds(at_us), ms / 1e3)).collect();
    let panels = [
        Panel { title: "workers", points: workers, bound: Some((f64::from(options.max), "max".into())) },
        Panel { title: "tasks that wait", points: waiting, bound: None },
        Panel {
            title: "wait, p95 of each half second, in seconds",
            points: waits,
            bound: Some((1.0, "target_wait".into())),
        },
    ];
    let last = seen.samples.last().map_or(1.0, |sample| seconds(sample.at_us));
    let load = seconds(seen.load_us.1);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        for (area, panel) in root.split_evenly((panels.len(), 1)).iter().zip(&panels) {
            draw_panel(area, panel, load, last)?;
        }
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

fn draw_panel(area: &DrawingArea<SVGBackend<'_>, Shift>, panel: &Panel, load: f64, last: f64) -> Result<()> {
    let bound = panel.bound.as_ref().map_or(0.0, |(bound, _)| *bound);
    let top = panel.points.iter().map(|(_, value)| *value).fold(bound, f64::max).max(1e-3) * 1.15;
    let mut chart = ChartBuilder::on(area)
        .caption(panel.title, (FONT, 15))
        .margin(10)
        .margin_right(24)
        .x_label_area_size(30)
        .y_label_area_size(48)
        .build_cartesian_2d(0.0..last, 0.0..top)
        .map_err(failed)?;
    chart.draw_series([Rectangle::new([(0.0, 0.0), (load, top)], LOAD.filled())]).map_err(failed)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .y_labels(5)
        .x_labels(10)
        .x_label_formatter(&|second| format!("{second:.0}"))
        .y_label_formatter(&|value| if top > 3.0 { format!("{value:.0}") } else { format!("{value:.1}") })
        .x_desc("seconds; the load lasts as long as the ground is shaded")
        .label_style((FONT, 12))
        .draw()
        .map_err(failed)?;
    if let Some((bound, name)) = &panel.bound {
        chart.draw_series(LineSeries::new([(0.0, *bound), (last, *bound)], BOUND.stroke_width(1))).map_err(failed)?;
        let style = (FONT, 12).into_font().color(&BOUND);
        chart.draw_series([Text::new(name.clone(), (last * 0.9, bound + top * 0.07), style)]).map_err(failed)?;
    }
    chart.draw_series(LineSeries::new(panel.points.iter().copied(), LINE.stroke_width(2))).map_err(failed)?;
    Ok(())
}

fn failed(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("the figure cannot be drawn: {error}")
}
