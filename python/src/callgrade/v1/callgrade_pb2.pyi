import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DialResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIAL_RESULT_UNSPECIFIED: _ClassVar[DialResult]
    DIAL_RESULT_BUSY: _ClassVar[DialResult]
    DIAL_RESULT_NO_ANSWER: _ClassVar[DialResult]
    DIAL_RESULT_UNREACHABLE: _ClassVar[DialResult]
    DIAL_RESULT_POWERED_OFF: _ClassVar[DialResult]
    DIAL_RESULT_SUSPENDED: _ClassVar[DialResult]
    DIAL_RESULT_INVALID_NUMBER: _ClassVar[DialResult]
    DIAL_RESULT_REJECTED: _ClassVar[DialResult]
    DIAL_RESULT_FAILED: _ClassVar[DialResult]

class Answerer(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ANSWERER_UNSPECIFIED: _ClassVar[Answerer]
    ANSWERER_HUMAN: _ClassVar[Answerer]
    ANSWERER_SWITCHBOARD: _ClassVar[Answerer]
    ANSWERER_FAX: _ClassVar[Answerer]
    ANSWERER_VOICEMAIL: _ClassVar[Answerer]
    ANSWERER_ASSISTANT: _ClassVar[Answerer]

class Speaker(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPEAKER_UNSPECIFIED: _ClassVar[Speaker]
    SPEAKER_ROBOT: _ClassVar[Speaker]
    SPEAKER_CUSTOMER: _ClassVar[Speaker]
    SPEAKER_AGENT: _ClassVar[Speaker]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ACCEPTED: _ClassVar[Outcome]
    OUTCOME_DECLINED: _ClassVar[Outcome]

class Party(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PARTY_UNSPECIFIED: _ClassVar[Party]
    PARTY_CUSTOMER: _ClassVar[Party]
    PARTY_ROBOT: _ClassVar[Party]
    PARTY_NETWORK: _ClassVar[Party]
    PARTY_AGENT: _ClassVar[Party]

class Match(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MATCH_UNSPECIFIED: _ClassVar[Match]
    MATCH_EXACT: _ClassVar[Match]
    MATCH_NORMALISED: _ClassVar[Match]
    MATCH_PINYIN: _ClassVar[Match]
    MATCH_PATTERN: _ClassVar[Match]
    MATCH_LEARNED: _ClassVar[Match]
    MATCH_CONTEXT: _ClassVar[Match]
    MATCH_REPORTED: _ClassVar[Match]
DIAL_RESULT_UNSPECIFIED: DialResult
DIAL_RESULT_BUSY: DialResult
DIAL_RESULT_NO_ANSWER: DialResult
DIAL_RESULT_UNREACHABLE: DialResult
DIAL_RESULT_POWERED_OFF: DialResult
DIAL_RESULT_SUSPENDED: DialResult
DIAL_RESULT_INVALID_NUMBER: DialResult
DIAL_RESULT_REJECTED: DialResult
DIAL_RESULT_FAILED: DialResult
ANSWERER_UNSPECIFIED: Answerer
ANSWERER_HUMAN: Answerer
ANSWERER_SWITCHBOARD: Answerer
ANSWERER_FAX: Answerer
ANSWERER_VOICEMAIL: Answerer
ANSWERER_ASSISTANT: Answerer
SPEAKER_UNSPECIFIED: Speaker
SPEAKER_ROBOT: Speaker
SPEAKER_CUSTOMER: Speaker
SPEAKER_AGENT: Speaker
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ACCEPTED: Outcome
OUTCOME_DECLINED: Outcome
PARTY_UNSPECIFIED: Party
PARTY_CUSTOMER: Party
PARTY_ROBOT: Party
PARTY_NETWORK: Party
PARTY_AGENT: Party
MATCH_UNSPECIFIED: Match
MATCH_EXACT: Match
MATCH_NORMALISED: Match
MATCH_PINYIN: Match
MATCH_PATTERN: Match
MATCH_LEARNED: Match
MATCH_CONTEXT: Match
MATCH_REPORTED: Match

class Call(_message.Message):
    __slots__ = ("call_id", "script_id", "started_at", "time_zone", "attributes", "events")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    script_id: str
    started_at: _timestamp_pb2.Timestamp
    time_zone: str
    attributes: _containers.ScalarMap[str, str]
    events: _containers.RepeatedCompositeFieldContainer[CallEvent]
    def __init__(self, call_id: _Optional[str] = ..., script_id: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ..., events: _Optional[_Iterable[_Union[CallEvent, _Mapping]]] = ...) -> None: ...

class CallEvent(_message.Message):
    __slots__ = ("at_ms", "answered", "not_connected", "answered_by", "utterance", "node_entered", "silence", "keyword_triggered", "refused", "invite_outcome", "hangup", "dtmf", "transferred")
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    NOT_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_FIELD_NUMBER: _ClassVar[int]
    NODE_ENTERED_FIELD_NUMBER: _ClassVar[int]
    SILENCE_FIELD_NUMBER: _ClassVar[int]
    KEYWORD_TRIGGERED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    INVITE_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    HANGUP_FIELD_NUMBER: _ClassVar[int]
    DTMF_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_FIELD_NUMBER: _ClassVar[int]
    at_ms: int
    answered: Answered
    not_connected: NotConnected
    answered_by: AnsweredBy
    utterance: Utterance
    node_entered: NodeEntered
    silence: Silence
    keyword_triggered: KeywordTriggered
    refused: Refused
    invite_outcome: InviteOutcome
    hangup: Hangup
    dtmf: Dtmf
    transferred: Transferred
    def __init__(self, at_ms: _Optional[int] = ..., answered: _Optional[_Union[Answered, _Mapping]] = ..., not_connected: _Optional[_Union[NotConnected, _Mapping]] = ..., answered_by: _Optional[_Union[AnsweredBy, _Mapping]] = ..., utterance: _Optional[_Union[Utterance, _Mapping]] = ..., node_entered: _Optional[_Union[NodeEntered, _Mapping]] = ..., silence: _Optional[_Union[Silence, _Mapping]] = ..., keyword_triggered: _Optional[_Union[KeywordTriggered, _Mapping]] = ..., refused: _Optional[_Union[Refused, _Mapping]] = ..., invite_outcome: _Optional[_Union[InviteOutcome, _Mapping]] = ..., hangup: _Optional[_Union[Hangup, _Mapping]] = ..., dtmf: _Optional[_Union[Dtmf, _Mapping]] = ..., transferred: _Optional[_Union[Transferred, _Mapping]] = ...) -> None: ...

class Answered(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NotConnected(_message.Message):
    __slots__ = ("result", "sip_code", "q850_cause", "hangup_cause", "announcement", "number_state")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SIP_CODE_FIELD_NUMBER: _ClassVar[int]
    Q850_CAUSE_FIELD_NUMBER: _ClassVar[int]
    HANGUP_CAUSE_FIELD_NUMBER: _ClassVar[int]
    ANNOUNCEMENT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_STATE_FIELD_NUMBER: _ClassVar[int]
    result: DialResult
    sip_code: int
    q850_cause: int
    hangup_cause: str
    announcement: str
    number_state: int
    def __init__(self, result: _Optional[_Union[DialResult, str]] = ..., sip_code: _Optional[int] = ..., q850_cause: _Optional[int] = ..., hangup_cause: _Optional[str] = ..., announcement: _Optional[str] = ..., number_state: _Optional[int] = ...) -> None: ...

class AnsweredBy(_message.Message):
    __slots__ = ("answerer",)
    ANSWERER_FIELD_NUMBER: _ClassVar[int]
    answerer: Answerer
    def __init__(self, answerer: _Optional[_Union[Answerer, str]] = ...) -> None: ...

class Utterance(_message.Message):
    __slots__ = ("speaker", "text", "duration_ms", "node_id", "played", "utterance_id", "interim", "confidence")
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    PLAYED_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    INTERIM_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    speaker: Speaker
    text: str
    duration_ms: int
    node_id: str
    played: float
    utterance_id: str
    interim: bool
    confidence: float
    def __init__(self, speaker: _Optional[_Union[Speaker, str]] = ..., text: _Optional[str] = ..., duration_ms: _Optional[int] = ..., node_id: _Optional[str] = ..., played: _Optional[float] = ..., utterance_id: _Optional[str] = ..., interim: _Optional[bool] = ..., confidence: _Optional[float] = ...) -> None: ...

class NodeEntered(_message.Message):
    __slots__ = ("node_id",)
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    def __init__(self, node_id: _Optional[str] = ...) -> None: ...

class Silence(_message.Message):
    __slots__ = ("duration_ms",)
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    duration_ms: int
    def __init__(self, duration_ms: _Optional[int] = ...) -> None: ...

class KeywordTriggered(_message.Message):
    __slots__ = ("category", "keyword", "utterance_id")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    KEYWORD_FIELD_NUMBER: _ClassVar[int]
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    category: str
    keyword: str
    utterance_id: str
    def __init__(self, category: _Optional[str] = ..., keyword: _Optional[str] = ..., utterance_id: _Optional[str] = ...) -> None: ...

class Refused(_message.Message):
    __slots__ = ("utterance_id",)
    UTTERANCE_ID_FIELD_NUMBER: _ClassVar[int]
    utterance_id: str
    def __init__(self, utterance_id: _Optional[str] = ...) -> None: ...

class InviteOutcome(_message.Message):
    __slots__ = ("outcome",)
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ...) -> None: ...

class Hangup(_message.Message):
    __slots__ = ("by", "q850_cause", "sip_code", "hangup_cause")
    BY_FIELD_NUMBER: _ClassVar[int]
    Q850_CAUSE_FIELD_NUMBER: _ClassVar[int]
    SIP_CODE_FIELD_NUMBER: _ClassVar[int]
    HANGUP_CAUSE_FIELD_NUMBER: _ClassVar[int]
    by: Party
    q850_cause: int
    sip_code: int
    hangup_cause: str
    def __init__(self, by: _Optional[_Union[Party, str]] = ..., q850_cause: _Optional[int] = ..., sip_code: _Optional[int] = ..., hangup_cause: _Optional[str] = ...) -> None: ...

class Dtmf(_message.Message):
    __slots__ = ("digits",)
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    digits: str
    def __init__(self, digits: _Optional[str] = ...) -> None: ...

class Transferred(_message.Message):
    __slots__ = ("to",)
    TO_FIELD_NUMBER: _ClassVar[int]
    to: str
    def __init__(self, to: _Optional[str] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("call_id", "script_id", "script_version", "label", "rule_id", "reason", "signals", "evidence", "nodes", "also_matched", "fallback", "final", "revision", "follow_up", "do_not_call", "callback", "ended_by", "notices", "model_hash")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    ALSO_MATCHED_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_UP_FIELD_NUMBER: _ClassVar[int]
    DO_NOT_CALL_FIELD_NUMBER: _ClassVar[int]
    CALLBACK_FIELD_NUMBER: _ClassVar[int]
    ENDED_BY_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    MODEL_HASH_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    script_id: str
    script_version: str
    label: str
    rule_id: str
    reason: str
    signals: Signals
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    nodes: _containers.RepeatedCompositeFieldContainer[NodeProgress]
    also_matched: _containers.RepeatedScalarFieldContainer[str]
    fallback: bool
    final: bool
    revision: int
    follow_up: FollowUp
    do_not_call: bool
    callback: Callback
    ended_by: str
    notices: _containers.RepeatedScalarFieldContainer[str]
    model_hash: str
    def __init__(self, call_id: _Optional[str] = ..., script_id: _Optional[str] = ..., script_version: _Optional[str] = ..., label: _Optional[str] = ..., rule_id: _Optional[str] = ..., reason: _Optional[str] = ..., signals: _Optional[_Union[Signals, _Mapping]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., nodes: _Optional[_Iterable[_Union[NodeProgress, _Mapping]]] = ..., also_matched: _Optional[_Iterable[str]] = ..., fallback: _Optional[bool] = ..., final: _Optional[bool] = ..., revision: _Optional[int] = ..., follow_up: _Optional[_Union[FollowUp, _Mapping]] = ..., do_not_call: _Optional[bool] = ..., callback: _Optional[_Union[Callback, _Mapping]] = ..., ended_by: _Optional[str] = ..., notices: _Optional[_Iterable[str]] = ..., model_hash: _Optional[str] = ...) -> None: ...

class Signals(_message.Message):
    __slots__ = ("connected", "ended", "dial_result", "answered_by", "machine", "talk_s", "customer_turns", "content_turns", "robot_turns", "silent", "questions", "asked", "refusals", "refusal_streak", "last_refused", "hits", "invite", "completion", "reached", "last_node", "hung_up_by", "no_input", "transferred")
    class HitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    DIAL_RESULT_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_BY_FIELD_NUMBER: _ClassVar[int]
    MACHINE_FIELD_NUMBER: _ClassVar[int]
    TALK_S_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_TURNS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TURNS_FIELD_NUMBER: _ClassVar[int]
    ROBOT_TURNS_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_STREAK_FIELD_NUMBER: _ClassVar[int]
    LAST_REFUSED_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    INVITE_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_FIELD_NUMBER: _ClassVar[int]
    REACHED_FIELD_NUMBER: _ClassVar[int]
    LAST_NODE_FIELD_NUMBER: _ClassVar[int]
    HUNG_UP_BY_FIELD_NUMBER: _ClassVar[int]
    NO_INPUT_FIELD_NUMBER: _ClassVar[int]
    TRANSFERRED_FIELD_NUMBER: _ClassVar[int]
    connected: bool
    ended: bool
    dial_result: str
    answered_by: str
    machine: bool
    talk_s: float
    customer_turns: int
    content_turns: int
    robot_turns: int
    silent: bool
    questions: int
    asked: _containers.RepeatedScalarFieldContainer[str]
    refusals: int
    refusal_streak: int
    last_refused: bool
    hits: _containers.ScalarMap[str, int]
    invite: str
    completion: float
    reached: _containers.RepeatedScalarFieldContainer[str]
    last_node: str
    hung_up_by: str
    no_input: int
    transferred: bool
    def __init__(self, connected: _Optional[bool] = ..., ended: _Optional[bool] = ..., dial_result: _Optional[str] = ..., answered_by: _Optional[str] = ..., machine: _Optional[bool] = ..., talk_s: _Optional[float] = ..., customer_turns: _Optional[int] = ..., content_turns: _Optional[int] = ..., robot_turns: _Optional[int] = ..., silent: _Optional[bool] = ..., questions: _Optional[int] = ..., asked: _Optional[_Iterable[str]] = ..., refusals: _Optional[int] = ..., refusal_streak: _Optional[int] = ..., last_refused: _Optional[bool] = ..., hits: _Optional[_Mapping[str, int]] = ..., invite: _Optional[str] = ..., completion: _Optional[float] = ..., reached: _Optional[_Iterable[str]] = ..., last_node: _Optional[str] = ..., hung_up_by: _Optional[str] = ..., no_input: _Optional[int] = ..., transferred: _Optional[bool] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("event", "start", "end", "speaker", "signal", "category", "phrase", "match", "score", "grams")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PHRASE_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    GRAMS_FIELD_NUMBER: _ClassVar[int]
    event: int
    start: int
    end: int
    speaker: Speaker
    signal: str
    category: str
    phrase: str
    match: Match
    score: float
    grams: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., speaker: _Optional[_Union[Speaker, str]] = ..., signal: _Optional[str] = ..., category: _Optional[str] = ..., phrase: _Optional[str] = ..., match: _Optional[_Union[Match, str]] = ..., score: _Optional[float] = ..., grams: _Optional[_Iterable[str]] = ...) -> None: ...

class NodeProgress(_message.Message):
    __slots__ = ("node_id", "progress", "recognised", "similarity")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RECOGNISED_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    progress: float
    recognised: bool
    similarity: float
    def __init__(self, node_id: _Optional[str] = ..., progress: _Optional[float] = ..., recognised: _Optional[bool] = ..., similarity: _Optional[float] = ...) -> None: ...

class FollowUp(_message.Message):
    __slots__ = ("action", "within_hours", "note")
    ACTION_FIELD_NUMBER: _ClassVar[int]
    WITHIN_HOURS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    action: str
    within_hours: int
    note: str
    def __init__(self, action: _Optional[str] = ..., within_hours: _Optional[int] = ..., note: _Optional[str] = ...) -> None: ...

class Callback(_message.Message):
    __slots__ = ("at", "words", "event")
    AT_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    words: str
    event: int
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., words: _Optional[str] = ..., event: _Optional[int] = ...) -> None: ...

class StreamCallsRequest(_message.Message):
    __slots__ = ("call_id", "seq", "event", "script_id", "started_at", "time_zone", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    seq: int
    event: CallEvent
    script_id: str
    started_at: _timestamp_pb2.Timestamp
    time_zone: str
    attributes: _containers.ScalarMap[str, str]
    def __init__(self, call_id: _Optional[str] = ..., seq: _Optional[int] = ..., event: _Optional[_Union[CallEvent, _Mapping]] = ..., script_id: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class StreamCallsResponse(_message.Message):
    __slots__ = ("ack", "verdict", "rejection")
    ACK_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REJECTION_FIELD_NUMBER: _ClassVar[int]
    ack: Ack
    verdict: Verdict
    rejection: Rejection
    def __init__(self, ack: _Optional[_Union[Ack, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ..., rejection: _Optional[_Union[Rejection, _Mapping]] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("call_id", "seq")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    seq: int
    def __init__(self, call_id: _Optional[str] = ..., seq: _Optional[int] = ...) -> None: ...

class Rejection(_message.Message):
    __slots__ = ("call_id", "seq", "status")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    seq: int
    status: _status_pb2.Status
    def __init__(self, call_id: _Optional[str] = ..., seq: _Optional[int] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class GradeCallRequest(_message.Message):
    __slots__ = ("call",)
    CALL_FIELD_NUMBER: _ClassVar[int]
    call: Call
    def __init__(self, call: _Optional[_Union[Call, _Mapping]] = ...) -> None: ...

class GradeCallResponse(_message.Message):
    __slots__ = ("verdict", "rejections")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    verdict: Verdict
    rejections: _containers.RepeatedCompositeFieldContainer[Rejection]
    def __init__(self, verdict: _Optional[_Union[Verdict, _Mapping]] = ..., rejections: _Optional[_Iterable[_Union[Rejection, _Mapping]]] = ...) -> None: ...

class ListScriptsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListScriptsResponse(_message.Message):
    __slots__ = ("scripts",)
    SCRIPTS_FIELD_NUMBER: _ClassVar[int]
    scripts: _containers.RepeatedCompositeFieldContainer[ScriptSummary]
    def __init__(self, scripts: _Optional[_Iterable[_Union[ScriptSummary, _Mapping]]] = ...) -> None: ...

class ScriptSummary(_message.Message):
    __slots__ = ("script_id", "version", "title", "labels")
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    version: str
    title: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, script_id: _Optional[str] = ..., version: _Optional[str] = ..., title: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ...) -> None: ...

class GetScriptRequest(_message.Message):
    __slots__ = ("script_id", "version")
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    version: str
    def __init__(self, script_id: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class GetScriptResponse(_message.Message):
    __slots__ = ("summary", "files")
    class FilesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    summary: ScriptSummary
    files: _containers.ScalarMap[str, str]
    def __init__(self, summary: _Optional[_Union[ScriptSummary, _Mapping]] = ..., files: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetCallStateRequest(_message.Message):
    __slots__ = ("call_id",)
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    def __init__(self, call_id: _Optional[str] = ...) -> None: ...

class GetCallStateResponse(_message.Message):
    __slots__ = ("call_id", "last_seq", "label", "final", "revision", "script_id", "script_version", "ahead")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    AHEAD_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    last_seq: int
    label: str
    final: bool
    revision: int
    script_id: str
    script_version: str
    ahead: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, call_id: _Optional[str] = ..., last_seq: _Optional[int] = ..., label: _Optional[str] = ..., final: _Optional[bool] = ..., revision: _Optional[int] = ..., script_id: _Optional[str] = ..., script_version: _Optional[str] = ..., ahead: _Optional[_Iterable[int]] = ...) -> None: ...
