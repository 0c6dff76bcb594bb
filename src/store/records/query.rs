//! Questions with as many conditions as were given.

use crate::store::sql::Value;

/// A question that is put together condition by condition.
pub(super) struct Query<'a> {
    pub(super) text: String,
    pub(super) values: Vec<Value<'a>>,
}

impl<'a> Query<'a> {
    /// One condition more, a `?` for each of its values.
    pub(super) fn also(&mut self, condition: &str, values: &[Value<'a>]) {
        let mut condition = condition.to_owned();
        for value in values {
            self.values.push(*value);
            condition = condition.replacen('?', &format!("${}", self.values.len()), 1);
        }
        self.text.push_str(" AND ");
        self.text.push_str(&condition);
    }
}
