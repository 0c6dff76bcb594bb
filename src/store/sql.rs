//! The little of SQL that the store speaks: one text for every database, with `$1 … $n` for values.

use super::StoreError;

/// A value on its way in or out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// None.
    Null,
    /// A whole number.
    Int(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The number; 0 for none.
    #[must_use]
    pub fn int(self) -> i64 {
        if let Self::Int(value) = self { value } else { 0 }
    }

    /// The number, if there is one.
    #[must_use]
    pub fn optional_int(self) -> Option<i64> {
        if let Self::Int(value) = self { Some(value) } else { None }
    }

    /// The text; empty for none.
    #[must_use]
    pub fn text(self) -> &'a str {
        if let Self::Text(value) = self { value } else { "" }
    }

    /// The bytes; empty for none.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        if let Self::Bytes(value) = self { value } else { &[] }
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Int)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

/// A row of an answer.
pub trait Row {
    /// The value of a column, from 0.
    fn value(&self, column: usize) -> Value<'_>;
}

/// What many rows bring to one column.
#[derive(Debug)]
pub enum Column<'a> {
    /// Whole numbers.
    Int(Vec<i64>),
    /// Whole numbers, some missing.
    OptionalInt(Vec<Option<i64>>),
    /// Texts.
    Text(Vec<&'a str>),
    /// Bytes.
    Bytes(Vec<&'a [u8]>),
}

impl<'a> Column<'a> {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::OptionalInt(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Bytes(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A row's value.
    #[must_use]
    pub fn value(&self, row: usize) -> Value<'a> {
        match self {
            Self::Int(values) => values.get(row).map_or(Value::Null, |value| Value::Int(*value)),
            Self::OptionalInt(values) => values.get(row).copied().flatten().map_or(Value::Null, Value::Int),
            Self::Text(values) => values.get(row).map_or(Value::Null, |value| Value::Text(value)),
            Self::Bytes(values) => values.get(row).map_or(Value::Null, |value| Value::Bytes(value)),
        }
    }
}

/// Where many rows go at one time.
#[derive(Debug, Clone, Copy)]
pub struct Insert {
    /// The table.
    pub table: &'static str,
    /// Its columns, in the order in which they come.
    pub columns: &'static [&'static str],
    /// What happens to a row that is there already: `ON CONFLICT …`, or nothing, which makes it an error.
    pub conflict: &'static str,
}

/// A transaction, or a reading of one moment.
pub trait Sql {
    /// Runs a statement; how many rows it touched.
    ///
    /// # Errors
    /// The database refuses it or cannot be reached.
    fn run(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, StoreError>;

    /// Asks, and hands over row by row until `each` answers `false`.
    ///
    /// # Errors
    /// The database refuses it or cannot be reached, or `each` fails.
    fn query(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Row) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError>;

    /// Inserts many rows into several tables: of each what goes into it column by column, all of one length.
    ///
    /// # Errors
    /// The database refuses one of them or cannot be reached.
    fn insert(&mut self, tables: &[(Insert, Vec<Column<'_>>)]) -> Result<(), StoreError>;
}
