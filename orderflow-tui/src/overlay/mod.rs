//! What lies over the desks: questions, help, the palette, notices.

mod confirm;
mod help;
mod notices;
mod palette;

pub use self::{
    confirm::Confirm,
    help::Help,
    notices::{Notices, Tone},
    palette::{Command, Palette},
};

/// What takes the keys before the desks do.
pub enum Overlay {
    /// A question.
    Confirm(Confirm),
    /// The keys that work here.
    Help(Help),
    /// Commands by their words.
    Palette(Palette),
    /// The offer to start the cluster again.
    Start,
}
