//! Lines in columns that fit a terminal: what matters least is left out before anything wraps. How wide the terminal is, is the width
//! that they are formatted with (`{report:60}`); without one, all columns are shown. Pure.

use std::fmt;

use anstyle::Style;

use super::wrap::width;

/// The least that is shown of a text that may be cut before a column is dropped.
const LEAST: usize = 24;
/// How far notes below a line move in, where there is little room.
const INDENT: usize = 4;

/// How the cells of a column are shown.
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
    /// Cells as long as they are, two spaces after the column before.
    pub const fn ragged() -> Self {
        let style = Style::new();
        Self { gap: "  ", align: Align::Ragged, rank: 0, may_be_cut: false, style }
    }

    /// Cells of one width, at its left.
    pub const fn left() -> Self {
        Self { align: Align::Left, ..Self::ragged() }
    }

    /// Cells of one width, at its right.
    pub const fn right() -> Self {
        Self { align: Align::Right, ..Self::ragged() }
    }

    /// What is between it and the column before, where neither is empty.
    pub const fn after(self, gap: &'static str) -> Self {
        Self { gap, ..self }
    }

    /// Left out where there is too little room: the highest rank first.
    pub const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }

    /// Cut after a word where there is too little room. Its cells have no colours of their own.
    pub const fn cut(self) -> Self {
        Self { may_be_cut: true, ..self }
    }

    /// In a colour.
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
    /// Below a line's cells, from this column on.
    Note(usize, String),
    Text(String),
}

impl Table {
    /// A table without lines.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), lines: Vec::new() }
    }

    /// Adds a line: a cell a column.
    pub fn line(&mut self, cells: impl Into<Vec<String>>) {
        self.lines.push(Line::Cells(cells.into()));
    }

    /// Adds what there is to say of the line above, below its column of this number and those after it.
    pub fn note(&mut self, column: usize, text: impl Into<String>) {
        self.lines.push(Line::Note(column, text.into()));
    }

    /// Adds a line without columns.
    pub fn text(&mut self, text: impl Into<String>) {
        self.lines.push(Line::Text(text.into()));
    }

    /// The lines, each as it is shown where there is room for `room` characters.
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

    /// The room that the longest line needs, with its texts cut as far as they may be.
    fn needs(&self, widths: &[usize], shown: &[bool]) -> usize {
        let of =
            |cells: &Vec<String>| width(&self.joined(&self.cut(cells, shown, usize::MAX), widths, shown));
        self.cells().map(of).max().unwrap_or(0)
    }

    /// The cells, with so many characters cut from them if they may be: from the last first.
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
        // What is behind a text is added once there is more.
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

/// The words at the beginning of a text without colours that fit into `room`, with a sign that there were more.
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
