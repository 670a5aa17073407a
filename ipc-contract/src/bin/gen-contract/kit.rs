//! The tables of docs/contract-test.md: every case of the kit, and every wrong worker with the case that sees it.

use std::fmt::Write;

use ipc_contract::check::wrong::{WRONG, Wrong};
use ipc_contract::check::{Case, all_cases};

use crate::tables::replace;

/// The page, below the folder of the package.
pub(crate) const PAGE: &str = "docs/contract-test.md";

/// Cases of this part of the tree are told in one line: each is a file with a sentence of its own.
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
        let _ = writeln!(
            text,
            "\n### {}: {} cases\n\n| case | section | rule |\n|---|---|---|",
            area(&of_area[0]),
            of_area.len()
        );
        for case in of_area.iter().filter(|case| !case.name.starts_with(VECTORS)) {
            let _ = writeln!(text, "| `{}` | {} | {} |", case.name, case.section, cell(&case.rule));
        }
        let vectors = of_area.iter().filter(|case| case.name.starts_with(VECTORS)).count();
        if vectors > 0 {
            let rule = "each vector that a worker can be sent: what is legal is understood, the rest is refused";
            let _ = writeln!(text, "| `{VECTORS}...`, {vectors} cases | 2.1, 5 | {rule} |");
        }
    }
    text
}

fn area(case: &Case) -> &str {
    case.name.split('/').next().unwrap_or_default()
}

fn wrong_workers() -> String {
    let mut table = format!(
        "{} wrong workers.\n\n| worker | what it does wrong | section | case |\n|---|---|---|---|\n",
        WRONG.len()
    );
    for Wrong { name, about, section, case } in WRONG {
        let _ = writeln!(table, "| `{name}` | {} | {section} | `{case}` |", cell(about));
    }
    table
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
