//! What must hold of messages. Those about definitions and records may be shown on a terminal as they are, whatever
//! the file holds; all others are cleaned by whoever shows them.

use std::error::Error;

/// Panics if an error or one of its causes says nothing.
pub(crate) fn assert_explained(error: &(dyn Error + 'static)) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        assert!(!error.to_string().is_empty(), "{error:?}");
        cause = error.source();
    }
}

/// Panics if an error or one of its causes has a character that commands a terminal.
pub(crate) fn assert_showable(error: &(dyn Error + 'static)) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        assert_no_commands(&error.to_string());
        cause = error.source();
    }
}

/// Panics if a text has a control character other than a line end.
pub(crate) fn assert_no_commands(text: &str) {
    let command = text.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert!(command.is_none(), "a message commands the terminal by {command:?}: {text:?}");
}
