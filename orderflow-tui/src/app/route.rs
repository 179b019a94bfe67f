//! Where keys, clicks and pasted text go.

use orderflow_contracts::api::console::Role;

use super::{App, Moment};
use crate::{
    desk::{Desk, Screens, Stage},
    input::{Edit, Input, Wheel},
    keys::{self, Action, Chord, Scope},
    lessons::{Lead, Place},
    login,
    msg::Effect,
    overlay::{Command, Help, Overlay, Palette, Tone},
    theme::Theme,
};

impl App {
    pub(super) fn input(&mut self, input: Input, now: Moment) -> Vec<Effect> {
        match input {
            Input::Key(key) if self.overlay.is_some() => self.overlay_key(key, now),
            Input::Key(key) => self.desk_key(key, now),
            Input::Paste(text) => self.paste(text, now),
            Input::Click(at) => self.click(at, now),
            Input::Wheel(at, wheel) => self.wheel(at, wheel, now),
            Input::Resize => Vec::new(),
        }
    }

    fn scopes(&self) -> Vec<Scope> {
        let desk = self.desks.iter().find(|desk| desk.role == self.focus);
        let mut scopes = desk.map_or_else(|| vec![keys::EVERYWHERE], Desk::scopes);
        if self.lessons_have_keys() {
            scopes = vec![keys::EVERYWHERE];
        }
        if let Some(lessons) = &self.lessons {
            scopes.splice(scopes.len() - 1..scopes.len() - 1, lessons.scopes());
        }
        if self.is_gone() {
            scopes.insert(scopes.len() - 1, login::STOPPED);
        }
        scopes
    }

    /// The screens of the desk that has the focus.
    fn screens(&self) -> &'static [&'static str] {
        let desk = self.desks.iter().find(|desk| desk.role == self.focus);
        match desk.map(|desk| &desk.stage) {
            Some(Stage::Work(work)) => work.screens.see().screens(),
            _ => &[],
        }
    }

    /// The scopes whose keys the footer and help show.
    pub(super) fn scopes_shown(&self) -> Vec<Scope> {
        match &self.overlay {
            Some(Overlay::Confirm(_)) => vec![keys::DIALOG],
            Some(Overlay::Start) => login::OFFERED.to_vec(),
            _ => self.scopes(),
        }
    }

    /// Whether letters go into a field of the desk that has the focus.
    pub(super) fn takes_text(&self) -> bool {
        !self.lessons_have_keys() && self.desks.iter().any(|desk| desk.role == self.focus && desk.takes_text())
    }

    fn desk_key(&mut self, key: crossterm::event::KeyEvent, now: Moment) -> Vec<Effect> {
        if self.takes_text()
            && let Some(edit) = Edit::of(key)
        {
            return self.edit(edit, now);
        }
        match self.setup.keys.action(&self.scopes(), Chord::from(key)) {
            Some(action) => self.act(action, now),
            None => Vec::new(),
        }
    }

    fn edit(&mut self, edit: Edit, now: Moment) -> Vec<Effect> {
        let focus = self.focus;
        if let Some(Desk { stage: Stage::Login(login), .. }) = self.desk(focus) {
            login.edit(&edit);
            return Vec::new();
        }
        self.with(focus, now, |area, cx| area.edit(edit, cx))
    }

    /// Pasted text is text: it goes into a field, or nowhere.
    fn paste(&mut self, text: String, now: Moment) -> Vec<Effect> {
        if let Some(Overlay::Palette(palette)) = &mut self.overlay {
            palette.edit(&Edit::Paste(text));
            return Vec::new();
        }
        if self.overlay.is_none() && self.takes_text() { self.edit(Edit::Paste(text), now) } else { Vec::new() }
    }

    fn overlay_key(&mut self, key: crossterm::event::KeyEvent, now: Moment) -> Vec<Effect> {
        let chord = Chord::from(key);
        let map = &self.setup.keys;
        if map.action(&[keys::EVERYWHERE], chord) == Some(keys::QUIT) && !chord.is_text() {
            return vec![Effect::Quit];
        }
        match self.overlay.take() {
            Some(Overlay::Confirm(confirm)) => match map.action(&[keys::DIALOG], chord) {
                Some(keys::YES) => return confirm.effects,
                Some(keys::NO) => {}
                _ => self.overlay = Some(Overlay::Confirm(confirm)),
            },
            Some(Overlay::Help(mut help)) => {
                let stays = help.act(map.action(&[keys::LIST], chord));
                self.overlay = stays.then_some(Overlay::Help(help));
            }
            Some(Overlay::Palette(mut palette)) => {
                if chord == enter() {
                    return palette.chosen().map(|command| self.command(command, now)).unwrap_or_default();
                }
                let moves = map.action(&[keys::LIST], chord);
                match (Edit::of(key), moves) {
                    (_, Some(keys::BACK)) => return Vec::new(),
                    (Some(edit), _) => palette.edit(&edit),
                    (None, Some(action)) => palette.act(action),
                    (None, None) => {}
                }
                self.overlay = Some(Overlay::Palette(palette));
            }
            Some(Overlay::Start) => {
                let action = map.action(&login::OFFERED, chord);
                let (effects, stays) = self.answer_start(action, now);
                self.overlay = stays.then_some(Overlay::Start);
                return effects;
            }
            None => {}
        }
        Vec::new()
    }

    fn command(&mut self, command: Command, now: Moment) -> Vec<Effect> {
        match command {
            Command::Do(action) => self.act(action, now),
            Command::Go(role, screen) => self.go_over(role, screen, now),
        }
    }

    /// Goes to a screen of another desk; where nobody works there, as soon as somebody does.
    fn go_over(&mut self, role: Role, screen: usize, now: Moment) -> Vec<Effect> {
        let mut effects = self.go_to(role);
        match self.desk(role).and_then(Desk::work) {
            Some(_) => effects.extend(self.go_screen(screen, now)),
            None => {
                let place = Screens::names(role).get(screen).map(|screen| Place { role, screen });
                self.lead_waits = Some(Lead { place, product: None, order: None });
            }
        }
        effects
    }

    /// Does what a key or a command of the palette says: here, else everywhere.
    fn act(&mut self, action: Action, now: Moment) -> Vec<Effect> {
        let focus = self.focus;
        if self.lessons_have_keys() {
            return self.act_in_lessons(action).unwrap_or_else(|| self.act_everywhere(action, now));
        }
        if let Some(Desk { stage: Stage::Login(login), .. }) = self.desk(focus) {
            match login.act(action) {
                Some(effects) => return effects.into_iter().map(|effect| Effect::Login(focus, effect)).collect(),
                None => return self.act_everywhere(action, now),
            }
        }
        let mut was_it = false;
        let effects = self.with(focus, now, |area, cx| was_it = area.act(action, cx));
        if was_it {
            return effects;
        }
        match self.act_in_lessons(action) {
            Some(effects) => effects,
            None => self.act_everywhere(action, now),
        }
    }

    fn act_in_lessons(&mut self, action: Action) -> Option<Vec<Effect>> {
        let lessons = self.lessons.as_mut()?;
        let mut effects = lessons.act(action)?;
        if lessons.is_closed() {
            effects.extend(self.close_lessons());
        }
        Some(effects)
    }

    fn act_everywhere(&mut self, action: Action, now: Moment) -> Vec<Effect> {
        match action {
            keys::QUIT => return vec![Effect::Quit],
            keys::HELP => self.overlay = Some(Overlay::Help(Help::of(self.scopes_shown(), self.screens()))),
            keys::PALETTE => {
                let palette = Palette::of(&self.scopes(), self.focus, self.screens());
                self.overlay = Some(Overlay::Palette(palette));
            }
            keys::NEXT_DESK => self.focus = self.neighbour(1),
            keys::PREVIOUS_DESK => self.focus = self.neighbour(self.desks.len().saturating_sub(1)),
            keys::CUSTOMER => return self.go_to(Role::Customer),
            keys::SELLER => return self.go_to(Role::Seller),
            keys::ADMIN => return self.go_to(Role::Admin),
            keys::SPLIT => return self.toggle_split(),
            keys::NEXT_SCREEN => return self.move_screen(1, now),
            keys::PREVIOUS_SCREEN => return self.move_screen(-1, now),
            keys::LESSONS => return self.toggle_lessons(),
            keys::THEME => {
                self.theme = Theme::of(self.theme.name.next());
                // Chosen here, it is remembered; that of the environment or the configuration is not.
                self.setup.remembered.theme = self.theme.name;
                return vec![Effect::Save(self.remember())];
            }
            keys::MOUSE => {
                self.mouse = !self.mouse;
                // Nothing else shows it.
                let told = if self.mouse { "the mouse is on; shift selects text" } else { "the mouse is off" };
                self.notices.push(Tone::Note, told, now.instant);
                return vec![Effect::Mouse(self.mouse)];
            }
            keys::REFRESH => return self.refresh(),
            login::SHOW_START => self.show_start(),
            keys::DISMISS => drop(self.notices.dismiss()),
            keys::LOGOUT => {
                self.logged_out(self.focus);
                return vec![Effect::Logout(self.focus)];
            }
            keys::REDRAW => return vec![Effect::Redraw],
            keys::SUSPEND => return vec![Effect::Suspend],
            action => {
                if let Some(screen) = keys::SCREENS.iter().position(|known| *known == action) {
                    return self.go_screen(screen, now);
                }
            }
        }
        Vec::new()
    }

    fn neighbour(&self, by: usize) -> Role {
        let at = self.desks.iter().position(|desk| desk.role == self.focus).unwrap_or(0);
        self.desks.get((at + by) % self.desks.len().max(1)).map_or(self.focus, |desk| desk.role)
    }

    pub(super) fn go_to(&mut self, role: Role) -> Vec<Effect> {
        let is_new = self.desks.iter().all(|desk| desk.role != role);
        let mut effects = self.open(role);
        // Test accounts are one key away; this key is it.
        if is_new && effects.is_empty() && self.setup.is_local && self.setup.is_running {
            effects.push(Effect::Login(role, login::Do::TestAccount));
        }
        effects.extend(self.read_failed_now(role));
        effects
    }

    /// With one desk open, the split view opens the others as well: it is there to see an order cross them.
    fn toggle_split(&mut self) -> Vec<Effect> {
        self.split = !self.split;
        let mut effects = Vec::new();
        if self.split && self.desks.len() == 1 && self.setup.is_local && self.setup.is_running {
            let focus = self.focus;
            for role in [Role::Customer, Role::Seller, Role::Admin] {
                effects.extend(self.go_to(role));
            }
            self.focus = focus;
        }
        effects
    }

    fn move_screen(&mut self, by: isize, now: Moment) -> Vec<Effect> {
        let focus = self.focus;
        let Some(work) = self.desk(focus).and_then(Desk::work) else { return Vec::new() };
        let (screen, count) = (work.screens.see().screen(), work.screens.see().screens().len());
        if count == 0 {
            return Vec::new();
        }
        let to = screen.wrapping_add_signed(by).min(count).wrapping_add(count) % count;
        let to = if by < 0 && screen == 0 { count - 1 } else { to };
        self.go_screen(to, now)
    }

    fn go_screen(&mut self, screen: usize, now: Moment) -> Vec<Effect> {
        let focus = self.focus;
        let Some(work) = self.desk(focus).and_then(Desk::work) else { return Vec::new() };
        if screen >= work.screens.see().screens().len() {
            return Vec::new();
        }
        work.timeline = None;
        let mut effects = self.with(focus, now, |area, cx| area.go(screen, cx));
        effects.extend(self.read_failed_now(focus));
        effects
    }

    fn refresh(&mut self) -> Vec<Effect> {
        let focus = self.focus;
        let Some(work) = self.desk(focus).and_then(Desk::work) else { return Vec::new() };
        work.books.read_again().into_iter().map(|read| Effect::Books(focus, read)).collect()
    }

    fn click(&mut self, at: ratatui::layout::Position, now: Moment) -> Vec<Effect> {
        let Some(role) = self.desk_at(at) else { return Vec::new() };
        if self.overlay.is_some() {
            return Vec::new();
        }
        if let Some((role, screen)) = self.screen_at(at) {
            self.focus = role;
            return self.go_screen(screen, now);
        }
        if role != self.focus {
            self.focus = role;
            return Vec::new();
        }
        self.with(role, now, |area, cx| area.click(at, cx))
    }

    fn wheel(&mut self, at: ratatui::layout::Position, wheel: Wheel, now: Moment) -> Vec<Effect> {
        match self.desk_at(at) {
            Some(role) if self.overlay.is_none() => self.with(role, now, |area, cx| area.wheel(at, wheel, cx)),
            _ => Vec::new(),
        }
    }

    fn desk_at(&self, at: ratatui::layout::Position) -> Option<Role> {
        self.desks.iter().find(|desk| desk.place.contains(at)).map(|desk| desk.role)
    }
}

fn enter() -> Chord {
    Chord::from(crossterm::event::KeyEvent::from(crossterm::event::KeyCode::Enter))
}
