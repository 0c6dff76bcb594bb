//! Colours, and what they stand for.

use anstyle::{AnsiColor, Color, Style};

/// A style by its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Headings.
    Head,
    /// What matters less.
    Faint,
    /// Good news: interest, acceptance, a condition that holds.
    Good,
    /// Bad news: refusal, a condition that fails.
    Bad,
    /// A trigger question.
    Question,
    /// Anything else worth seeing.
    Mark,
    /// Words that do not count.
    Unsaid,
}

fn style(role: Role) -> Style {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(Color::Ansi(colour)));
    match role {
        Role::Head => Style::new().bold(),
        Role::Faint => Style::new().dimmed(),
        Role::Good => colour(AnsiColor::Green).bold(),
        Role::Bad => colour(AnsiColor::Red).bold(),
        Role::Question => colour(AnsiColor::Cyan).bold(),
        Role::Mark => colour(AnsiColor::Yellow).bold(),
        Role::Unsaid => Style::new().dimmed().strikethrough(),
    }
}

/// The text in its role's colour; where colours are not wanted the stream takes them out again.
pub(super) fn paint(role: Role, text: &str) -> String {
    let style = style(role);
    format!("{style}{text}{style:#}")
}

/// The role of a label: the first third of a script's labels is good news, the last bad.
pub(super) fn label_role(place: usize, labels: usize) -> Role {
    match place * 3 / labels.max(1) {
        0 => Role::Good,
        1 => Role::Mark,
        _ => Role::Bad,
    }
}
