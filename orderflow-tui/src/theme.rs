//! Colours by what they mean. Each meaning also has a sign or a word: colour alone never says anything.

use ratatui::style::{Color, Modifier, Style};
use serde::{Deserialize, Serialize};

/// Which colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThemeName {
    /// The terminal's own sixteen, on its own background.
    #[default]
    Terminal,
    /// Light letters on a dark ground.
    Dark,
    /// Dark letters on a light ground.
    Light,
    /// Black, white and few strong colours.
    HighContrast,
    /// None at all, as `NO_COLOR` wants it.
    None,
}

impl ThemeName {
    /// As it stands in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Dark => "dark",
            Self::Light => "light",
            Self::HighContrast => "high-contrast",
            Self::None => "none",
        }
    }

    /// The one after this, round and round.
    pub const fn next(self) -> Self {
        match self {
            Self::Terminal => Self::Dark,
            Self::Dark => Self::Light,
            Self::Light => Self::HighContrast,
            Self::HighContrast => Self::None,
            Self::None => Self::Terminal,
        }
    }
}

/// The styles of everything that is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Which theme it is.
    pub name: ThemeName,
    /// Text, and the ground it stands on.
    pub text: Style,
    /// What is beside the point, or still to come.
    pub muted: Style,
    /// A title, a key, what draws the eye.
    pub accent: Style,
    /// It went well.
    pub good: Style,
    /// It waits, or needs somebody.
    pub warn: Style,
    /// It went wrong.
    pub bad: Style,
    /// It is given back: compensation.
    pub back: Style,
    /// The customer's.
    pub customer: Style,
    /// The seller's.
    pub seller: Style,
    /// The admin's.
    pub admin: Style,
    /// Borders.
    pub border: Style,
    /// The border of what has the focus.
    pub focus: Style,
    /// The chosen row.
    pub chosen: Style,
    /// The chosen row of a pane without the focus.
    pub chosen_away: Style,
    /// A field that takes text.
    pub field: Style,
    /// A field that has the focus.
    pub field_focus: Style,
    /// Header and footer.
    pub bar: Style,
}

struct Palette {
    text: Style,
    muted: Color,
    accent: Color,
    good: Color,
    warn: Color,
    bad: Color,
    back: Color,
    customer: Color,
    seller: Color,
    admin: Color,
    border: Color,
    chosen: Style,
    chosen_away: Style,
    field: Style,
    bar: Style,
}

impl Theme {
    /// The theme of this name.
    pub const fn of(name: ThemeName) -> Self {
        match name {
            ThemeName::Terminal => Self::from(name, &TERMINAL),
            ThemeName::Dark => Self::from(name, &DARK),
            ThemeName::Light => Self::from(name, &LIGHT),
            ThemeName::HighContrast => Self::from(name, &HIGH_CONTRAST),
            ThemeName::None => Self::without_colour(),
        }
    }

    const fn from(name: ThemeName, palette: &Palette) -> Self {
        let bold = Modifier::BOLD;
        Self {
            name,
            text: palette.text,
            muted: Style::new().fg(palette.muted),
            accent: Style::new().fg(palette.accent).add_modifier(bold),
            good: Style::new().fg(palette.good),
            warn: Style::new().fg(palette.warn),
            bad: Style::new().fg(palette.bad).add_modifier(bold),
            back: Style::new().fg(palette.back),
            customer: Style::new().fg(palette.customer),
            seller: Style::new().fg(palette.seller),
            admin: Style::new().fg(palette.admin),
            border: Style::new().fg(palette.border),
            focus: Style::new().fg(palette.accent).add_modifier(bold),
            chosen: palette.chosen,
            chosen_away: palette.chosen_away,
            field: palette.field,
            field_focus: palette.field.add_modifier(Modifier::UNDERLINED.union(bold)),
            bar: palette.bar,
        }
    }

    const fn without_colour() -> Self {
        let (plain, bold) = (Style::new(), Style::new().add_modifier(Modifier::BOLD));
        let dim = Style::new().add_modifier(Modifier::DIM);
        Self {
            name: ThemeName::None,
            text: plain,
            muted: dim,
            accent: bold,
            good: plain,
            warn: bold,
            bad: bold,
            back: Style::new().add_modifier(Modifier::ITALIC),
            customer: plain,
            seller: plain,
            admin: plain,
            border: dim,
            focus: bold,
            chosen: Style::new().add_modifier(Modifier::REVERSED),
            chosen_away: Style::new().add_modifier(Modifier::UNDERLINED),
            field: Style::new().add_modifier(Modifier::UNDERLINED),
            field_focus: Style::new().add_modifier(Modifier::UNDERLINED.union(Modifier::BOLD)),
            bar: plain,
        }
    }

    /// The style of the chosen row, over whatever its cells have: one bar, not a row of coloured ones. Signs and words
    /// say what colours say.
    pub fn bar_of(&self, focused: bool) -> Style {
        let letters = Style::new().fg(self.text.fg.unwrap_or(Color::Reset));
        letters.patch(if focused { self.chosen } else { self.chosen_away })
    }

    /// The style of a role.
    pub const fn role(&self, role: orderflow_contracts::api::console::Role) -> Style {
        use orderflow_contracts::api::console::Role;
        match role {
            Role::Customer => self.customer,
            Role::Seller => self.seller,
            Role::Admin => self.admin,
        }
    }

    /// The style of what kind of thing has happened.
    pub const fn tone(&self, tone: orderflow_client::view::Tone) -> Style {
        use orderflow_client::view::Tone;
        match tone {
            Tone::Step => self.text,
            Tone::Good => self.good,
            Tone::Failure => self.bad,
            Tone::Compensation => self.back,
            Tone::Note => self.muted,
        }
    }
}

const TERMINAL: Palette = Palette {
    text: Style::new(),
    muted: Color::DarkGray,
    accent: Color::Cyan,
    good: Color::Green,
    warn: Color::Yellow,
    bad: Color::Red,
    back: Color::Magenta,
    customer: Color::Blue,
    seller: Color::Green,
    admin: Color::Magenta,
    border: Color::DarkGray,
    // Readable whatever the terminal's colours are.
    chosen: Style::new().add_modifier(Modifier::REVERSED),
    chosen_away: Style::new().add_modifier(Modifier::UNDERLINED),
    field: Style::new(),
    bar: Style::new(),
};

// Of the 256 colours that every terminal of today has, so that it looks alike over SSH and in tmux.
const DARK: Palette = Palette {
    text: Style::new().fg(Color::Indexed(252)).bg(Color::Indexed(234)),
    muted: Color::Indexed(244),
    accent: Color::Indexed(80),
    good: Color::Indexed(114),
    warn: Color::Indexed(221),
    bad: Color::Indexed(203),
    back: Color::Indexed(177),
    customer: Color::Indexed(111),
    seller: Color::Indexed(150),
    admin: Color::Indexed(183),
    border: Color::Indexed(240),
    chosen: Style::new().bg(Color::Indexed(24)).fg(Color::Indexed(255)),
    chosen_away: Style::new().bg(Color::Indexed(236)),
    field: Style::new().bg(Color::Indexed(236)),
    bar: Style::new().bg(Color::Indexed(236)).fg(Color::Indexed(252)),
};

const LIGHT: Palette = Palette {
    text: Style::new().fg(Color::Indexed(235)).bg(Color::Indexed(255)),
    muted: Color::Indexed(243),
    accent: Color::Indexed(25),
    good: Color::Indexed(28),
    warn: Color::Indexed(130),
    bad: Color::Indexed(160),
    back: Color::Indexed(91),
    customer: Color::Indexed(26),
    seller: Color::Indexed(29),
    admin: Color::Indexed(97),
    border: Color::Indexed(249),
    chosen: Style::new().bg(Color::Indexed(153)).fg(Color::Indexed(232)),
    chosen_away: Style::new().bg(Color::Indexed(253)),
    field: Style::new().bg(Color::Indexed(253)),
    bar: Style::new().bg(Color::Indexed(253)).fg(Color::Indexed(235)),
};

const HIGH_CONTRAST: Palette = Palette {
    text: Style::new().fg(Color::Indexed(231)).bg(Color::Indexed(16)),
    muted: Color::Indexed(252),
    accent: Color::Indexed(51),
    good: Color::Indexed(46),
    warn: Color::Indexed(226),
    bad: Color::Indexed(203),
    back: Color::Indexed(213),
    customer: Color::Indexed(123),
    seller: Color::Indexed(120),
    admin: Color::Indexed(219),
    border: Color::Indexed(231),
    chosen: Style::new().bg(Color::Indexed(231)).fg(Color::Indexed(16)),
    chosen_away: Style::new().bg(Color::Indexed(240)).fg(Color::Indexed(231)),
    field: Style::new().bg(Color::Indexed(235)).fg(Color::Indexed(231)),
    // Dark, as all else: every colour is said on it as well.
    bar: Style::new().bg(Color::Indexed(235)).fg(Color::Indexed(231)),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_through_the_themes_comes_back() {
        let mut name = ThemeName::default();
        for _ in 0..5 {
            assert_eq!(Theme::of(name).name, name);
            name = name.next();
        }
        assert_eq!(name, ThemeName::default());
    }

    /// How bright one of the 256 colours is, from 0 to 1: the cube of six by six by six, and the greys.
    fn brightness(colour: Option<Color>) -> f64 {
        let Some(Color::Indexed(index)) = colour else { panic!("{colour:?}") };
        let step = |part: u8| if part == 0 { 0.0 } else { f64::from(part) * 40.0 + 55.0 };
        let parts = match index {
            232.. => [f64::from(index - 232) * 10.0 + 8.0; 3],
            16.. => [step((index - 16) / 36), step((index - 16) / 6 % 6), step((index - 16) % 6)],
            _ => panic!("{index} is whatever the terminal says"),
        };
        let linear = parts.map(|part| ((part / 255.0 + 0.055) / 1.055).powf(2.4));
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn colours_can_be_read_on_the_bars_as_well() {
        for (name, least) in [(ThemeName::Dark, 3.0), (ThemeName::Light, 3.0), (ThemeName::HighContrast, 4.5)] {
            let theme = Theme::of(name);
            let said = [theme.text, theme.muted, theme.accent, theme.good, theme.warn, theme.bad, theme.customer];
            for (style, ground) in said
                .into_iter()
                .chain([theme.seller, theme.admin])
                .flat_map(|style| [theme.text, theme.bar, theme.field].map(|ground| (style, ground)))
            {
                let (one, other) = (brightness(style.fg), brightness(ground.bg));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                assert!(contrast >= least, "{name:?}: {style:?} on {ground:?} is {contrast:.1} to 1");
            }
        }
    }

    #[test]
    fn without_colour_there_is_none() {
        let theme = Theme::of(ThemeName::None);
        let styles = [theme.text, theme.good, theme.bad, theme.chosen, theme.bar, theme.back, theme.admin];
        assert!(styles.iter().all(|style| style.fg.is_none() && style.bg.is_none()));
    }
}
