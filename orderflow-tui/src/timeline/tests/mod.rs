mod reducer;
mod screens;
mod stories;

use orderflow_client::ClientError;
use orderflow_contracts::{
    api::console::{EventRecord, Role},
    timestamp::Timestamp,
};
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Rect};

use self::stories::{ORDER, Story};
use super::{Came, Do, Done, Timeline};
use crate::{
    area::Area as _,
    books::Books,
    cx::{Cx, Out, Show},
    keys::{Action, KeyMap},
    live::Live,
    msg::Effect,
    testing::{NOW_MS, account},
    theme::{Theme, ThemeName},
};

/// A timeline alone, without the console around it.
struct Bench {
    timeline: Timeline,
    books: Books,
    now: Timestamp,
    keys: KeyMap,
    /// What the last thing wanted.
    out: Out,
}

impl Bench {
    fn new() -> Self {
        let (timeline, _) = Timeline::of(ORDER.parse().unwrap());
        let books = Books::new(account(Role::Admin));
        Self { timeline, books, now: Timestamp(NOW_MS), keys: KeyMap::default(), out: Out::default() }
    }

    /// With everything that is known of an order.
    fn of(story: &Story) -> Self {
        let mut bench = Self::new();
        bench.came(Came::Events(Ok(story.records.clone())));
        bench.came(Came::Order(Ok(Box::new(story.facts.order.clone()))));
        bench.came(Came::Explained(Ok(story.explained())));
        bench
    }

    fn with(&mut self, act: impl FnOnce(&mut Timeline, &mut Cx<'_>)) {
        self.out = Out::default();
        let (books, out) = (&mut self.books, &mut self.out);
        act(&mut self.timeline, &mut Cx { role: Role::Admin, books, now: self.now, is_local: true, out });
    }

    fn came(&mut self, came: Came) {
        let id = self.timeline.order_id();
        self.with(|timeline, cx| timeline.done(Done { id, came }, cx));
    }

    fn fails(&mut self, came: impl Fn(ClientError) -> Came) {
        self.came(came(ClientError::BadRequest("there is no such order".into())));
    }

    fn hear(&mut self, record: &EventRecord) {
        self.books.hear(record);
        self.with(|timeline, cx| timeline.hear(record, cx));
    }

    fn act(&mut self, action: Action) {
        self.with(|timeline, cx| assert!(timeline.act(action, cx), "{action:?}"));
    }

    /// Keys, as the registry has them.
    fn press(&mut self, keys: &[&str]) {
        for key in keys {
            let chord = key.parse().unwrap();
            let action = self.keys.action(&self.timeline.scopes(), chord).expect("the key means something here");
            self.act(action);
        }
    }

    /// So much time passes.
    fn wait(&mut self, ms: i64) {
        self.now.0 += ms;
        self.with(Timeline::tick);
    }

    fn wanted(&self) -> Vec<&Do> {
        let wanted = self.out.effects.iter().filter_map(|effect| match effect {
            Effect::Timeline(_, wanted) => Some(wanted),
            _ => None,
        });
        wanted.collect()
    }

    fn copied(&self) -> Option<&str> {
        self.out.effects.iter().find_map(|effect| match effect {
            Effect::Copy(text) => Some(text.as_str()),
            _ => None,
        })
    }

    fn show<T>(&mut self, theme: ThemeName, look: impl FnOnce(&mut Timeline, &Show<'_>) -> T) -> T {
        let (theme, live) = (Theme::of(theme), Live::Open);
        let show = Show {
            role: Role::Admin,
            books: &self.books,
            live: &live,
            now: self.now,
            focused: true,
            is_local: true,
            theme: &theme,
            keys: &self.keys,
        };
        look(&mut self.timeline, &show)
    }

    fn ticks(&mut self) -> bool {
        self.show(ThemeName::Terminal, |timeline, show| timeline.ticks(show))
    }

    /// In a place of this size.
    fn buffer(&mut self, (width, height): (u16, u16), theme: ThemeName) -> Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let draw = |timeline: &mut Timeline, show: &Show<'_>| {
            let drawn = terminal.draw(|frame| {
                let area = Rect::new(0, 0, width, height);
                frame.buffer_mut().set_style(area, show.theme.text);
                timeline.draw(frame, area, show);
            });
            drawn.unwrap().buffer.clone()
        };
        self.show(theme, draw)
    }

    fn screen(&mut self, size: (u16, u16)) -> String {
        crate::testing::letters(&self.buffer(size, ThemeName::Terminal))
    }
}
