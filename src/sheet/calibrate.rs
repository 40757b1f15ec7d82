//! The test page: shows how far a printer shifts a print, and whether it scales it.

use std::sync::Arc;

use super::draw::{Drawing, Shape};
use super::fonts::Fonts;
use super::geometry::Sheet;
use super::label_layout::Area;
use super::mm::Mm;
use super::refusal::FARTHEST;
use super::text::Typesetter;
use crate::qr::{Code, QUIET_ZONE};

/// The distance of the two marked lines from the paper's left and top edge, when printed without an offset.
pub const NOMINAL: Mm = Mm::from_micrometres(30_000);

/// The length of the line that shows scaling: on most paper, and on paper too narrow for that.
pub(crate) const SCALE: (Mm, Mm) = (Mm::from_micrometres(100_000), Mm::from_micrometres(50_000));

/// Paper narrower or shorter than this, in millimetres, has no room for rulers, corner codes and two lines to measure.
const MIN_PAPER: (f32, f32) = (95.0, 120.0);
/// Distance of the rulers from the paper's edge, in millimetres: every printer reaches that far.
const EDGE: f32 = 10.0;
/// Where the rulers begin, in millimetres from the edge: closer to the corner their ticks would overlap.
const RULER_START: u16 = 15;
/// Line widths in millimetres: of ticks and thin lines, and of the lines to measure.
const THIN: f32 = 0.1;
const THICK: f32 = 0.25;
/// Space around words without label edges, in millimetres.
const TEXT_CLEARANCE: f32 = 0.6;
/// The same around the lines to measure.
const LINE_CLEARANCE: f32 = 2.0;
/// The side of the codes in the corners, without the quiet zone, in millimetres.
const CODE: f32 = 12.0;
/// The text in the codes.
const CODE_TEXT: &str = "TESSERA TEST PAGE";

/// A measured distance that cannot be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{distance} mm is more than {FARTHEST} mm away from {NOMINAL} mm: measure again from the paper's edge to the line"
)]
pub(crate) struct TooFar {
    /// The parameter of the offset: `offset_x` or `offset_y`.
    pub(crate) field: &'static str,
    /// The measured distance.
    pub(crate) distance: Mm,
}

/// The offsets that correct a printer, from the distances measured on a test page that was printed without an offset:
/// from the paper's left edge to the vertical line, and from its top edge to the horizontal line.
///
/// # Errors
/// An error for each offset that would be more than 20 mm.
pub(crate) fn offsets(measured_x: Mm, measured_y: Mm) -> Result<(Mm, Mm), Vec<TooFar>> {
    let is_too_far = |offset: Mm| offset > FARTHEST || offset < -FARTHEST;
    let (x, y) = (NOMINAL - measured_x, NOMINAL - measured_y);
    let errors: Vec<TooFar> = [("offset_x", x, measured_x), ("offset_y", y, measured_y)]
        .into_iter()
        .filter(|(_, offset, _)| is_too_far(*offset))
        .map(|(field, _, distance)| TooFar { field, distance })
        .collect();
    if errors.is_empty() { Ok((x, y)) } else { Err(errors) }
}

/// Whether the paper is too small for the lines to measure.
pub(crate) fn is_small(sheet: &Sheet) -> bool {
    sheet.page_width.f32() < MIN_PAPER.0 || sheet.page_height.f32() < MIN_PAPER.1
}

/// The test page of a sheet, shifted by the offsets.
///
/// It has rulers in millimetres from the paper's edges, a line of exactly 100 mm, the label edges, a code in each
/// corner, and the two lines from which the offsets are measured. Paper below 95 x 120 mm, such as a label printer's
/// roll, has no room for them: its page has the label edges, a cross in the middle, and a code.
pub fn page(sheet: &Sheet, offset_x: Mm, offset_y: Mm, fonts: &Arc<Fonts>) -> Drawing {
    let (width, height) = (sheet.page_width.f32(), sheet.page_height.f32());
    let (at, typesetter) = ((offset_x.f32(), offset_y.f32()), Typesetter::new(fonts));
    let mut page = Page { edges: Vec::new(), clearings: Vec::new(), shapes: Vec::new(), at, typesetter };
    for label in 0..sheet.labels() {
        let (x, y) = sheet.corner(label);
        page.outline(x.f32(), y.f32(), sheet.width.f32(), sheet.height.f32());
    }
    if is_small(sheet) {
        page.small(width, height);
    } else {
        page.ruler(width, false);
        page.ruler(height, true);
        page.measured_lines(width, height, &sheet.name);
        // Inside the rulers' numbers, with quiet zones.
        let (inner, far) = (EDGE + 14.0, EDGE + 6.0 + CODE);
        for (x, y) in [(inner, inner), (width - far, inner), (inner, height - far), (width - far, height - far)] {
            page.code(x, y, CODE);
        }
    }
    Drawing { width, height, shapes: [page.edges, page.clearings, page.shapes].concat() }
}

struct Page {
    /// The label edges.
    edges: Vec<Shape>,
    /// White areas that interrupt the edges behind words and codes.
    clearings: Vec<Shape>,
    shapes: Vec<Shape>,
    /// The offsets, in millimetres.
    at: (f32, f32),
    typesetter: Typesetter,
}

impl Page {
    fn line(&mut self, from: (f32, f32), to: (f32, f32), line: f32) {
        let moved = |(x, y): (f32, f32)| (x + self.at.0, y + self.at.1);
        let (from, to) = (moved(from), moved(to));
        self.shapes.push(Shape::Line { from, to, line });
    }

    /// A line to measure. Label edges near it are cleared, so that none is mistaken for it.
    fn measured_line(&mut self, from: (f32, f32), to: (f32, f32)) {
        let area = Area { x: from.0, y: from.1, width: to.0 - from.0, height: to.1 - from.1 };
        self.clear(area.moved(self.at.0, self.at.1), LINE_CLEARANCE);
        self.line(from, to, THICK);
    }

    fn outline(&mut self, x: f32, y: f32, width: f32, height: f32) {
        let (x, y) = (x + self.at.0, y + self.at.1);
        self.edges.push(Shape::Outline { x, y, width, height, line: THIN });
    }

    fn code(&mut self, x: f32, y: f32, side: f32) {
        if let Ok(code) = Code::new(CODE_TEXT) {
            let module = side / f32::from(code.modules());
            let (x, y, quiet) = (x + self.at.0, y + self.at.1, f32::from(QUIET_ZONE) * module);
            self.clear(Area { x, y, width: side, height: side }, quiet);
            self.shapes.push(Shape::Code { x, y, module, code: Arc::new(code) });
        }
    }

    fn text(&mut self, text: &str, x: f32, y: f32, width: f32, height: f32, centred: bool) {
        let area = Area { x, y, width, height }.moved(self.at.0, self.at.1);
        let runs = self.typesetter.set(text, area, centred);
        if let Some(ink) = self.typesetter.ink(&runs) {
            self.clear(ink, TEXT_CLEARANCE);
        }
        self.shapes.extend(runs.into_iter().map(Shape::Run));
    }

    /// Clears the label edges in an area and `around` it.
    fn clear(&mut self, Area { x, y, width, height }: Area, around: f32) {
        let (x, y, width, height) = (x - around, y - around, width + 2.0 * around, height + 2.0 * around);
        self.clearings.push(Shape::Clear { x, y, width, height });
    }

    /// A ruler along the top edge, or along the left one if `down`. Its ticks are longer every 5 and 10 mm. Zero is the
    /// paper's edge; it ends where the printer may not reach.
    fn ruler(&mut self, length: f32, down: bool) {
        let rotate = |along: f32, across: f32| if down { (across, along) } else { (along, across) };
        for tick in RULER_START..=1_000 {
            let along = f32::from(tick);
            if along > length - EDGE {
                break;
            }
            let long = match tick {
                _ if tick % 10 == 0 => 4.0,
                _ if tick % 5 == 0 => 3.0,
                _ => 1.8,
            };
            self.line(rotate(along, EDGE), rotate(along, EDGE + long), THIN);
            if tick % 10 == 0 {
                let (x, y) = rotate(along, EDGE + if down { 7.0 } else { 5.5 });
                self.text(&tick.to_string(), x - 4.0, y - 1.2, 8.0, 2.4, true);
            }
        }
        self.line(rotate(RULER_START.into(), EDGE), rotate((length - EDGE).floor(), EDGE), THIN);
    }

    /// The lines to measure, with instructions.
    fn measured_lines(&mut self, width: f32, height: f32, name: &str) {
        let at = NOMINAL.f32();
        let middle = (height / 2.0).floor();
        self.measured_line((at, middle - 15.0), (at, middle + 15.0));
        self.measured_line((width / 2.0 - 15.0, at), (width / 2.0 + 15.0, at));
        let column = (at + 2.0, width - at - EDGE - 2.0);
        let across = format!("Left edge of the paper to this line: {NOMINAL} mm");
        self.text(&across, column.0, middle - 12.0, 38.0_f32.min(column.1), 9.0, false);
        let down = format!("Top edge of the paper to this line: {NOMINAL} mm");
        self.text(&down, width / 2.0 - 15.0, at + 1.0, 30.0, 9.0, true);

        let scale = if width < SCALE.0.f32() + 2.0 * EDGE { SCALE.1 } else { SCALE.0 };
        let (left, right, y) = ((width - scale.f32()) / 2.0, f32::midpoint(width, scale.f32()), middle + 30.0);
        self.measured_line((left, y), (right, y));
        self.line((left, y - 2.0), (left, y + 2.0), THICK);
        self.line((right, y - 2.0), (right, y + 2.0), THICK);
        let words = format!("Print at 100 %: this line is {scale} mm long");
        self.text(&words, left, y + 2.0, right - left, 5.0, true);
        let left_edge = (width / 2.0 - 40.0).max(EDGE + 8.0);
        let offsets = format!("{name}. Offsets: {} and {} mm", Mm::from_f32(self.at.0), Mm::from_f32(self.at.1));
        self.text(&offsets, left_edge, middle - 30.0, width - 2.0 * left_edge, 5.0, true);
    }

    /// What fits on a small label: a cross through the middle of the paper, and a code.
    fn small(&mut self, width: f32, height: f32) {
        let (x, y) = (width / 2.0, height / 2.0);
        self.line((0.0, y), (width, y), THIN);
        self.line((x, 0.0), (x, height), THIN);
        // In the top left quarter, including its quiet zone.
        let quarter = x.min(y);
        let side = (quarter * 21.0 / 29.0).min(CODE);
        let quiet = side * 4.0 / 21.0;
        self.code(x - side - quiet, y - side - quiet, side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mm(text: &str) -> Mm {
        text.parse().unwrap()
    }

    #[test]
    fn the_offset_is_the_difference_to_the_nominal_distance() {
        assert_eq!(offsets(mm("31.2"), mm("29.5")), Ok((mm("-1.2"), mm("0.5"))));
        assert_eq!(offsets(mm("50"), mm("10")), Ok((mm("-20"), mm("20"))));
        let errors = offsets(mm("50.1"), mm("3")).unwrap_err();
        assert_eq!(errors.iter().map(|it| it.field).collect::<Vec<_>>(), ["offset_x", "offset_y"]);
        let sentence = "50.1 mm is more than 20 mm away from 30 mm: measure again from the paper's edge to the line";
        assert_eq!(errors[0].to_string(), sentence);
    }
}
