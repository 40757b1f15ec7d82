use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use super::*;
use crate::qr::Code;
use crate::sheet::draw::Glyph;

fn fonts() -> Fonts {
    Fonts::new(Vec::new()).unwrap()
}

fn page() -> Drawing {
    let code = Arc::new(Code::new("a & b").unwrap());
    // "HH" in DejaVu Sans.
    let glyph = |at| Glyph { id: 43, advance: 0.752, dx: 0.0, dy: 0.0, range: at..at + 1 };
    let run = Run { face: 0, size: 4.0, x: 30.0, y: 20.0, text: "HH".into(), glyphs: vec![glyph(0), glyph(1)] };
    let shapes = vec![
        Shape::Code { x: 4.0, y: 4.0, module: 0.5, code },
        Shape::Run(run),
        Shape::Outline { x: 1.0, y: 1.0, width: 48.0, height: 28.0, line: 0.2 },
        Shape::Line { from: (30.0, 25.0), to: (48.0, 25.0), line: 0.4 },
        Shape::Clear { x: 41.0, y: 24.0, width: 3.0, height: 2.0 },
    ];
    Drawing { width: 50.0, height: 30.5, shapes }
}

#[test]
fn a_page_has_the_size_and_shapes_of_its_drawing() {
    let svg = svg(&page(), &fonts(), &PageStyle { number: 3, label: "Page \"3\" <of> 4".into(), preview: None });
    let start = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 50 30.5" width="50mm" height="30.5mm" role="img" aria-label="Page &quot;3&quot; &lt;of&gt; 4">"#;
    assert!(svg.starts_with(start), "{}", &svg[..200]);
    assert!(!svg.contains("style"));
    assert_eq!((svg.matches("id=\"g3-0-43\"").count(), svg.matches("<use href=\"#g3-0-43\"").count()), (1, 2));

    let tree = usvg::Tree::from_str(&svg, &usvg::Options::default()).unwrap();
    let mut map = tiny_skia::Pixmap::new(500, 305).unwrap();
    let zoom = 500.0 / tree.size().width();
    resvg::render(&tree, tiny_skia::Transform::from_scale(zoom, zoom), &mut map.as_mut());
    let dark = |x, y| map.pixel(x, y).unwrap().red() < 128;
    assert!(dark(42, 42) && !dark(47, 47) && !dark(38, 42), "the code's corner");
    assert!(dark(305, 185) && dark(335, 185) && !dark(305, 210) && !dark(305, 160), "both letters");
    assert!(dark(10, 150) && dark(490, 150) && !dark(5, 150), "the edge");
    assert!(dark(350, 250) && !dark(350, 255) && dark(450, 250), "the line");
    assert!(!dark(415, 250) && !dark(435, 250), "where it is cleared");
}

#[test]
fn a_preview_hatches_used_labels_and_links_each_label() {
    let place = |x| Area { x, y: 1.0, width: 20.0, height: 28.0 };
    let preview = PreviewMarks {
        labels: vec![place(1.0), place(25.0)],
        used: vec![place(1.0)],
        links: Some("/sheet?q=\"&start=".into()),
    };
    let svg = svg(&page(), &fonts(), &PageStyle { number: 1, label: "Page 1".into(), preview: Some(preview) });
    assert!(svg.contains(r#"role="group""#));
    assert!(svg.contains("<path class=\"used\" fill=\"url(#hatch-1)\" d=\"M1 1h20v28H1z\"/>"));
    assert!(svg.contains(r#"class="edge""#) && svg.contains("M25 1h20v28H25z"));
    let link =
        r#"<a class="place" href="/sheet?q=&quot;&amp;start=2" tabindex="-1"><title>Start here: label 2</title>"#;
    assert!(svg.contains(link), "{svg}");
    assert!(usvg::Tree::from_str(&svg, &usvg::Options::default()).is_ok());
}

#[test]
fn numbers_are_short() {
    let short = |number| Decimal(number).to_string();
    assert_eq!([210.0, 215.9, 0.270_270_3, -0.000_000_01, 0.0].map(short), ["210", "215.9", "0.27027", "0", "0"]);
    assert_eq!(FontUnits(-0.3).to_string(), "0");
    assert_eq!(FontUnits(1500.0).to_string(), "1500");
}
