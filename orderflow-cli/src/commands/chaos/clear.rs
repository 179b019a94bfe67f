//! `orderflow chaos clear`

use clap::Args;

use super::{
    Hand,
    words::{Name, Place, name_parser, place_parser},
};
use crate::{context::Context, exit::Outcome};

/// Take a fault back, or everything
///
/// Without a name: all faults, cuts and pauses, what is held down, and clocks that differ from the others.
#[derive(Args, Debug, Clone, PartialEq)]
#[command(before_help = "Examples:\n  orderflow chaos clear\n  orderflow chaos clear db-slow --service inventory\n")]
pub struct Clear {
    /// Which fault [default: everything]
    #[arg(value_name = "FAULT", value_parser = name_parser())]
    pub name: Option<Name>,
    /// In which service
    #[arg(long, value_parser = place_parser(), default_value = "all")]
    pub service: Place,
}

impl Clear {
    /// Takes it back.
    pub async fn run(self, context: &Context) -> Outcome {
        Hand::new(context)?.clear(self.name, self.service).await?;
        let what = match (self.name, self.service) {
            (None, Place::All) => "nothing is broken on purpose any more",
            _ => "it is taken back",
        };
        context.out.note(what);
        Ok(())
    }
}
