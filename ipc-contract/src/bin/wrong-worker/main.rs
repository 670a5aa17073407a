//! `wrong-worker NAME`: a worker with every handler of the specification that does one thing wrong, to prove that the kit sees it.
//!
//! `good` does nothing wrong. What the names mean and which case must see them is in `ipc_contract::check::wrong`.

mod args;
mod channel;
mod desk;
mod handlers;
mod life;
mod print;
mod wrong;

use std::process::ExitCode;

use ipc_contract::check::wrong::{GOOD, WRONG};

const USAGE_EXIT: u8 = 2;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    if name == "--list" {
        for row in WRONG {
            println!("{:28} {}", row.name, row.about);
        }
        return ExitCode::SUCCESS;
    }
    match WRONG.iter().map(|row| row.name).chain([GOOD]).find(|known| *known == name) {
        Some(name) => life::live(wrong::Wrong(name)),
        None => {
            eprintln!("wrong-worker: there is no {name:?}; see --list, or take {GOOD:?}");
            ExitCode::from(USAGE_EXIT)
        }
    }
}
