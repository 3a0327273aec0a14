//! What the screens of both programs share.
//!
//! stdout is the answer, stderr the commentary. Colours go where a terminal shows them and nowhere
//! else; text that came from a file or a server is cleaned of control characters first, so that it
//! can neither move the cursor nor forge a line.

mod checks;
mod clean;
mod error;
mod live;
mod pages;
mod printer;
mod signals;

pub use checks::{Check, Outcome, render_checks};
pub use clean::{clean, clean_json};
pub use error::render_error;
pub use live::LiveLines;
pub use pages::write_pages_if_asked;
pub use printer::{Printer, Verbosity};
pub use signals::{Interrupts, interruptible, stop_on_signals};

/// The styles of the house.
pub mod style {
    use anstyle::{AnsiColor, Style};

    /// Something went well.
    pub const GOOD: Style = AnsiColor::Green.on_default();
    /// Something went wrong.
    pub const BAD: Style = AnsiColor::Red.on_default().bold();
    /// Something needs attention.
    pub const WARN: Style = AnsiColor::Yellow.on_default();
    /// Something less important.
    pub const DIM: Style = Style::new().dimmed();
    /// A heading.
    pub const HEAD: Style = Style::new().bold();
}
