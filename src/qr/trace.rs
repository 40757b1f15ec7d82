//! Traces the outlines of a code's dark areas, and writes them as an SVG path.

/// A code's modules, row by row, including the quiet zone.
#[derive(Clone, Copy)]
pub(crate) struct Grid<'a> {
    /// Whether each module is dark.
    pub(crate) dark: &'a [bool],
    /// Modules per side.
    pub(crate) side: u16,
}

impl Grid<'_> {
    /// Calls `visit` with the corners of each outline, without collecting a list.
    pub(crate) fn each_outline(self, mut visit: impl FnMut(&[(i32, i32)])) {
        let mut visited = vec![false; self.dark.len()];
        let mut corners = Vec::new();
        let side = usize::from(self.side);
        for (y, x) in (1..self.side).flat_map(|y| (0..self.side).map(move |x| (y, x))) {
            let at = usize::from(y) * side + usize::from(x);
            if self.dark[at] && !self.dark[at - side] && !visited[at] {
                corners.clear();
                self.walk((x.into(), y.into()), at, &mut visited, &mut corners);
                visit(&corners);
            }
        }
    }

    /// Walks the outline that begins with the top edge of the module at `start`, and marks the top edges on its way.
    /// Thanks to the quiet zone, every corner has four modules around it.
    fn walk(self, start: (i32, i32), mut at: usize, visited: &mut [bool], corners: &mut Vec<(i32, i32)>) {
        let side = usize::from(self.side);
        // Right, down, left and up: the step, the step as an index into `dark`, and the distance from the corner back
        // to the module ahead on the left. The module ahead on the right is that of the next heading.
        let headings = [
            ((1, 0), 1, side),
            ((0, 1), side, 0),
            ((-1, 0), 1_usize.wrapping_neg(), 1),
            ((0, -1), side.wrapping_neg(), side + 1),
        ];
        let ((mut x, mut y), mut heading) = (start, 0);
        corners.push(start);
        loop {
            let ((dx, dy), step, left) = headings[heading];
            visited[at] |= heading == 0;
            (x, y, at) = (x + dx, y + dy, at.wrapping_add(step));
            let right = headings[(heading + 1) % 4].2;
            if self.dark[at - left] {
                // Turn left also if two dark modules touch only at a corner: this gives fewer and longer outlines.
                heading = (heading + 3) % 4;
            } else if self.dark[at - right] {
                continue;
            } else {
                heading = (heading + 1) % 4;
            }
            if (x, y) == start && heading == 0 {
                return;
            }
            corners.push((x, y));
        }
    }
}

/// The outlines as an SVG path in relative moves. `z` draws the last side of an outline and returns to its first
/// corner.
pub(crate) fn svg_path(grid: Grid<'_>) -> String {
    let mut path = String::new();
    let (mut x, mut y) = (0, 0);
    grid.each_outline(|corners| {
        if let Some(first) = corners.first() {
            push(&mut path, 'm', first.0 - x);
            push(&mut path, ' ', first.1 - y);
            (x, y) = *first;
        }
        for [from, to] in corners.array_windows() {
            match (to.0 - from.0, to.1 - from.1) {
                (0, down) => push(&mut path, 'v', down),
                (right, _) => push(&mut path, 'h', right),
            }
        }
        path.push('z');
    });
    path
}

/// Appends a letter and a number of at most three digits. With `write!` this would take half of the time for a code.
pub(crate) fn push(path: &mut String, letter: char, number: i32) {
    path.push(letter);
    if number < 0 {
        path.push('-');
    }
    let number = number.unsigned_abs();
    for unit in [100, 10, 1] {
        if number >= unit || unit == 1 {
            path.extend(char::from_digit(number / unit % 10, 10));
        }
    }
}
