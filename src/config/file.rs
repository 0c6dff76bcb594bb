//! The file of settings: TOML whose top level holds settings by their options' names, and a table for each tenant.

use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, Origin, Tenants};

/// Settings as a file has them.
#[derive(Debug, Clone, Default)]
pub struct SettingsFile {
    /// Where it was read.
    pub path: PathBuf,
    /// What each tenant may do and wants.
    pub tenants: Tenants,
    pub(super) settings: Vec<FileSetting>,
}

/// One setting of a file.
#[derive(Debug, Clone)]
pub(super) struct FileSetting {
    pub(super) key: String,
    pub(super) values: Vec<String>,
    pub(super) origin: Origin,
}

impl SettingsFile {
    /// Reads a file. Whether its settings are some that there are, [`super::settle`] asks.
    ///
    /// # Errors
    /// It cannot be read, is no TOML, or has a table that is none of a tenant.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error.to_string()))?;
        Self::parse(path, &text)
    }

    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let place = |span: Range<usize>| Origin::File(path.to_owned(), line_at(text, span.start));
        let document = DeTable::parse(text)
            .map_err(|error| ConfigError::Wrong(place(error.span().unwrap_or_default()), error.message().to_owned()))?;
        let mut file = Self { path: path.to_owned(), ..Self::default() };
        for (key, value) in document.into_inner() {
            let origin = place(key.span());
            let key = key.into_inner().into_owned();
            if key == "tenants" {
                file.tenants = Tenants::read(value, &place)?;
                continue;
            }
            let values =
                values(&value).map_err(|kind| ConfigError::Wrong(origin.clone(), format!("{key} is {kind}, which no setting is")))?;
            file.settings.push(FileSetting { key, values, origin });
        }
        Ok(file)
    }
}

/// A value as the command line would have it; several for a list.
fn values(value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, &'static str> {
    let single = |value: &DeValue<'_>| match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
        DeValue::Integer(_) => Err("a number that is not decimal"),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Boolean(whether) => Ok(whether.to_string()),
        DeValue::Datetime(_) => Err("a date"),
        DeValue::Array(_) => Err("a list of lists"),
        DeValue::Table(_) => Err("a table"),
    };
    match value.get_ref() {
        DeValue::Array(items) => items.iter().map(|item| single(item.get_ref())).collect(),
        one => single(one).map(|value| vec![value]),
    }
}

/// The line of an offset into a text, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}
