"""The events that a call is made of, as functions that make them.

``at_ms`` is milliseconds since dialing began; of an utterance, when its sound began. Names of enum values are those of the contract,
in any case and without their prefix: ``"customer"``, ``"no_answer"``.

>>> said("customer", "多少钱", at_ms=8400).utterance.text
'多少钱'
>>> hangup(by="customr", at_ms=9900)
Traceback (most recent call last):
ValueError: unknown Party 'customr'; there are customer, robot, network, agent
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from callgrade import v1

__all__ = [
    "answered",
    "answered_by",
    "call",
    "dtmf",
    "entered",
    "hangup",
    "invite",
    "keyword",
    "moment",
    "not_connected",
    "refused",
    "said",
    "silence",
    "transferred",
]


def _value(enum: Any, name: str | int | None) -> Any:
    """An enum's value by its short name; nothing is unspecified."""
    if name is None:
        return 0
    if isinstance(name, int):
        return name
    zero: str = enum.Name(0)
    prefix = zero.removesuffix("UNSPECIFIED")
    full = name.upper()
    full = full if full.startswith(prefix) else prefix + full
    names = list(enum.keys())
    if full not in names:
        there = ", ".join(key.removeprefix(prefix).lower() for key in names if key != zero)
        raise ValueError(f"unknown {enum.DESCRIPTOR.name} {name!r}; there are {there}")
    return enum.Value(full)


def answered(*, at_ms: int) -> v1.CallEvent:
    """Someone or something picked up."""
    return v1.CallEvent(at_ms=at_ms, answered=v1.Answered())


def not_connected(
    *,
    at_ms: int,
    result: str | int | None = None,
    announcement: str = "",
    number_state: int = 0,
    hangup_cause: str = "",
    q850_cause: int = 0,
    sip_code: int = 0,
) -> v1.CallEvent:
    """Dialing ended with nobody picking up; tell what you know of why.

    ``announcement`` is what the network's recorded voice said, ``hangup_cause`` FreeSWITCH's name, as ``USER_BUSY``.
    """
    end = v1.NotConnected(
        result=_value(v1.DialResult, result),
        announcement=announcement,
        number_state=number_state,
        hangup_cause=hangup_cause,
        q850_cause=q850_cause,
        sip_code=sip_code,
    )
    return v1.CallEvent(at_ms=at_ms, not_connected=end)


def answered_by(answerer: str | int, *, at_ms: int) -> v1.CallEvent:
    """Answering machine detection: human, switchboard, fax, voicemail or assistant."""
    return v1.CallEvent(at_ms=at_ms, answered_by=v1.AnsweredBy(answerer=_value(v1.Answerer, answerer)))


def said(
    speaker: str | int,
    text: str,
    *,
    at_ms: int,
    duration_ms: int = 0,
    node_id: str = "",
    played: float | None = None,
    utterance_id: str = "",
    interim: bool = False,
    confidence: float | None = None,
) -> v1.CallEvent:
    """One line of the robot, the customer or an agent.

    A later one of the same speaker and ``utterance_id`` replaces it. Of the robot: ``node_id`` is the node whose prompt it is,
    ``played`` the share of it that was played, 0 to 1. ``interim``: the recogniser's text is not final yet.
    """
    line = v1.Utterance(
        speaker=_value(v1.Speaker, speaker),
        text=text,
        duration_ms=duration_ms,
        node_id=node_id,
        played=played,
        utterance_id=utterance_id,
        interim=interim,
        confidence=confidence,
    )
    return v1.CallEvent(at_ms=at_ms, utterance=line)


def entered(node_id: str, *, at_ms: int) -> v1.CallEvent:
    """The robot went to a node."""
    return v1.CallEvent(at_ms=at_ms, node_entered=v1.NodeEntered(node_id=node_id))


def silence(duration_ms: int, *, at_ms: int) -> v1.CallEvent:
    """The customer gave no input for this long."""
    return v1.CallEvent(at_ms=at_ms, silence=v1.Silence(duration_ms=duration_ms))


def keyword(category: str, keyword: str = "", *, at_ms: int, utterance_id: str = "") -> v1.CallEvent:
    """The dialer heard a keyword of a lexicon category, or a trigger question."""
    heard = v1.KeywordTriggered(category=category, keyword=keyword, utterance_id=utterance_id)
    return v1.CallEvent(at_ms=at_ms, keyword_triggered=heard)


def refused(*, at_ms: int, utterance_id: str = "") -> v1.CallEvent:
    """The dialer heard a refusal."""
    return v1.CallEvent(at_ms=at_ms, refused=v1.Refused(utterance_id=utterance_id))


def invite(outcome: str | int, *, at_ms: int) -> v1.CallEvent:
    """How the invite ended, accepted or declined: overrides what the words say."""
    return v1.CallEvent(at_ms=at_ms, invite_outcome=v1.InviteOutcome(outcome=_value(v1.Outcome, outcome)))


def hangup(*, by: str | int | None = None, at_ms: int, hangup_cause: str = "", q850_cause: int = 0, sip_code: int = 0) -> v1.CallEvent:
    """The call is over; by the customer, the robot, the network or an agent."""
    end = v1.Hangup(by=_value(v1.Party, by), hangup_cause=hangup_cause, q850_cause=q850_cause, sip_code=sip_code)
    return v1.CallEvent(at_ms=at_ms, hangup=end)


def dtmf(digits: str, *, at_ms: int) -> v1.CallEvent:
    """Keys pressed."""
    return v1.CallEvent(at_ms=at_ms, dtmf=v1.Dtmf(digits=digits))


def transferred(to: str = "", *, at_ms: int) -> v1.CallEvent:
    """The call was handed to a human agent."""
    return v1.CallEvent(at_ms=at_ms, transferred=v1.Transferred(to=to))


def moment(at: datetime | None) -> Timestamp | None:
    """A time of day with its zone, as the wire has it.

    Raises:
        ValueError: it has no zone, so nobody knows when it is.
    """
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp


def call(
    call_id: str,
    script_id: str,
    events: Iterable[v1.CallEvent],
    *,
    started_at: datetime | None = None,
    time_zone: str = "",
    attributes: Mapping[str, str] | None = None,
) -> v1.Call:
    """A whole call, as :meth:`callgrade.Client.grade` takes it."""
    return v1.Call(
        call_id=call_id,
        script_id=script_id,
        events=events,
        started_at=moment(started_at),
        time_zone=time_zone,
        attributes=attributes,
    )
