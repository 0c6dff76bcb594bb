//! What is wrong with a bundle, where, and how to put it right.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The bundle cannot be used.
    Error,
    /// It can, but probably does not do what was meant.
    Warning,
}

/// One finding in one file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name, such as `unknown-signal`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The file, as its path in the bundle with the script's id before it: `telemarketing/script.yaml`.
    pub file: String,
    /// The bytes of the file it is about; empty at the start: the file as a whole.
    pub span: Range<usize>,
    /// What to do.
    pub help: Option<String>,
    /// The file's text, for the snippet.
    pub text: String,
}

impl Diagnostic {
    /// Line and column, both from 1, the column in characters.
    #[must_use]
    pub fn position(&self) -> (usize, usize) {
        let before = self.text.get(..self.span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (line, column)
    }

    /// For a terminal: `file:line:column`, the line, a caret under the place; with colour if asked.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let end = self.span.end.min(self.text.len()).max(self.span.start.min(self.text.len()));
        let span = self.span.start.min(end)..end;
        let mut group = Group::with_title(level.primary_title(self.message.as_str()).id(self.code))
            .element(Snippet::source(self.text.as_str()).path(self.file.as_str()).annotation(AnnotationKind::Primary.span(span)));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.decor_style(DecorStyle::Ascii).render(&[group]).to_string()
    }
}

/// One line: `telemarketing/script.yaml:12:5: error[unknown-signal]: …`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position();
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}:{line}:{column}: {severity}[{}]: {}", self.file, self.code, self.message)
    }
}

/// A bundle that cannot be used: everything wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// The findings, at least one of them an error.
    pub diagnostics: Vec<Diagnostic>,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.diagnostics.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            f.write_str(&diagnostic.render(false))?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadError {}
