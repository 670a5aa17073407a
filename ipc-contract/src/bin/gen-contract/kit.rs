//! The tables of docs/contract-test.md: every case of the kit, and every wrong worker with the case that sees it.

use std::collections::BTreeMap;
use std::fmt::Write;

use ipc_contract::check::wrong::{WRONG, Wrong};
use ipc_contract::check::{Case, all_cases};

use crate::tables::replace;

/// The page, below the folder of the package.
pub(crate) const PAGE: &str = "docs/contract-test.md";

/// Cases of this part of the tree are told in one line for each message: each is a file with a sentence of its own.
const VECTORS: &str = "FRAME/vector/";

/// The page with each table as the code has it. Errors name a marker that is missing.
pub(crate) fn fill(page: &str) -> Result<String, String> {
    let tables = [("cases", cases(&all_cases())), ("wrong-workers", wrong_workers())];
    tables.iter().try_fold(page.to_owned(), |page, (name, table)| replace(PAGE, &page, name, table))
}

fn cases(cases: &[Case]) -> String {
    let mut text = format!("{} cases.\n", cases.len());
    // Areas stay in the order in which they are played.
    for of_area in cases.chunk_by(|case, next| area(case) == area(next)) {
        let _ = writeln!(text, "\n### {}: {} cases\n\n| case | section | rule |\n|---|---|---|", area(&of_area[0]), of_area.len());
        for case in of_area.iter().filter(|case| !case.name.starts_with(VECTORS)) {
            let _ = writeln!(text, "| `{}` | {} | {} |", case.name, case.section, cell(&case.rule));
        }
        text.push_str(&vectors(of_area));
    }
    text
}

fn area(case: &Case) -> &str {
    case.name.split('/').next().unwrap_or_default()
}

fn vectors(cases: &[Case]) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for name in cases.iter().filter_map(|case| case.name.strip_prefix(VECTORS)) {
        *counts.entry(name.split('/').next().unwrap_or_default()).or_default() += 1;
    }
    let rows = counts.iter().map(|(message, count)| {
        let about = if *message == "frame" { "what is no message".to_owned() } else { format!("`{message}`") };
        format!("| `{VECTORS}{message}/...` | 2.1, 5 | {count} vectors of {about}: what is legal is understood, the rest refused |\n")
    });
    rows.collect()
}

fn wrong_workers() -> String {
    let cases = all_cases();
    let section = |name: &str| cases.iter().find(|case| case.name == name).map_or("", |case| &*case.section);
    let mut table = format!("{} wrong workers.\n\n| worker | what it does wrong | case | section |\n|---|---|---|---|\n", WRONG.len());
    for Wrong { name, about, cases } in WRONG {
        let case = cases.first().copied().unwrap_or_default();
        let _ = writeln!(table, "| `{name}` | {} | `{case}` | {} |", cell(about), section(case));
    }
    table
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
