//! Lines in columns that fit a terminal: the least important columns are dropped before anything wraps. The terminal's width is the width
//! in the format (`{report:60}`); without it, all columns are shown. Pure.

use std::fmt;

use anstyle::Style;

use super::wrap::width;

/// The least width of a text that may be cut; below that a column is dropped.
const LEAST: usize = 24;
/// The largest indent of notes below a line on a narrow terminal.
const INDENT: usize = 4;

#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Column {
    gap: &'static str,
    align: Align,
    rank: u8,
    may_be_cut: bool,
    style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Align {
    Ragged,
    Left,
    Right,
}

impl Column {
    /// Cells of their own length, two spaces after the previous column.
    pub const fn ragged() -> Self {
        let style = Style::new();
        Self { gap: "  ", align: Align::Ragged, rank: 0, may_be_cut: false, style }
    }

    /// Cells of one width, aligned left.
    pub const fn left() -> Self {
        Self { align: Align::Left, ..Self::ragged() }
    }

    /// Cells of one width, aligned right.
    pub const fn right() -> Self {
        Self { align: Align::Right, ..Self::ragged() }
    }

    /// The gap to the previous column, if neither is empty.
    pub const fn after(self, gap: &'static str) -> Self {
        Self { gap, ..self }
    }

    /// Dropped on a narrow terminal: the highest rank first.
    pub const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }

    /// Cut after a word on a narrow terminal. Its cells must have no colours of their own.
    pub const fn cut(self) -> Self {
        Self { may_be_cut: true, ..self }
    }

    pub const fn style(self, style: Style) -> Self {
        Self { style, ..self }
    }
}

#[derive(Debug, Clone)]
pub struct Table {
    columns: Vec<Column>,
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
enum Line {
    Cells(Vec<String>),
    Note(usize, String),
    Text(String),
}

impl Table {
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), lines: Vec::new() }
    }

    /// Adds a line with a cell for each column.
    pub fn line(&mut self, cells: impl Into<Vec<String>>) {
        self.lines.push(Line::Cells(cells.into()));
    }

    /// Adds a note on the line above, below its column of this number and those after it.
    pub fn note(&mut self, column: usize, text: impl Into<String>) {
        self.lines.push(Line::Note(column, text.into()));
    }

    pub fn text(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Text(text.into()));
    }

    /// The lines, formatted for `room` columns.
    pub fn lines(&self, room: Option<usize>) -> Vec<String> {
        let widths = self.widths();
        let mut shown = vec![true; self.columns.len()];
        let Some(room) = room else { return self.rendered(&widths, &shown, None) };
        let mut ranks: Vec<usize> = (0..self.columns.len()).filter(|at| self.columns[*at].rank > 0).collect();
        ranks.sort_by_key(|at| self.columns[*at].rank);
        while self.needs(&widths, &shown) > room {
            let Some(dropped) = ranks.pop() else { break };
            shown[dropped] = false;
        }
        self.rendered(&widths, &shown, Some(room))
    }

    fn cells(&self) -> impl Iterator<Item = &Vec<String>> {
        self.lines.iter().filter_map(|line| if let Line::Cells(cells) = line { Some(cells) } else { None })
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |at: usize| self.cells().map(|cells| width(&cells[at])).max().unwrap_or(0);
        (0..self.columns.len()).map(widest).collect()
    }

    /// The width of the longest line, with its texts cut as far as they may be.
    fn needs(&self, widths: &[usize], shown: &[bool]) -> usize {
        let of =
            |cells: &Vec<String>| width(&self.joined(&self.cut(cells, shown, usize::MAX), widths, shown));
        self.cells().map(of).max().unwrap_or(0)
    }

    /// The cells, shortened by `over` characters if they may be cut: from the last first.
    fn cut(&self, cells: &[String], shown: &[bool], mut over: usize) -> Vec<String> {
        let mut cells = cells.to_vec();
        for at in (0..cells.len()).rev().filter(|at| shown[*at] && self.columns[*at].may_be_cut) {
            let before = width(&cells[at]);
            let room = before.saturating_sub(over).max(before.min(LEAST));
            cells[at] = cut(&cells[at], room);
            over = over.saturating_sub(before - width(&cells[at]));
        }
        cells
    }

    fn rendered(&self, widths: &[usize], shown: &[bool], room: Option<usize>) -> Vec<String> {
        let line = |line: &Line| match line {
            Line::Text(text) => text.clone(),
            Line::Note(column, text) => {
                let before = (0..*column).filter(|at| shown[*at]);
                let natural: usize = before.map(|at| widths[at] + self.columns[at].gap.len()).sum();
                let indent =
                    if room.is_some_and(|room| natural + width(text) > room) { INDENT } else { natural };
                format!("{:indent$}{text}", "")
            }
            Line::Cells(cells) => {
                let whole = self.joined(cells, widths, shown);
                match room.map_or(0, |room| width(&whole).saturating_sub(room)) {
                    0 => whole,
                    over => self.joined(&self.cut(cells, shown, over), widths, shown),
                }
            }
        };
        self.lines.iter().map(line).collect()
    }

    fn joined(&self, cells: &[String], widths: &[usize], shown: &[bool]) -> String {
        let mut line = String::new();
        let mut behind = String::new();
        for (at, column) in self.columns.iter().enumerate().filter(|(at, _)| shown[*at]) {
            let text = &cells[at];
            if widths[at] == 0 || column.align == Align::Ragged && text.is_empty() {
                continue;
            }
            if at > 0 && !(line.is_empty() && behind.is_empty()) {
                behind.push_str(column.gap);
            }
            let pad = " ".repeat(widths[at].saturating_sub(width(text)));
            if column.align == Align::Right {
                behind.push_str(&pad);
            }
            if !text.is_empty() {
                let style = column.style;
                line.push_str(&behind);
                line.push_str(&format!("{style}{text}{style:#}"));
                behind.clear();
            }
            if column.align == Align::Left {
                behind.push_str(&pad);
            }
        }
        line
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines(f.width()).iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The words at the start of an uncoloured text that fit into `room`, with an ellipsis.
fn cut(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for word in text.split_inclusive(' ') {
        if width(&kept) + width(word.trim_end()) + 2 > room {
            break;
        }
        kept.push_str(word);
    }
    format!("{}…", if kept.is_empty() { String::new() } else { kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([
            Column::left(),
            Column::right().rank(1),
            Column::left().rank(2),
            Column::ragged().cut(),
            Column::ragged().after(" ").rank(3),
        ]);
        let cells = |cells: [&str; 5]| cells.map(str::to_owned);
        table.line(cells([
            "12a1bee",
            "7 kB",
            "2 hours ago",
            "Rewrite the checkout for all countries",
            "by Dana",
        ]));
        table.note(1, "banned: loses orders");
        table.line(cells(["386c5e0", "675 kB", "1 minute ago", "Fix", ""]));
        table
    }

    #[test]
    fn without_a_width_all_is_shown() {
        let lines = [
            "12a1bee    7 kB  2 hours ago   Rewrite the checkout for all countries by Dana",
            "         banned: loses orders",
            "386c5e0  675 kB  1 minute ago  Fix",
        ];
        assert_eq!(table().lines(None), lines);
    }

    #[test]
    fn columns_are_dropped_by_rank_and_texts_cut_after_a_word() {
        let shown = |room| table().lines(Some(room));
        assert_eq!(shown(70)[0], "12a1bee    7 kB  2 hours ago   Rewrite the checkout for all … by Dana");
        assert_eq!(shown(60)[0], "12a1bee    7 kB  2 hours ago   Rewrite the checkout for …");
        assert_eq!(shown(50)[0], "12a1bee    7 kB  Rewrite the checkout for all …");
        assert_eq!(
            shown(36),
            ["12a1bee  Rewrite the checkout for …", "         banned: loses orders", "386c5e0  Fix"]
        );
        assert_eq!(shown(25)[1], "    banned: loses orders");
    }
}
