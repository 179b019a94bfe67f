//! A frame: header, desks, footer, and what lies over them.

use std::time::Duration;

use orderflow_contracts::api::console::Role;
use ratatui::{
    Frame,
    layout::{Position, Rect},
    text::{Line, Span},
};

use super::{App, Moment};
use crate::{
    desk::{Desk, Stage},
    keys::{self, KeyMap, Scope},
    live::Live,
    login::{self, Before},
    overlay::Overlay,
    text,
    widgets::frames,
};

/// Narrower desks are not put side by side.
const DESK_WIDTH_MIN: u16 = 38;
/// Lower desks are not put one over the other.
const DESK_HEIGHT_MIN: u16 = 12;
/// From this width on, lessons stand at the left side; above the desks otherwise.
const LESSONS_BESIDE_FROM: u16 = 110;
const LESSONS_WIDTH: u16 = 44;
/// Columns in which the corner can say what it has to.
const CORNER_MIN: usize = 14;
/// Whoever waits for an answer for so long is told so.
const WAITS_FROM: Duration = Duration::from_secs(3);
/// What stands after the screens while a timeline lies over them.
const OVER: &str = "› timeline ";
/// Spaces after a key of the footer; the last one does without.
const SPACES: usize = 2;

impl App {
    /// Draws everything.
    pub fn draw(&mut self, frame: &mut Frame<'_>, now: Moment) {
        let area = frame.area();
        if area.is_empty() {
            return;
        }
        frame.buffer_mut().set_style(area, self.theme.text);
        let (head, rest) = frames::head(area, 1);
        let (body, foot) = frames::foot(rest, u16::from(rest.height > 3));
        self.draw_header(frame, head, now);
        // What is told has rows of its own: the list above is scrolled so that what is chosen is seen.
        let (desks, _) = frames::foot(body, self.notices.rows(body));
        self.draw_body(frame, desks, now);
        self.draw_footer(frame, foot);
        self.notices.draw(frame, body, &self.theme);
        match &mut self.overlay {
            Some(Overlay::Confirm(confirm)) => confirm.draw(frame, area, &self.setup.keys, &self.theme),
            Some(Overlay::Help(help)) => help.draw(frame, area, &self.setup.keys, &self.theme),
            Some(Overlay::Palette(palette)) => palette.draw(frame, area, &self.setup.keys, &self.theme),
            Some(Overlay::Start) => {
                let start = self.start_offered();
                start.into_iter().for_each(|start| start.draw_over(frame, area, &self.theme, &self.setup.keys));
            }
            None => {}
        }
    }

    fn draw_header(&self, frame: &mut Frame<'_>, head: Rect, now: Moment) {
        let theme = &self.theme;
        frame.buffer_mut().set_style(head, theme.bar);
        let left = |says: &dyn Fn(Role) -> bool, is_named: bool| {
            let mut left = vec![if is_named { Span::styled(" OrderFlow ", theme.accent) } else { Span::raw(" ") }];
            if head.width >= 60 {
                left.push(Span::styled(format!("{} ", self.setup.cluster), theme.muted));
            }
            for desk in &self.desks {
                let name = desk.role.as_str();
                let style = theme.role(desk.role);
                let chip = if desk.role == self.focus { format!("[{name}]") } else { format!(" {name} ") };
                left.push(Span::styled(chip, style));
                left.push(self.live_mark(desk, says(desk.role)));
            }
            Line::from(left)
        };
        // The words of all desks, of the one that has the focus, or the signs alone; those are worth more than our name.
        let focus = |role| role == self.focus;
        let lines = [left(&|_| true, true), left(&focus, true), left(&|_| false, true), left(&|_| false, false)];
        let [.., signs] = &lines;
        let room = usize::from(head.width).saturating_sub(self.corner(CORNER_MIN, now).width());
        let left = lines.iter().find(|line| line.width() <= room).unwrap_or(signs).clone();
        let corner = self.corner(usize::from(head.width).saturating_sub(left.width()), now);
        let wide = u16::try_from(corner.width()).unwrap_or(u16::MAX).min(head.width);
        let room = head.width.saturating_sub(wide);
        frame.render_widget(left, Rect { width: room, ..head });
        frame.render_widget(corner, Rect { x: head.x + room, width: wide, ..head });
    }

    /// How a desk's stream is: a sign, and a word where it is not well.
    fn live_mark(&self, desk: &Desk, says: bool) -> Span<'static> {
        let Stage::Work(work) = &desk.stage else { return Span::raw(" ") };
        match (&work.live, work.behind) {
            (Live::Open, Some(_)) if !says => Span::styled("◌ ", self.theme.warn),
            (Live::Open, Some(behind)) => Span::styled(format!("◌ {} s behind ", behind.ms / 1_000), self.theme.warn),
            (Live::Open, None) => Span::styled("● ", self.theme.good),
            (Live::Opening, _) if !says => Span::styled("○ ", self.theme.warn),
            _ if !says => Span::styled("○ ", self.theme.bad),
            (Live::Opening, _) => Span::styled("○ connecting ", self.theme.warn),
            (Live::Broken { .. }, _) if self.is_gone() => Span::styled("○ stopped ", self.theme.bad),
            (Live::Broken { .. }, _) => Span::styled("○ reconnecting ", self.theme.bad),
        }
    }

    /// What is always to be seen: faults that are set, and what verify says. Its longest form that has room.
    fn corner(&self, room: usize, now: Moment) -> Line<'static> {
        self.board().map(|board| board.corner(&self.theme, room, now.wall)).unwrap_or_default()
    }

    fn draw_body(&mut self, frame: &mut Frame<'_>, body: Rect, now: Moment) {
        let body = match &mut self.lessons {
            Some(lessons) => {
                let (panel, rest) = beside(body);
                lessons.draw(frame, panel, &self.theme, &self.setup.keys);
                rest
            }
            None => body,
        };
        let shown = self.shown(body);
        let places = places(body, shown.len());
        let is_squeezed = places.len() < shown.len();
        let shown = if is_squeezed { vec![self.focus] } else { shown };
        for desk in &mut self.desks {
            desk.place = Rect::ZERO;
        }
        for (role, place) in shown.into_iter().zip(places) {
            self.draw_desk(frame, role, place, now);
        }
        if is_squeezed {
            self.draw_squeezed(frame, body);
        }
    }

    /// Says in the border of the one desk that there is room for that the others are there too, and what shows them.
    fn draw_squeezed(&self, frame: &mut Frame<'_>, place: Rect) {
        if !frames::has_border(place) {
            return;
        }
        let many = self.desks.len();
        let at = self.desks.iter().position(|desk| desk.role == self.focus).unwrap_or(0) + 1;
        let next = keys::all().find(|binding| binding.action == keys::NEXT_DESK);
        let next = next.and_then(|binding| self.setup.keys.key_of(binding)).map(|key| key.to_string());
        let wide = usize::from(DESK_WIDTH_MIN) * many;
        let room = usize::from(place.width.saturating_sub(4));
        let next = next.unwrap_or_default();
        let long = format!(" {at} of {many} desks · {next} shows the next · {wide} columns show all ");
        let short = format!(" {at} of {many} desks: {next}, all at {wide} wide ");
        let words = if text::width(&long) <= room { long } else { text::cut(&short, room) };
        let width = u16::try_from(text::width(&words)).unwrap_or(0);
        let place = Rect { x: place.x + 2, y: place.bottom() - 1, width, height: 1 };
        frame.render_widget(Line::styled(words, self.theme.warn), place);
    }

    fn draw_desk(&mut self, frame: &mut Frame<'_>, role: Role, place: Rect, now: Moment) {
        let focused = self.focus == role && self.overlay.is_none() && !self.lessons_have_keys();
        let theme = self.theme;
        let (keys, is_local) = (&self.setup.keys, self.setup.is_local);
        let stopped = self.start_offered().map(|start| stopped(start.before(), keys));
        let Some(desk) = self.desks.iter_mut().find(|desk| desk.role == role) else { return };
        desk.place = place;
        match &mut desk.stage {
            Stage::Login(login) => {
                let title = Line::styled(format!(" {} · log in ", role.as_str()), theme.role(role));
                let inside = frames::framed(frame, place, title, focused, &theme);
                login.draw(frame, inside, focused, &theme, keys);
            }
            Stage::Work(work) => {
                // Over a screen lies the timeline of an order: that is said instead of whose desk it is.
                let email = if work.timeline.is_some() { "" } else { &work.books.me.email };
                let over = if work.timeline.is_some() { OVER } else { "" };
                let mut title = title(role, work.screens.see(), email, text::width(over), place.width, &theme);
                title.push_span(Span::styled(over, theme.accent));
                let inside = frames::framed(frame, place, title, focused, &theme);
                let crate::desk::Work { books, live, screens, timeline, waits_since, .. } = &mut **work;
                let waits =
                    waits_since.map(|since| now.instant.duration_since(since)).filter(|waits| *waits >= WAITS_FROM);
                let now = books.service_time(now.wall);
                let show = crate::cx::Show { role, books, live, now, focused, is_local, theme: &theme, keys };
                let inside = draw_trouble(frame, inside, live, stopped.as_deref(), &theme);
                let inside = draw_waits(frame, inside, waits, &theme);
                match timeline {
                    Some(timeline) => crate::area::Area::draw(timeline, frame, inside, &show),
                    None => screens.area().draw(frame, inside, &show),
                }
            }
        }
    }

    /// The desk and the screen whose name stands there.
    pub(super) fn screen_at(&self, at: Position) -> Option<(Role, usize)> {
        let desk = self.desks.iter().find(|desk| desk.place.contains(at) && desk.place.y == at.y)?;
        let Stage::Work(work) = &desk.stage else { return None };
        let more = if work.timeline.is_some() { text::width(OVER) } else { 0 };
        let title = title(desk.role, work.screens.see(), "", more, desk.place.width, &self.theme);
        let mut x = usize::from(desk.place.x) + usize::from(frames::has_border(desk.place));
        // The first one is whose desk it is.
        let ends = title.spans.iter().map(|span| {
            x += span.width();
            x
        });
        let found = ends.collect::<Vec<_>>().iter().position(|end| usize::from(at.x) < *end)?.checked_sub(1)?;
        (found < work.screens.see().screens().len()).then_some((desk.role, found))
    }

    fn draw_footer(&self, frame: &mut Frame<'_>, foot: Rect) {
        frame.buffer_mut().set_style(foot, self.theme.bar);
        let mut spans = vec![Span::raw(" ")];
        let mut room = usize::from(foot.width).saturating_sub(1);
        let wide = |(key, binding): &(String, &keys::Binding)| text::width(key) + text::width(binding.hint) + 3;
        let mut put = |(key, binding): &(String, &keys::Binding)| {
            spans.push(Span::styled(key.clone(), self.theme.accent));
            spans.push(Span::raw(format!(" {}  ", binding.hint)));
        };
        let hints = self.hints(&self.scopes_shown());
        // Help names what has no room, so it has room itself, at the end if need be.
        let mut help = hints.iter().find(|(_, binding)| binding.action == keys::HELP);
        for hint in &hints {
            let is_help = help.is_some_and(|help| std::ptr::eq(help, hint));
            let kept = if is_help { 0 } else { help.map_or(0, wide) };
            if wide(hint) + kept > room + SPACES {
                break;
            }
            room = room.saturating_sub(wide(hint));
            help = help.filter(|_| !is_help);
            put(hint);
        }
        help.into_iter().for_each(put);
        frame.render_widget(Line::from(spans), foot);
    }

    /// The keys that the footer shows; those that always work come last.
    fn hints(&self, scopes: &[Scope]) -> Vec<(String, &'static keys::Binding)> {
        let mut hints = Vec::new();
        let takes_text = self.overlay.is_none() && self.takes_text();
        for scope in scopes {
            let bindings = keys::all().filter(|binding| binding.scope == *scope && !binding.hint.is_empty());
            let offers = |action| self.lessons.as_ref().is_none_or(|lessons| lessons.offers(action));
            hints.extend(bindings.filter(|binding| offers(binding.action)).filter_map(|binding| {
                // While somebody writes, a letter is a letter.
                let mut works = self.setup.keys.keys_of(binding).iter().filter(|key| !takes_text || !key.is_text());
                Some((works.next()?.to_string(), binding))
            }));
        }
        hints
    }
}

/// The title of a desk: whose it is, and its screens with the shown one marked.
fn title(
    role: Role,
    area: &dyn crate::area::Area,
    email: &str,
    more: usize,
    width: u16,
    theme: &crate::theme::Theme,
) -> Line<'static> {
    let mut spans = vec![Span::styled(format!(" {} ", role.as_str()), theme.role(role))];
    let screens = area.screens();
    let long: usize = screens.iter().map(|name| name.len() + 4).sum();
    let own = role.as_str().len() + 4 + more;
    // Their names with room around them, their names, or their numbers alone.
    let is_close = usize::from(width) < long + 14 + more;
    let is_tight = usize::from(width) < long + own + 1 - screens.len();
    for (index, name) in screens.iter().enumerate() {
        let number = index + 1;
        if index == area.screen() {
            spans.push(Span::styled(format!("▸{number} {name} "), theme.accent));
        } else if is_tight {
            spans.push(Span::styled(format!("{number} "), theme.muted));
        } else if is_close {
            spans.push(Span::styled(format!("{number} {name} "), theme.muted));
        } else {
            spans.push(Span::styled(format!(" {number} {name} "), theme.muted));
        }
    }
    if usize::from(width) > long + 18 + email.len() {
        spans.push(Span::styled(format!(" {} ", text::plain(email)), theme.muted));
    }
    Line::from(spans)
}

/// That there is no cluster any more, and the key that is there for it.
fn stopped(before: Before, keys: &KeyMap) -> String {
    let (is_gone, offers) = match before {
        Before::Destroyed => ("was destroyed", "a new one"),
        Before::Nothing | Before::Stopped { .. } => ("has stopped", "it again"),
    };
    let key = keys.key_in(login::STOPPED, login::SHOW_START).map(|key| format!("; {key} offers to start {offers}"));
    format!("the cluster {is_gone}{}", key.unwrap_or_default())
}

/// A line that says so if what is shown may be older than it looks.
fn draw_trouble(
    frame: &mut Frame<'_>,
    area: Rect,
    live: &Live,
    stopped: Option<&str>,
    theme: &crate::theme::Theme,
) -> Rect {
    let why = match live {
        Live::Broken { why, since } => match stopped {
            Some(stopped) => format!("✗ as of {}: {stopped}", text::clock(*since)),
            None => format!("✗ as of {}, trying again: no live events since, {why}", text::clock(*since)),
        },
        Live::Open | Live::Opening => return area,
    };
    frames::told(frame, area, &why, theme.bad)
}

/// A line that says so if an answer is waited for: nobody shall think that it hangs here.
fn draw_waits(frame: &mut Frame<'_>, area: Rect, waits: Option<Duration>, theme: &crate::theme::Theme) -> Rect {
    let Some(waits) = waits else { return area };
    let (line, rest) = frames::head(area, 1);
    let words = format!("… no answer for {} s; it is waited for", waits.as_secs());
    frame.render_widget(Line::styled(text::cut(&words, usize::from(line.width)), theme.warn), line);
    rest
}

/// Where lessons stand, and what is left.
fn beside(body: Rect) -> (Rect, Rect) {
    if body.width >= LESSONS_BESIDE_FROM {
        let panel = Rect { width: LESSONS_WIDTH, ..body };
        return (panel, Rect { x: body.x + LESSONS_WIDTH, width: body.width - LESSONS_WIDTH, ..body });
    }
    frames::head(body, (body.height / 2).min(14))
}

/// Places for so many desks: side by side, one over the other, or for one alone.
fn places(body: Rect, count: usize) -> Vec<Rect> {
    let Ok(many) = u16::try_from(count.max(1)) else { return vec![body] };
    if many == 1 {
        return vec![body];
    }
    if body.width / many >= DESK_WIDTH_MIN {
        let wide = body.width / many;
        let place = |index: u16| {
            let x = body.x + index * wide;
            Rect { x, width: if index + 1 == many { body.right() - x } else { wide }, ..body }
        };
        return (0..many).map(place).collect();
    }
    if body.height / many >= DESK_HEIGHT_MIN {
        let high = body.height / many;
        let place = |index: u16| {
            let y = body.y + index * high;
            Rect { y, height: if index + 1 == many { body.bottom() - y } else { high }, ..body }
        };
        return (0..many).map(place).collect();
    }
    vec![body]
}
