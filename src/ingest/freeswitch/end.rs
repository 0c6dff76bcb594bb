//! How a leg ended, and who ended it.
//!
//! `sip_hangup_disposition` is told from FreeSWITCH's end of the leg: `recv_bye` says that the far side hung up, `send_bye` that
//! FreeSWITCH did. Who these are depends on the leg:
//!
//! | leg | far side | this side |
//! | --- | --- | --- |
//! | out, to the customer | customer | robot; a human agent if the call was transferred to one, or if the leg itself bridged to another (`last_bridge_role` originator) |
//! | in, bridged onwards: the robot came in over SIP and FreeSWITCH called the customer for it | robot | customer |
//! | in, otherwise: the customer called | customer | robot |
//!
//! A leg that ends for want of media, of an answer on the network, or because FreeSWITCH stops was hung up by the network, whoever
//! sent the BYE.

use freeswitch_types::HangupCause;

use super::Variables;
use crate::core::event::{DialReport, EventKind, Hangup, Party};

/// The event that ends the call.
pub(super) fn of(variables: &Variables, answered: bool, transferred: bool) -> EventKind {
    let report = report(variables);
    if !answered {
        return EventKind::NotConnected(Box::new(report));
    }
    EventKind::Hangup(Box::new(Hangup { by: party(variables, transferred), report }))
}

fn report(variables: &Variables) -> DialReport {
    let sip = ["sip_term_status", "sip_invite_failure_status"].iter().find_map(|name| variables.number(name));
    let specific = || variables.get("proto_specific_hangup_cause")?.strip_prefix("sip:")?.parse().ok();
    DialReport {
        sip_code: sip.or_else(specific).unwrap_or_default(),
        q850_cause: variables.number("hangup_cause_q850").unwrap_or_default(),
        hangup_cause: variables.get("hangup_cause").unwrap_or_default().into(),
        ..DialReport::default()
    }
}

fn party(variables: &Variables, transferred: bool) -> Option<Party> {
    use HangupCause as Cause;
    let cause: Option<HangupCause> = variables.get("hangup_cause").and_then(|cause| cause.parse().ok());
    if matches!(
        cause,
        Some(
            Cause::MediaTimeout
                | Cause::RecoveryOnTimerExpire
                | Cause::NetworkOutOfOrder
                | Cause::DestinationOutOfOrder
                | Cause::NormalTemporaryFailure
                | Cause::GatewayDown
                | Cause::SystemShutdown
                | Cause::Crash
                | Cause::SrtpReadError
        )
    ) {
        return Some(Party::Network);
    }
    let inbound = variables.get("direction") == Some("inbound");
    let bridged_on = variables.get("last_bridge_role") == Some("originator");
    let (far, near) = match (inbound, bridged_on) {
        (true, true) => (Party::Robot, Party::Customer),
        (false, true) => (Party::Customer, Party::Agent),
        (_, false) if transferred => (Party::Customer, Party::Agent),
        (_, false) => (Party::Customer, Party::Robot),
    };
    match variables.get("sip_hangup_disposition")? {
        "recv_bye" => Some(far),
        "send_bye" => Some(near),
        _ => None,
    }
}
