//! A batch's columns as the types that calls are read from, whichever of the kindred Arrow types a writer chose.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, Int64Array, ListArray, MapArray, StringArray, StructArray};
use arrow_array::{Float64Array, UInt64Array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{DataType, TimeUnit};
use pbjson_types::Timestamp;

use super::SchemaError;

/// Casts that fail say so rather than give nulls.
const STRICT: CastOptions<'_> =
    CastOptions { safe: false, format_options: arrow_cast::display::FormatOptions::new().with_display_error(true) };

fn cast(column: &ArrayRef, name: &str, to: &DataType) -> Result<ArrayRef, SchemaError> {
    cast_with_options(column, to, &STRICT).map_err(|error| SchemaError::Column(name.to_owned(), error.to_string()))
}

fn wrong(name: &str, found: &DataType, wanted: &'static str) -> SchemaError {
    SchemaError::Type { column: name.to_owned(), found: found.to_string(), wanted }
}

/// What lies behind a dictionary.
fn plain(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Dictionary(_, values) => values,
        data_type => data_type,
    }
}

/// A column of text.
#[derive(Debug)]
pub(super) enum Texts {
    Utf8(StringArray),
    /// Bytes that may or may not be UTF-8.
    Bytes(BinaryArray),
}

impl Texts {
    pub(super) fn of(column: &ArrayRef, name: &str) -> Result<Option<Self>, SchemaError> {
        Ok(Some(match plain(column.data_type()) {
            DataType::Null => return Ok(None),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Self::Utf8(cast(column, name, &DataType::Utf8)?.as_string::<i32>().clone())
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                Self::Bytes(cast(column, name, &DataType::Binary)?.as_binary::<i32>().clone())
            }
            other => return Err(wrong(name, other, "text")),
        }))
    }

    /// The text of a row; `None` where it is null.
    pub(super) fn get(&self, row: usize) -> Result<Option<&str>, String> {
        match self {
            Self::Utf8(texts) => Ok(texts.is_valid(row).then(|| texts.value(row))),
            Self::Bytes(bytes) if bytes.is_null(row) => Ok(None),
            Self::Bytes(bytes) => match simdutf8::basic::from_utf8(bytes.value(row)) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err("text that is not UTF-8".to_owned()),
            },
        }
    }
}

/// A column of numbers: whole ones, and those that a data frame has made floating because some were missing.
#[derive(Debug)]
pub(super) enum Numbers {
    Whole(Int64Array),
    Unsigned(UInt64Array),
    Real(Float64Array),
}

impl Numbers {
    pub(super) fn of(column: &ArrayRef, name: &str) -> Result<Option<Self>, SchemaError> {
        Ok(Some(match plain(column.data_type()) {
            DataType::Null => return Ok(None),
            DataType::UInt64 => Self::Unsigned(cast(column, name, &DataType::UInt64)?.as_primitive::<UInt64Type>().clone()),
            other if other.is_integer() => Self::Whole(cast(column, name, &DataType::Int64)?.as_primitive::<Int64Type>().clone()),
            other if other.is_numeric() => Self::Real(cast(column, name, &DataType::Float64)?.as_primitive::<Float64Type>().clone()),
            other => return Err(wrong(name, other, "whole numbers")),
        }))
    }

    /// The number of a row, 0 where it is null.
    pub(super) fn get(&self, row: usize, name: &str) -> Result<u32, String> {
        let told = match self {
            Self::Whole(numbers) if numbers.is_valid(row) => {
                let number = numbers.value(row);
                match u32::try_from(number) {
                    Ok(number) => return Ok(number),
                    Err(_) => number.to_string(),
                }
            }
            Self::Unsigned(numbers) if numbers.is_valid(row) => {
                let number = numbers.value(row);
                match u32::try_from(number) {
                    Ok(number) => return Ok(number),
                    Err(_) => number.to_string(),
                }
            }
            Self::Real(numbers) if numbers.is_valid(row) => {
                let number = numbers.value(row);
                if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number) {
                    return Ok(number as u32);
                }
                number.to_string()
            }
            _ => return Ok(0),
        };
        Err(format!("{name} is {told}, not a whole number from 0 to 4294967295"))
    }
}

/// A column of shares and the like.
pub(super) fn reals(column: &ArrayRef, name: &str) -> Result<Option<Float64Array>, SchemaError> {
    match plain(column.data_type()) {
        DataType::Null => Ok(None),
        other if other.is_numeric() => Ok(Some(cast(column, name, &DataType::Float64)?.as_primitive::<Float64Type>().clone())),
        other => Err(wrong(name, other, "numbers")),
    }
}

/// A column of truth values.
pub(super) fn flags(column: &ArrayRef, name: &str) -> Result<Option<BooleanArray>, SchemaError> {
    match plain(column.data_type()) {
        DataType::Null => Ok(None),
        DataType::Boolean => Ok(Some(cast(column, name, &DataType::Boolean)?.as_boolean().clone())),
        other => Err(wrong(name, other, "true or false")),
    }
}

/// A column of moments. Those without a time zone are taken as UTC.
#[derive(Debug)]
pub(super) enum Moments {
    /// In units of a fraction of a second: so many a second.
    Counted(Int64Array, i64),
    /// RFC 3339.
    Written(StringArray),
}

impl Moments {
    pub(super) fn of(column: &ArrayRef, name: &str) -> Result<Option<Self>, SchemaError> {
        Ok(Some(match plain(column.data_type()) {
            DataType::Null => return Ok(None),
            DataType::Timestamp(unit, _) => {
                let a_second = match unit {
                    TimeUnit::Second => 1,
                    TimeUnit::Millisecond => 1_000,
                    TimeUnit::Microsecond => 1_000_000,
                    TimeUnit::Nanosecond => 1_000_000_000,
                };
                // The number itself: with its unit it says the moment in UTC, whatever zone it is to be shown in.
                let counted = cast(column, name, &DataType::Timestamp(*unit, None))?.to_data();
                let counted = counted.into_builder().data_type(DataType::Int64).build();
                Self::Counted(Int64Array::from(counted.map_err(|error| SchemaError::Column(name.to_owned(), error.to_string()))?), a_second)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Self::Written(cast(column, name, &DataType::Utf8)?.as_string::<i32>().clone())
            }
            other => return Err(wrong(name, other, "timestamps")),
        }))
    }

    pub(super) fn get(&self, row: usize) -> Result<Option<Timestamp>, String> {
        match self {
            Self::Counted(counted, a_second) if counted.is_valid(row) => {
                let count = counted.value(row);
                let nanos = count.rem_euclid(*a_second) * (1_000_000_000 / a_second);
                Ok(Some(Timestamp { seconds: count.div_euclid(*a_second), nanos: nanos as i32 }))
            }
            Self::Written(texts) if texts.is_valid(row) => {
                let text = texts.value(row);
                let quoted = serde_json::Value::String(text.to_owned());
                serde_json::from_value(quoted).map(Some).map_err(|_| format!("{text:?} is no RFC 3339 moment"))
            }
            _ => Ok(None),
        }
    }
}

/// A column of pairs of texts: a map, or, from writers that have none, a list of structs of key and value.
#[derive(Debug)]
pub(super) struct Pairs {
    lists: ListArray,
    keys: Texts,
    values: Option<Texts>,
}

impl Pairs {
    pub(super) fn of(column: &ArrayRef, name: &str) -> Result<Option<Self>, SchemaError> {
        const WANTED: &str = "a map of text to text";
        let lists = match column.data_type() {
            DataType::Null => return Ok(None),
            DataType::Map(_, _) => ListArray::from(MapArray::clone(column.as_map())),
            DataType::List(_) | DataType::LargeList(_) => lists(column, name)?,
            other => return Err(wrong(name, other, WANTED)),
        };
        let Some(entries) = lists.values().as_struct_opt().filter(|entries| entries.num_columns() == 2) else {
            return Err(wrong(name, column.data_type(), WANTED));
        };
        let (Some(keys), values) = (Texts::of(entries.column(0), name)?, Texts::of(entries.column(1), name)?) else { return Ok(None) };
        Ok(Some(Self { keys, values, lists }))
    }

    pub(super) fn get(&self, row: usize) -> Result<std::collections::BTreeMap<String, String>, String> {
        if self.lists.is_null(row) {
            return Ok(Default::default());
        }
        let mut pairs = std::collections::BTreeMap::new();
        for at in places(&self.lists, row) {
            let Some(key) = self.keys.get(at)? else { continue };
            let value = self.values.as_ref().map_or(Ok(None), |values| values.get(at))?;
            pairs.insert(key.to_owned(), value.unwrap_or_default().to_owned());
        }
        Ok(pairs)
    }
}

/// A column of lists.
pub(super) fn lists(column: &ArrayRef, name: &str) -> Result<ListArray, SchemaError> {
    match column.data_type() {
        DataType::List(_) => Ok(column.as_list::<i32>().clone()),
        DataType::LargeList(item) => Ok(cast(column, name, &DataType::List(item.clone()))?.as_list::<i32>().clone()),
        other => Err(wrong(name, other, "a list of structs")),
    }
}

/// A column of lists of structs, and the structs.
pub(super) fn structs(column: &ArrayRef, name: &str) -> Result<(ListArray, StructArray), SchemaError> {
    let lists = lists(column, name)?;
    let Some(structs) = lists.values().as_struct_opt().cloned() else { return Err(wrong(name, column.data_type(), "a list of structs")) };
    Ok((lists, structs))
}

/// Where the items of a row's list stand among all items.
pub(super) fn places(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = lists.value_offsets();
    match (offsets.get(row), offsets.get(row + 1)) {
        (Some(&from), Some(&to)) if lists.is_valid(row) => from as usize..to as usize,
        _ => 0..0,
    }
}
