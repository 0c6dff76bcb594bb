//! The one place that reads the environment and files of settings.
//!
//! A server's settings are its command-line options. What the command line leaves open is taken from the environment, and
//! what that leaves open from one TOML file: [`settle`]. The file also has a table for each tenant: [`Tenants`].

mod file;
mod secrecy;
mod settle;
mod tenants;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

pub use file::SettingsFile;
pub use secrecy::without_passwords;
pub use settle::{InForce, Settled, Unsettled, settle};
pub use tenants::{Push, Tenant, Tenants, WebhookSecret};

/// The language people are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// 中文
    Zh,
    /// English
    En,
}

impl Lang {
    /// From `LC_ALL`, `LC_MESSAGES` or `LANG`, the first that is set; Chinese if it begins with `zh`, else English.
    #[must_use]
    pub fn from_environment() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
        if set.is_some_and(|value| value.to_ascii_lowercase().starts_with("zh")) { Self::Zh } else { Self::En }
    }

    /// The text of the language.
    #[must_use]
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }
}

/// What the names of our variables begin with.
const PREFIX: &str = "CALLGRADE_";

/// The variables of the environment that are ours, by name.
#[must_use]
pub fn environment() -> Vec<(String, OsString)> {
    let ours = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    ours.filter(|(name, _)| name.starts_with(PREFIX)).collect()
}

/// The variable that sets an option: `--foo-bar` is `CALLGRADE_FOO_BAR`.
#[must_use]
pub fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.replace('-', "_").to_ascii_uppercase())
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag(String),
    /// A variable of the environment.
    Environment(String),
    /// A line of a file, counted from 1.
    File(PathBuf, usize),
    /// Nobody set it.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(option) => write!(f, "--{option}"),
            Self::Environment(variable) => f.write_str(variable),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// What is wrong with settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigError {
    /// The file cannot be read.
    Unreadable(PathBuf, String),
    /// The file is no TOML, or what stands at a line of it is not what can stand there.
    Wrong(Origin, String),
    /// A setting's value is none of its values.
    Value {
        /// Where it comes from.
        origin: Origin,
        /// The setting.
        key: String,
        /// The value, unless it is a secret.
        value: Option<String>,
        /// Why it is none.
        reason: String,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, reason) => write!(f, "{}: {reason}", path.display()),
            Self::Wrong(origin, reason) => write!(f, "{origin}: {reason}"),
            Self::Value { origin: Origin::Environment(variable), value, reason, .. } => match value {
                Some(value) => write!(f, "{variable} is {value:?}: {reason}"),
                None => write!(f, "{variable}: {reason}"),
            },
            Self::Value { origin, key, value: Some(value), reason } => write!(f, "{origin}: {key} is {value:?}: {reason}"),
            Self::Value { origin, key, value: None, reason } => write!(f, "{origin}: {key}: {reason}"),
        }
    }
}

impl std::error::Error for ConfigError {}
