//! Pictures of things, in half-blocks: two pixels a cell. Nobody has taken them: they follow from a name and an id, and
//! are the same every time.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::{Color, Style},
};

use super::sprites::SPRITES;
use crate::theme::{Theme, ThemeName};

/// Pixels of a side.
pub const SIDE: u16 = 16;
/// Cells that a picture takes: its width, and its height.
pub const CELLS: (u16, u16) = (SIDE, SIDE / 2);

const PIXELS: usize = SIDE as usize;

/// What a pixel is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Ink {
    /// Nothing.
    #[default]
    Clear,
    /// The thing.
    Main,
    /// Its shadow, and its outline.
    Dark,
    /// Its light.
    Light,
    /// What is of another colour.
    Accent,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pixels: [[Ink; PIXELS]; PIXELS],
    seed: u64,
}

impl Picture {
    /// Of what is called this and has this id: a word of the name gives the shape, the id the colours. Where no word
    /// says anything, the id gives a shape as well.
    pub fn of(name: &str, id: &str) -> Self {
        let seed = fnv(id);
        let name = name.to_lowercase();
        let words: Vec<&str> = name.split(|c: char| !c.is_alphanumeric()).collect();
        let at = |known: &[&str]| {
            words.iter().rposition(|word| known.contains(word) || known.contains(&word.trim_end_matches('s')))
        };
        // What a thing is stands at the end of its name: a lamp book is a book.
        let found = SPRITES.iter().filter_map(|(known, sprite)| at(known).map(|at| (at, sprite)));
        let sprite = found.max_by_key(|(at, _)| *at).map(|(_, sprite)| sprite);
        let pixels = sprite.map_or_else(|| made_up(seed), drawn);
        Self { pixels, seed }
    }

    /// Draws it in the middle of a place, so many times as large; not at all where there is no room for it.
    pub fn draw(&self, frame: &mut Frame<'_>, area: Rect, scale: u16, theme: &Theme) {
        let scale = scale.max(1);
        let size = (CELLS.0.saturating_mul(scale), CELLS.1.saturating_mul(scale));
        let place = super::frames::centred(area, size.0, size.1);
        if (place.width, place.height) != size {
            return;
        }
        let pixel = |x: u16, y: u16| self.pixels[usize::from(y / scale)][usize::from(x / scale)];
        for (row, y) in (place.y..place.bottom()).enumerate() {
            let row = u16::try_from(row).unwrap_or(0) * 2;
            for (column, x) in (0..size.0).zip(place.x..) {
                let (upper, lower) = (pixel(column, row), pixel(column, row + 1));
                let cell = match theme.name {
                    ThemeName::None => without_colour(upper, lower),
                    name => self.coloured(upper, lower, name),
                };
                if let (Some((symbol, style)), Some(there)) = (cell, frame.buffer_mut().cell_mut(Position::new(x, y))) {
                    there.set_char(symbol).set_style(style);
                }
            }
        }
    }

    fn coloured(&self, upper: Ink, lower: Ink, name: ThemeName) -> Option<(char, Style)> {
        let colours = palette(name, self.seed);
        let colour = |ink: Ink| match ink {
            Ink::Clear => None,
            Ink::Main => Some(colours[0]),
            Ink::Dark => Some(colours[1]),
            Ink::Light => Some(colours[2]),
            Ink::Accent => Some(colours[3]),
        };
        match (colour(upper), colour(lower)) {
            (None, None) => None,
            (Some(upper), None) => Some(('▀', Style::new().fg(upper))),
            (None, Some(lower)) => Some(('▄', Style::new().fg(lower))),
            (Some(upper), Some(lower)) => Some(('▀', Style::new().fg(upper).bg(lower))),
        }
    }
}

/// The shape alone; light is left out of it, so that there is something inside.
fn without_colour(upper: Ink, lower: Ink) -> Option<(char, Style)> {
    let is_set = |ink: Ink| !matches!(ink, Ink::Clear | Ink::Light);
    let symbol = match (is_set(upper), is_set(lower)) {
        (false, false) => return None,
        (true, false) => '▀',
        (false, true) => '▄',
        (true, true) => '█',
    };
    Some((symbol, Style::new()))
}

fn drawn(lines: &[&str; PIXELS]) -> [[Ink; PIXELS]; PIXELS] {
    let ink = |byte: u8| match byte {
        b'm' => Ink::Main,
        b'd' => Ink::Dark,
        b'l' => Ink::Light,
        b'a' => Ink::Accent,
        _ => Ink::Clear,
    };
    let mut pixels = [[Ink::Clear; PIXELS]; PIXELS];
    for (row, line) in pixels.iter_mut().zip(lines) {
        for (pixel, byte) in row.iter_mut().zip(line.bytes()) {
            *pixel = ink(byte);
        }
    }
    pixels
}

/// Something that is alike on both sides, with an outline: the eye takes it for a thing.
fn made_up(seed: u64) -> [[Ink; PIXELS]; PIXELS] {
    let mut pixels = [[Ink::Clear; PIXELS]; PIXELS];
    let mut random = seed | 1;
    for row in pixels.iter_mut().take(14).skip(2) {
        for x in 3..8 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Denser towards the middle.
            let ink = match (random >> 33) % 16 {
                0..5 if x < 5 => Ink::Clear,
                0..3 => Ink::Clear,
                3..5 => Ink::Accent,
                5..7 => Ink::Light,
                _ => Ink::Main,
            };
            (row[x], row[PIXELS - 1 - x]) = (ink, ink);
        }
    }
    outlined(pixels)
}

fn outlined(mut pixels: [[Ink; PIXELS]; PIXELS]) -> [[Ink; PIXELS]; PIXELS] {
    let solid = pixels;
    let is_solid = |y: usize, x: usize| solid.get(y).and_then(|row| row.get(x)).is_some_and(|ink| *ink != Ink::Clear);
    for (y, row) in pixels.iter_mut().enumerate() {
        for (x, pixel) in row.iter_mut().enumerate() {
            let beside = is_solid(y, x + 1) || is_solid(y + 1, x) || is_solid(y, x.wrapping_sub(1));
            if *pixel == Ink::Clear && (beside || is_solid(y.wrapping_sub(1), x)) {
                *pixel = Ink::Dark;
            }
        }
    }
    pixels
}

/// FNV-1a: the same in every program and on every machine.
fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

const fn indexed(colours: [u8; 4]) -> [Color; 4] {
    let [main, dark, light, accent] = colours;
    [Color::Indexed(main), Color::Indexed(dark), Color::Indexed(light), Color::Indexed(accent)]
}

/// Thing, shadow, light and other colour, for each kind of theme.
fn palette(name: ThemeName, seed: u64) -> [Color; 4] {
    const OWN: [[Color; 4]; 6] = [
        [Color::Blue, Color::DarkGray, Color::LightBlue, Color::Yellow],
        [Color::Green, Color::DarkGray, Color::LightGreen, Color::Magenta],
        [Color::Red, Color::DarkGray, Color::LightRed, Color::Yellow],
        [Color::Magenta, Color::DarkGray, Color::LightMagenta, Color::Cyan],
        [Color::Cyan, Color::DarkGray, Color::LightCyan, Color::Red],
        [Color::Yellow, Color::DarkGray, Color::LightYellow, Color::Blue],
    ];
    const MANY: [[Color; 4]; 8] = [
        indexed([68, 24, 117, 221]),
        indexed([71, 22, 157, 213]),
        indexed([167, 88, 217, 222]),
        indexed([133, 53, 183, 86]),
        indexed([37, 23, 158, 209]),
        indexed([178, 94, 229, 68]),
        indexed([173, 95, 223, 73]),
        indexed([103, 59, 189, 215]),
    ];
    const STRONG: [[Color; 4]; 3] =
        [indexed([51, 33, 231, 226]), indexed([46, 34, 231, 213]), indexed([226, 214, 231, 51])];
    let colours: &[[Color; 4]] = match name {
        ThemeName::Terminal | ThemeName::None => &OWN,
        ThemeName::Dark | ThemeName::Light => &MANY,
        ThemeName::HighContrast => &STRONG,
    };
    // The low bits of FNV are its best.
    let at = usize::try_from(seed % 4096).unwrap_or(0) % colours.len();
    colours[at]
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend};

    use super::*;
    use crate::testing::letters;

    fn shown(picture: &Picture, theme: ThemeName) -> String {
        let mut terminal = Terminal::new(TestBackend::new(16, 8)).unwrap();
        terminal.draw(|frame| picture.draw(frame, frame.area(), 1, &Theme::of(theme))).unwrap();
        letters(terminal.backend().buffer())
    }

    #[test]
    fn every_silhouette_is_whole() {
        for (words, sprite) in SPRITES {
            assert!(sprite.iter().all(|line| line.len() == PIXELS), "{words:?}");
        }
    }

    #[test]
    fn a_word_gives_the_shape_and_the_id_the_rest() {
        assert_eq!(Picture::of("Blue Mugs", "1").pixels, Picture::of("mug", "2").pixels);
        assert_eq!(Picture::of("Lamp Book", "1").pixels, Picture::of("book", "1").pixels);
        assert_ne!(Picture::of("Zorb", "1").pixels, Picture::of("Zorb", "2").pixels);
        let zorb = Picture::of("Zorb", "1").pixels;
        assert!(zorb.iter().all(|row| row.iter().eq(row.iter().rev())), "both sides are alike");
    }

    #[test]
    fn without_colours_there_is_the_shape() {
        insta::assert_snapshot!(shown(&Picture::of("Test Widget", "1"), ThemeName::None));
        insta::assert_snapshot!(shown(&Picture::of("Zorb", "7"), ThemeName::None));
        let mut terminal = Terminal::new(TestBackend::new(15, 8)).unwrap();
        let picture = Picture::of("Zorb", "7");
        terminal.draw(|frame| picture.draw(frame, frame.area(), 1, &Theme::of(ThemeName::Dark))).unwrap();
        assert_eq!(letters(terminal.backend().buffer()).trim(), "", "no room, no picture");
    }
}
