//! Rows of text under a heading, columns apart by blanks, cut to the width of a terminal. Pure.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::colour::{of_state, painted};
use crate::text::printable;

/// Blanks between two columns.
const GAP: usize = 2;
/// However narrow the terminal is, so much of a column stays.
const COLUMN_MIN: usize = 8;
const CUT: &str = "…";
/// The column whose words have colours.
const STATE: &str = "state";

/// The widest columns give way until all fit into `width`, in characters; without it nothing is cut.
pub(super) fn render(heading: &[&str], rows: &[Vec<String>], width: Option<usize>, is_coloured: bool) -> String {
    let heading = heading.iter().map(|&cell| cell.to_owned()).collect();
    let shown = |row: &Vec<String>| row.iter().map(|cell| one_line(cell)).collect();
    let lines: Vec<Vec<String>> = std::iter::once(heading).chain(rows.iter().map(shown)).collect();
    let state = lines[0].iter().position(|cell| cell == STATE).filter(|_| is_coloured);
    let of_column =
        |column: usize| lines.iter().filter_map(move |line| line.get(column)).map(|cell| cell.width()).max();
    let mut widths: Vec<usize> = (0..lines[0].len()).map(|column| of_column(column).unwrap_or(0)).collect();
    if let Some(width) = width {
        fit(&mut widths, width);
    }
    let text = lines.iter().enumerate().map(|(number, line)| {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            let cell = cut(cell, width);
            let pad = " ".repeat(width - cell.width() + GAP);
            let is_state = number > 0 && state == Some(column);
            if is_state { painted(&cell, of_state(&cell)) + &pad } else { cell + &pad }
        });
        cells.collect::<String>().trim_end().to_owned()
    });
    text.collect::<Vec<_>>().join("\n")
}

fn one_line(cell: &str) -> String {
    printable(cell.as_bytes()).replace(['\n', '\t'], " ")
}

/// No column may be wider than the most that lets all of them fit.
fn fit(widths: &mut [usize], width: usize) {
    let room = width.saturating_sub(GAP * widths.len().saturating_sub(1));
    let fits = |most: &usize| widths.iter().map(|own| own.min(most)).sum::<usize>() <= room;
    let most = (COLUMN_MIN..=width).rev().find(fits).unwrap_or(COLUMN_MIN);
    widths.iter_mut().for_each(|own| *own = most.min(*own));
}

fn cut(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    let mut room = width.saturating_sub(CUT.width());
    let fits = |c: &char| {
        let taken = c.width().unwrap_or(0);
        let fits = taken <= room;
        room = room.saturating_sub(taken);
        fits
    };
    cell.chars().take_while(fits).chain(CUT.chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
    }

    #[test]
    fn columns_are_aligned_and_nothing_is_cut_without_a_width() {
        let rows = rows(&[&["7", "resize", ""], &["12", "a\x1b[2J", "b\nc"], &["8", "写真", "x"]]);
        let text = "id  kind        name\n7   resize\n12  a\\u{1b}[2J  b c\n8   写真        x";
        assert_eq!(render(&["id", "kind", "name"], &rows, None, false), text);
        assert_eq!(render(&["id"], &[], Some(1), false), "id");
    }

    #[test]
    fn the_widest_columns_give_way() {
        let rows = rows(&[&["1", "a-rather-long-kind", "running", "a-name-that-is-longer-still"]]);
        let at = |width| render(&["id", "kind", "state", "name"], &rows, Some(width), false);
        let last = |width| at(width).lines().last().unwrap().to_owned();
        assert_eq!(last(60), "1   a-rather-long-kind  running  a-name-that-is-longer-still");
        assert_eq!(last(52), "1   a-rather-long-kind  running  a-name-that-is-lon…");
        assert_eq!(last(45), "1   a-rather-long-…  running  a-name-that-is…");
        assert_eq!(last(1), "1   a-rathe…  running  a-name-…", "something is left of each");
        for width in 31..70 {
            assert!(at(width).lines().all(|line| line.width() <= width), "{width}: {}", at(width));
        }
    }

    #[test]
    fn wide_characters_are_not_halved() {
        assert_eq!((cut("写真写真", 6).as_str(), cut("写真写真", 8).as_str()), ("写真…", "写真写真"));
    }

    #[test]
    fn only_states_have_colours_and_these_take_no_room() {
        let text = render(&["state", "name"], &rows(&[&["failed", "failed"], &["available", "x"]]), None, true);
        assert_eq!(text, "state      name\n\u{1b}[31mfailed\u{1b}[0m     failed\navailable  x");
    }
}
