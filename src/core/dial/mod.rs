//! Why nobody could be talked to: the dial result, from whichever of its terms the dialer reports.
//!
//! Everything that is known about codes and recordings stands in one table, [`TABLE`], each row with its source.

mod announcement;
mod table;
#[cfg(test)]
mod tests;

use freeswitch_types::HangupCause;

use super::event::{DialReport, DialResult};

pub(crate) use announcement::recorded;
pub use announcement::{announcement, carrier_announcement};
pub use table::{Key, Rank, Row, TABLE};

/// A dial result and what it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Why nobody could be talked to.
    pub result: DialResult,
    /// The field of the report that decided.
    pub by: Field,
}

/// A field of [`DialReport`] that can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// What the network's recorded voice said.
    Announcement,
    /// The number state of an early-media detector.
    NumberState,
    /// The dialer's own conclusion.
    Result,
    /// FreeSWITCH's name of the cause.
    HangupCause,
    /// The ITU-T Q.850 cause.
    Q850Cause,
    /// The final SIP response.
    SipCode,
    /// None of them decided.
    Nothing,
}

impl Field {
    /// The field's name in the wire schema, `nothing` for [`Field::Nothing`].
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Announcement => "announcement",
            Self::NumberState => "number_state",
            Self::Result => "result",
            Self::HangupCause => "hangup_cause",
            Self::Q850Cause => "q850_cause",
            Self::SipCode => "sip_code",
            Self::Nothing => "nothing",
        }
    }
}

/// The dial result of a report: the first field that decides, else [`DialResult::Failed`] by [`Field::Nothing`].
///
/// A recording comes first because carriers answer 关机, 停机 and 空号 with the same codes.
#[must_use]
pub fn dial_result(report: &DialReport) -> Decision {
    let fields: [(Field, &dyn Fn() -> Option<DialResult>); 6] = [
        (Field::Announcement, &|| announcement(&report.announcement)),
        (Field::NumberState, &|| number_state(report.number_state)),
        (Field::Result, &|| report.result),
        (Field::HangupCause, &|| hangup_cause(&report.hangup_cause)),
        (Field::Q850Cause, &|| q850(report.q850_cause)),
        (Field::SipCode, &|| sip(report.sip_code)),
    ];
    let decided = fields.into_iter().find_map(|(by, decide)| decide().map(|result| Decision { result, by }));
    decided.unwrap_or(Decision { result: DialResult::Failed, by: Field::Nothing })
}

/// What a number state 2–20 of da2 means; others decide nothing.
#[must_use]
pub fn number_state(state: u32) -> Option<DialResult> {
    find(|key| matches!(key, Key::NumberState(number, _) if *number == state))
}

/// What an ITU-T Q.850 cause means; those that tell nothing of the line (16, 31, 127 …) decide nothing.
#[must_use]
pub fn q850(cause: u32) -> Option<DialResult> {
    find(|key| matches!(key, Key::Q850(number) if *number == cause))
}

/// What a final SIP response means.
#[must_use]
pub fn sip(code: u32) -> Option<DialResult> {
    find(|key| matches!(key, Key::Sip(from, to) if (*from..=*to).contains(&code)))
}

/// What a FreeSWITCH cause means, by its name in any case (`USER_BUSY`, `user busy`) or its number (`17`).
#[must_use]
pub fn hangup_cause(name: &str) -> Option<DialResult> {
    let name = name.trim();
    let cause = match name.parse::<u16>() {
        Ok(number) => HangupCause::from_number(number)?,
        Err(_) => name.to_ascii_uppercase().replace([' ', '-'], "_").parse().ok()?,
    };
    find(|key| matches!(key, Key::Names(causes) if causes.contains(&cause)))
}

fn find(wanted: impl Fn(&Key) -> bool) -> Option<DialResult> {
    TABLE.iter().find(|row| wanted(&row.key)).map(|row| row.result)
}
