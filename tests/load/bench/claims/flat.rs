//! One size against a hundred times that, shape by shape.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, ensure};
use comfy_table::{Table, presets};

use super::filled::{Cost, Filled};
use super::shape::Shape;

/// A claim at the greater size may cost so much more steps than at the smaller.
const GROWTH_MAX: f64 = 1.5;

/// What to count.
#[derive(Clone, Debug, clap::Args)]
pub struct ClaimsOptions {
    /// Tasks of the smaller queue
    #[arg(long, default_value_t = 10_000)]
    small: usize,
    /// Tasks of the greater one
    #[arg(long, default_value_t = 1_000_000)]
    large: usize,
    /// Life cycles that are counted in each
    #[arg(long, default_value_t = 800)]
    cycles: usize,
}

pub struct Compared {
    pub shape: Shape,
    small: Cost,
    large: Cost,
}

impl Compared {
    /// Steps at the greater size, as a multiple of those at the smaller.
    pub fn growth(&self) -> f64 {
        self.large.steps_per_task / self.small.steps_per_task
    }

    pub fn is_flat(&self) -> bool {
        self.growth() <= GROWTH_MAX
    }
}

/// All shapes.
pub struct Flatness {
    sizes: (usize, usize),
    rows: Vec<Compared>,
}

/// # Errors
/// Those of the database; rows that the doctor complains of; a shape in which a claim is not flat.
pub fn claims(ClaimsOptions { small, large, cycles }: &ClaimsOptions) -> Result<Flatness> {
    let rows: Result<Vec<_>> = Shape::ALL.into_iter().map(|shape| compare(shape, *small, *large, *cycles)).collect();
    let flatness = Flatness { sizes: (*small, *large), rows: rows? };
    ensure!(flatness.rows.iter().all(Compared::is_flat), "a claim costs more than {GROWTH_MAX}x:\n{flatness}");
    Ok(flatness)
}

pub fn compare(shape: Shape, small: usize, large: usize, cycles: usize) -> Result<Compared> {
    let folder = tempfile::tempdir()?;
    let (mut few, mut many) = (Filled::new(folder.path(), shape, small)?, Filled::new(folder.path(), shape, large)?);
    let compared = Compared { shape, small: few.measure(cycles)?, large: many.measure(cycles)? };
    few.check()?;
    many.check()?;
    Ok(compared)
}

impl fmt::Display for Flatness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let (small, large) = self.sizes;
        let heads = ["shape".to_owned(), format!("steps at {small}"), format!("at {large}"), "growth".to_owned()];
        table.set_header(heads.into_iter().chain(["time at both".to_owned(), "growth".to_owned()]));
        for row in &self.rows {
            let (few, many) = (row.small, row.large);
            let micros = |time: Duration| time.as_secs_f64() * 1e6;
            table.add_row([
                row.shape.name().to_owned(),
                format!("{:.1}", few.steps_per_task),
                format!("{:.1}", many.steps_per_task),
                format!("{:.2}", row.growth()),
                format!("{:.1} us, {:.1} us", micros(few.time_per_task), micros(many.time_per_task)),
                format!("{:.2}", micros(many.time_per_task) / micros(few.time_per_task)),
            ]);
        }
        write!(f, "claim and completion of a task, steps of the virtual machine, and time\n{table}")
    }
}
