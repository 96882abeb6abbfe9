//! Terminal styles. `anstream` removes them if the output is not a terminal.

use anstyle::{AnsiColor, Reset, Style};

pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default();
pub(super) const STRONG: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();
pub(super) const PLAIN: Reset = Reset;
