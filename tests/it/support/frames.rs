//! Frames as a camera at a door gives them, of codes that are hard to read. The same ones each time.

#![allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "pixels")]

use std::f64::consts::{PI, TAU};
use std::ops::Range;

use tessera::qr::Code;

pub const WIDTH: usize = 1_280;
pub const HEIGHT: usize = 720;

/// The frames of each kind.
const OF_EACH: u32 = 20;
/// The distance at which a pixel is as wide as a unit, in pixels: that of a phone's camera.
const FOCAL: f64 = 1_100.0;

/// A frame in shades of grey, and what the code in it says.
pub struct Frame {
    pub name: String,
    pub text: String,
    pub pixels: Vec<u8>,
}

/// How a code is held before the camera, in what light, and how the picture comes out.
#[derive(Clone, Copy)]
struct View {
    /// Pixels a module, seen from the front.
    module: f64,
    /// Turned in the picture's plane.
    roll: f64,
    /// Tilted out of it.
    tilt: f64,
    /// The shades of dark and light.
    ink: f64,
    paper: f64,
    /// Standard deviation of the blur, in pixels.
    blur: f64,
    /// Length of a shaking in pixels.
    shake: usize,
    /// Standard deviation of the noise, in shades.
    noise: f64,
    /// How much darker one side of the picture is than the other, in shades.
    shadow: f64,
}

const PLAIN: View =
    View { module: 6.0, roll: 0.0, tilt: 0.15, ink: 40.0, paper: 205.0, blur: 0.8, shake: 0, noise: 4.0, shadow: 20.0 };

/// A generator of numbers (SplitMix64): no other version of a package may change the frames.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `least` to `most`.
    fn between(&mut self, least: f64, most: f64) -> f64 {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        least + share * (most - least)
    }

    /// About normal, with a mean of 0 and a deviation of 1: the sum of the four 16-bit parts.
    fn normal(&mut self) -> f64 {
        let number = self.next();
        let sum: u64 = (0..4).map(|part| (number >> (16 * part)) & 0xFFFF).sum();
        let sum = sum as f64;
        (sum / 65_536.0 - 2.0) * 3_f64.sqrt()
    }
}

/// What codes say: uids in both cases, links, and letters beyond ASCII.
fn text(number: u32) -> String {
    let uid = format!("{:08x}-8a0b-4c55-9d39-0b7ce5f1a2b4", number.wrapping_mul(0x9E37_79B9));
    match number % 6 {
        0 => uid,
        1 => uid.to_uppercase(),
        2 => format!("https://tickets.example/{uid}"),
        3 => format!("Straße nach Überlingen {number}"),
        4 => format!("Eintritt für zwei, Δύο, два {number}"),
        _ => format!("HTTPS://TICKETS.EXAMPLE/T/{number:06}"),
    }
}

/// What is hard in each kind of frame, from a little (0) to much (1).
fn view(kind: &str, hard: f64, random: &mut Random) -> View {
    let plain = View { roll: random.between(-0.3, 0.3), tilt: random.between(0.0, 0.3), ..PLAIN };
    let mix = |easy: f64, hardest: f64| easy + hard * (hardest - easy);
    match kind {
        "small" => View { module: mix(3.0, 1.9), blur: 0.5, ..plain },
        "tilted" => View { tilt: mix(0.6, 1.0), roll: random.between(0.0, TAU), ..plain },
        "blurred" if random.between(0.0, 1.0) < 0.3 => View { blur: 1.0, shake: 4 + (hard * 5.0) as usize, ..plain },
        "blurred" => View { blur: mix(1.6, 3.1), ..plain },
        "dim" => View { ink: 18.0, paper: mix(70.0, 38.0), noise: mix(2.0, 3.4), shadow: 6.0, ..plain },
        "inverted" => View { ink: 215.0, paper: 35.0, module: mix(6.0, 2.7), tilt: mix(0.2, 0.8), ..plain },
        _ => View { module: mix(5.0, 3.6), tilt: mix(0.3, 0.7), noise: mix(10.0, 23.0), shadow: 90.0, ..plain },
    }
}

const KINDS: [&str; 6] = ["small", "tilted", "blurred", "dim", "inverted", "noisy"];

/// How many frames there are.
pub const COUNT: u32 = OF_EACH * 6;

/// The frame of that number, from 0.
pub fn frame(number: u32) -> Frame {
    let mut random = Random(u64::from(number) + 1);
    let (kind, step) = (KINDS[(number / OF_EACH) as usize], number % OF_EACH);
    let view = view(kind, f64::from(step) / f64::from(OF_EACH - 1), &mut random);
    let text = text(number);
    let code = Code::new(&text).unwrap();
    let mut shades = surroundings(&view, &mut random);
    let rows = draw(&mut shades, &code, &view, &mut random);
    let part = &mut shades[rows.start * WIDTH..rows.end * WIDTH];
    blur(part, view.blur, 1);
    blur(part, view.blur, WIDTH);
    if view.shake > 1 {
        mean(part, view.shake, 1);
    }
    Frame { name: format!("{kind} {step}"), text, pixels: exposed(&shades, &view, &mut random) }
}

/// Things in the background: boxes in shades between and beyond those of the code.
fn surroundings(view: &View, random: &mut Random) -> Vec<f32> {
    let (least, most) = (view.ink.min(view.paper), view.ink.max(view.paper));
    let mut shades = vec![as_shade(f64::midpoint(least, most)); WIDTH * HEIGHT];
    for _ in 0..40 {
        let (x, y) = (random.between(0.0, 1_200.0) as usize, random.between(0.0, 680.0) as usize);
        let (width, height) = (random.between(10.0, 300.0) as usize, random.between(10.0, 200.0) as usize);
        let shade = as_shade(random.between(least, most));
        for row in shades.chunks_exact_mut(WIDTH).skip(y).take(height) {
            row[x..(x + width).min(WIDTH)].fill(shade);
        }
    }
    shades
}
fn as_shade(shade: f64) -> f32 {
    shade as f32
}

/// A point or a direction in space, in units in front of the camera.
type Point = [f64; 3];

fn dot(one: Point, other: Point) -> f64 {
    one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
}

fn plus(one: Point, factor: f64, other: Point) -> Point {
    [one[0] + factor * other[0], one[1] + factor * other[1], one[2] + factor * other[2]]
}

/// A code as a plane in space.
struct Held {
    centre: Point,
    right: Point,
    down: Point,
}

impl Held {
    fn new(view: &View, random: &mut Random) -> Self {
        let (sin, cos) = view.roll.sin_cos();
        let (lean_y, lean_x) = random.between(-PI, PI).sin_cos();
        // Tilted around an axis that lies anywhere in the picture's plane (Rodrigues).
        let tilted = |x: f64, y: f64| {
            let (sin, cos) = view.tilt.sin_cos();
            let along = (x * lean_x + y * lean_y) * (1.0 - cos);
            [x * cos + lean_x * along, y * cos + lean_y * along, (lean_x * y - lean_y * x) * sin]
        };
        let distance = FOCAL / view.module;
        let centre = [random.between(-0.12, 0.12) * distance, random.between(-0.04, 0.04) * distance, distance];
        Self { centre, right: tilted(cos, sin), down: tilted(-sin, cos) }
    }

    /// By which the ray through a pixel (x, y, 1) is multiplied for column, row, and a common divisor, in modules.
    fn rays(&self, side: f64) -> [Point; 3] {
        let (right, down) = (self.right, self.down);
        let normal = [
            right[1] * down[2] - right[2] * down[1],
            right[2] * down[0] - right[0] * down[2],
            right[0] * down[1] - right[1] * down[0],
        ];
        let far = dot(normal, self.centre);
        let along = |axis: Point| {
            let from_edge = side / 2.0 - dot(self.centre, axis);
            plus([axis[0] * far, axis[1] * far, axis[2] * far], from_edge, normal)
        };
        let (wide, high) = (WIDTH as f64 / 2.0, HEIGHT as f64 / 2.0);
        let of_pixel = |ray: Point| {
            let (x, y) = (ray[0] / FOCAL, ray[1] / FOCAL);
            [x, y, ray[2] - x * wide - y * high]
        };
        [of_pixel(along(right)), of_pixel(along(down)), of_pixel(normal)]
    }
}

/// Draws the code, and returns its rows: each pixel is the mean of nine rays.
fn draw(shades: &mut [f32], code: &Code, view: &View, random: &mut Random) -> Range<usize> {
    let held = Held::new(view, random);
    let (modules, side) = (usize::from(code.side()), f64::from(code.side()));
    let [of_column, of_row, of_divisor] = held.rays(side);
    let reach = side * view.module * 0.8 + 24.0;
    let x = WIDTH as f64 / 2.0 + FOCAL * held.centre[0] / held.centre[2];
    let y = HEIGHT as f64 / 2.0 + FOCAL * held.centre[1] / held.centre[2];
    let columns = (x - reach).max(0.0) as usize..((x + reach) as usize).min(WIDTH);
    let rows = (y - reach).max(0.0) as usize..((y + reach) as usize).min(HEIGHT);
    for row in rows.clone() {
        for column in columns.clone() {
            let mut sum = 0.0;
            let mut met = 0;
            for index in 0..9_u8 {
                let x = column as f64 + (f64::from(index % 3) + 0.5) / 3.0;
                let y = row as f64 + (f64::from(index / 3) + 0.5) / 3.0;
                let divisor = of_divisor[0] * x + of_divisor[1] * y + of_divisor[2];
                let u = (of_column[0] * x + of_column[1] * y + of_column[2]) / divisor;
                let v = (of_row[0] * x + of_row[1] * y + of_row[2]) / divisor;
                if u >= 0.0 && u < side && v >= 0.0 && v < side {
                    met += 1;
                    sum += if code.dark()[v as usize * modules + u as usize] { view.ink } else { view.paper };
                }
            }
            let pixel = &mut shades[row * WIDTH + column];
            *pixel = (sum as f32 + *pixel * (9 - met) as f32) / 9.0;
        }
    }
    rows
}

/// A blur of about this standard deviation along rows (1) or columns (`WIDTH`): three running means, or for less than a
/// pixel one with the neighbours.
fn blur(shades: &mut [f32], deviation: f64, along: usize) {
    let width = (4.0 * deviation * deviation + 1.0).sqrt().round() as usize;
    if width > 1 {
        return (0..3).for_each(|_| mean(shades, width, along));
    }
    let part = (deviation * deviation / 2.0).min(0.25) as f32;
    let before = shades.to_vec();
    for at in along..shades.len() - along {
        shades[at] = before[at] * (1.0 - 2.0 * part) + (before[at - along] + before[at + along]) * part;
    }
}

/// Makes each pixel the mean of `width` ones.
fn mean(shades: &mut [f32], width: usize, along: usize) {
    let before = shades.to_vec();
    let (back, span, share) = (width / 2 * along, width * along, 1.0 / width as f32);
    for start in 0..along {
        let mut sum: f32 = before[start..].iter().step_by(along).take(width).sum();
        let mut first = start;
        while first + span < before.len() {
            shades[first + back] = sum * share;
            sum += before[first + span] - before[first];
            first += along;
        }
    }
}

/// More shades of noise than a row has pixels, so that each can begin elsewhere among them.
const NOISE: usize = 20_000;

/// The picture as the sensor has it: with a shadow across it, and noise.
fn exposed(shades: &[f32], view: &View, random: &mut Random) -> Vec<u8> {
    let noise: Vec<f32> = (0..NOISE).map(|_| (random.normal() * view.noise) as f32).collect();
    let (down, across) = random.between(0.0, TAU).sin_cos();
    let mut pixels = Vec::with_capacity(shades.len());
    for (row, shades) in shades.chunks_exact(WIDTH).enumerate() {
        let start = random.next() as usize % (NOISE - WIDTH);
        let of_row = (row as f64 / HEIGHT as f64 - 0.5) * down;
        let mut light = ((of_row - across / 2.0) * view.shadow) as f32;
        let step = (across * view.shadow / WIDTH as f64) as f32;
        for column in 0..WIDTH {
            pixels.push((shades[column] + light + noise[start + column]) as u8);
            light += step;
        }
    }
    pixels
}
