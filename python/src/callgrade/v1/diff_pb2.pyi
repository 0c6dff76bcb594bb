from callgrade.v1 import callgrade_pb2 as _callgrade_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_CAUSE_UNSPECIFIED: _ClassVar[ChangeCause]
    CHANGE_CAUSE_RULES: _ClassVar[ChangeCause]
    CHANGE_CAUSE_SIGNALS: _ClassVar[ChangeCause]
    CHANGE_CAUSE_BOTH: _ClassVar[ChangeCause]
CHANGE_CAUSE_UNSPECIFIED: ChangeCause
CHANGE_CAUSE_RULES: ChangeCause
CHANGE_CAUSE_SIGNALS: ChangeCause
CHANGE_CAUSE_BOTH: ChangeCause

class RegradeDiff(_message.Message):
    __slots__ = ("calls", "compared", "changed", "rule_changed", "labels", "transitions", "scripts")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    RULE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    SCRIPTS_FIELD_NUMBER: _ClassVar[int]
    calls: int
    compared: int
    changed: int
    rule_changed: int
    labels: _containers.RepeatedCompositeFieldContainer[LabelDiff]
    transitions: _containers.RepeatedCompositeFieldContainer[LabelTransition]
    scripts: _containers.RepeatedCompositeFieldContainer[ScriptDiff]
    def __init__(self, calls: _Optional[int] = ..., compared: _Optional[int] = ..., changed: _Optional[int] = ..., rule_changed: _Optional[int] = ..., labels: _Optional[_Iterable[_Union[LabelDiff, _Mapping]]] = ..., transitions: _Optional[_Iterable[_Union[LabelTransition, _Mapping]]] = ..., scripts: _Optional[_Iterable[_Union[ScriptDiff, _Mapping]]] = ...) -> None: ...

class ScriptDiff(_message.Message):
    __slots__ = ("script_id", "title", "before", "after", "calls", "compared", "changed", "rule_changed", "labels", "transitions", "rule_transitions", "uncompared", "rules", "flow_before", "flow_after", "nodes", "keywords", "other_keywords", "examples")
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    RULE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    RULE_TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    UNCOMPARED_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    FLOW_BEFORE_FIELD_NUMBER: _ClassVar[int]
    FLOW_AFTER_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    OTHER_KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    title: str
    before: _containers.RepeatedCompositeFieldContainer[GradedBy]
    after: _containers.RepeatedCompositeFieldContainer[GradedBy]
    calls: int
    compared: int
    changed: int
    rule_changed: int
    labels: _containers.RepeatedCompositeFieldContainer[LabelDiff]
    transitions: _containers.RepeatedCompositeFieldContainer[LabelTransition]
    rule_transitions: _containers.RepeatedCompositeFieldContainer[RuleTransition]
    uncompared: _containers.RepeatedCompositeFieldContainer[RuleCount]
    rules: _containers.RepeatedCompositeFieldContainer[RuleDiff]
    flow_before: Flow
    flow_after: Flow
    nodes: _containers.RepeatedCompositeFieldContainer[NodeDiff]
    keywords: _containers.RepeatedCompositeFieldContainer[KeywordDiff]
    other_keywords: int
    examples: _containers.RepeatedCompositeFieldContainer[TransitionExamples]
    def __init__(self, script_id: _Optional[str] = ..., title: _Optional[str] = ..., before: _Optional[_Iterable[_Union[GradedBy, _Mapping]]] = ..., after: _Optional[_Iterable[_Union[GradedBy, _Mapping]]] = ..., calls: _Optional[int] = ..., compared: _Optional[int] = ..., changed: _Optional[int] = ..., rule_changed: _Optional[int] = ..., labels: _Optional[_Iterable[_Union[LabelDiff, _Mapping]]] = ..., transitions: _Optional[_Iterable[_Union[LabelTransition, _Mapping]]] = ..., rule_transitions: _Optional[_Iterable[_Union[RuleTransition, _Mapping]]] = ..., uncompared: _Optional[_Iterable[_Union[RuleCount, _Mapping]]] = ..., rules: _Optional[_Iterable[_Union[RuleDiff, _Mapping]]] = ..., flow_before: _Optional[_Union[Flow, _Mapping]] = ..., flow_after: _Optional[_Union[Flow, _Mapping]] = ..., nodes: _Optional[_Iterable[_Union[NodeDiff, _Mapping]]] = ..., keywords: _Optional[_Iterable[_Union[KeywordDiff, _Mapping]]] = ..., other_keywords: _Optional[int] = ..., examples: _Optional[_Iterable[_Union[TransitionExamples, _Mapping]]] = ...) -> None: ...

class GradedBy(_message.Message):
    __slots__ = ("script_id", "version", "calls")
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    version: str
    calls: int
    def __init__(self, script_id: _Optional[str] = ..., version: _Optional[str] = ..., calls: _Optional[int] = ...) -> None: ...

class LabelDiff(_message.Message):
    __slots__ = ("label", "title", "declared", "before", "after")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    DECLARED_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    label: str
    title: str
    declared: bool
    before: int
    after: int
    def __init__(self, label: _Optional[str] = ..., title: _Optional[str] = ..., declared: _Optional[bool] = ..., before: _Optional[int] = ..., after: _Optional[int] = ...) -> None: ...

class LabelTransition(_message.Message):
    __slots__ = ("before", "after", "calls")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    before: str
    after: str
    calls: int
    def __init__(self, before: _Optional[str] = ..., after: _Optional[str] = ..., calls: _Optional[int] = ...) -> None: ...

class RuleTransition(_message.Message):
    __slots__ = ("label_before", "rule_before", "label_after", "rule_after", "calls", "causes")
    LABEL_BEFORE_FIELD_NUMBER: _ClassVar[int]
    RULE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    LABEL_AFTER_FIELD_NUMBER: _ClassVar[int]
    RULE_AFTER_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    label_before: str
    rule_before: str
    label_after: str
    rule_after: str
    calls: int
    causes: Causes
    def __init__(self, label_before: _Optional[str] = ..., rule_before: _Optional[str] = ..., label_after: _Optional[str] = ..., rule_after: _Optional[str] = ..., calls: _Optional[int] = ..., causes: _Optional[_Union[Causes, _Mapping]] = ...) -> None: ...

class RuleCount(_message.Message):
    __slots__ = ("label", "rule_id", "calls")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    label: str
    rule_id: str
    calls: int
    def __init__(self, label: _Optional[str] = ..., rule_id: _Optional[str] = ..., calls: _Optional[int] = ...) -> None: ...

class Causes(_message.Message):
    __slots__ = ("rules", "signals", "both", "unknown")
    RULES_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    BOTH_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    rules: int
    signals: int
    both: int
    unknown: int
    def __init__(self, rules: _Optional[int] = ..., signals: _Optional[int] = ..., both: _Optional[int] = ..., unknown: _Optional[int] = ...) -> None: ...

class RuleDiff(_message.Message):
    __slots__ = ("rule_id", "before", "after", "calls_before", "calls_after")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CALLS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    CALLS_AFTER_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    before: RuleText
    after: RuleText
    calls_before: int
    calls_after: int
    def __init__(self, rule_id: _Optional[str] = ..., before: _Optional[_Union[RuleText, _Mapping]] = ..., after: _Optional[_Union[RuleText, _Mapping]] = ..., calls_before: _Optional[int] = ..., calls_after: _Optional[int] = ...) -> None: ...

class RuleText(_message.Message):
    __slots__ = ("label", "when", "words", "catch_all")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    CATCH_ALL_FIELD_NUMBER: _ClassVar[int]
    label: str
    when: str
    words: str
    catch_all: bool
    def __init__(self, label: _Optional[str] = ..., when: _Optional[str] = ..., words: _Optional[str] = ..., catch_all: _Optional[bool] = ...) -> None: ...

class Flow(_message.Message):
    __slots__ = ("calls", "completion_millionths", "mean_completion")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_MILLIONTHS_FIELD_NUMBER: _ClassVar[int]
    MEAN_COMPLETION_FIELD_NUMBER: _ClassVar[int]
    calls: int
    completion_millionths: int
    mean_completion: float
    def __init__(self, calls: _Optional[int] = ..., completion_millionths: _Optional[int] = ..., mean_completion: _Optional[float] = ...) -> None: ...

class NodeDiff(_message.Message):
    __slots__ = ("node_id", "title", "before", "after")
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    node_id: str
    title: str
    before: int
    after: int
    def __init__(self, node_id: _Optional[str] = ..., title: _Optional[str] = ..., before: _Optional[int] = ..., after: _Optional[int] = ...) -> None: ...

class KeywordDiff(_message.Message):
    __slots__ = ("category", "phrase", "match", "gained", "calls", "transitions")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PHRASE_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    GAINED_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    category: str
    phrase: str
    match: _callgrade_pb2.Match
    gained: bool
    calls: int
    transitions: _containers.RepeatedCompositeFieldContainer[LabelTransition]
    def __init__(self, category: _Optional[str] = ..., phrase: _Optional[str] = ..., match: _Optional[_Union[_callgrade_pb2.Match, str]] = ..., gained: _Optional[bool] = ..., calls: _Optional[int] = ..., transitions: _Optional[_Iterable[_Union[LabelTransition, _Mapping]]] = ...) -> None: ...

class TransitionExamples(_message.Message):
    __slots__ = ("before", "after", "calls")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    before: str
    after: str
    calls: _containers.RepeatedCompositeFieldContainer[ChangedCall]
    def __init__(self, before: _Optional[str] = ..., after: _Optional[str] = ..., calls: _Optional[_Iterable[_Union[ChangedCall, _Mapping]]] = ...) -> None: ...

class ChangedCall(_message.Message):
    __slots__ = ("call_id", "before", "after", "cause", "signals", "gained", "lost", "evidence", "rule_before", "rule_after")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_FIELD_NUMBER: _ClassVar[int]
    GAINED_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    RULE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    RULE_AFTER_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    before: GradedAs
    after: GradedAs
    cause: ChangeCause
    signals: _containers.RepeatedCompositeFieldContainer[SignalChange]
    gained: _containers.RepeatedCompositeFieldContainer[_callgrade_pb2.Evidence]
    lost: _containers.RepeatedCompositeFieldContainer[_callgrade_pb2.Evidence]
    evidence: _containers.RepeatedCompositeFieldContainer[_callgrade_pb2.Evidence]
    rule_before: RuleFate
    rule_after: RuleFate
    def __init__(self, call_id: _Optional[str] = ..., before: _Optional[_Union[GradedAs, _Mapping]] = ..., after: _Optional[_Union[GradedAs, _Mapping]] = ..., cause: _Optional[_Union[ChangeCause, str]] = ..., signals: _Optional[_Iterable[_Union[SignalChange, _Mapping]]] = ..., gained: _Optional[_Iterable[_Union[_callgrade_pb2.Evidence, _Mapping]]] = ..., lost: _Optional[_Iterable[_Union[_callgrade_pb2.Evidence, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[_callgrade_pb2.Evidence, _Mapping]]] = ..., rule_before: _Optional[_Union[RuleFate, _Mapping]] = ..., rule_after: _Optional[_Union[RuleFate, _Mapping]] = ...) -> None: ...

class GradedAs(_message.Message):
    __slots__ = ("script_id", "script_version", "label", "rule_id", "reason")
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    script_version: str
    label: str
    rule_id: str
    reason: str
    def __init__(self, script_id: _Optional[str] = ..., script_version: _Optional[str] = ..., label: _Optional[str] = ..., rule_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SignalChange(_message.Message):
    __slots__ = ("name", "before", "after")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    name: str
    before: str
    after: str
    def __init__(self, name: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class RuleFate(_message.Message):
    __slots__ = ("rule_id", "state", "when", "failed", "decided_by")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[RuleFate.State]
        STATE_FAILS: _ClassVar[RuleFate.State]
        STATE_OUTRANKED: _ClassVar[RuleFate.State]
        STATE_DECIDES: _ClassVar[RuleFate.State]
        STATE_MISSING: _ClassVar[RuleFate.State]
    STATE_UNSPECIFIED: RuleFate.State
    STATE_FAILS: RuleFate.State
    STATE_OUTRANKED: RuleFate.State
    STATE_DECIDES: RuleFate.State
    STATE_MISSING: RuleFate.State
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    state: RuleFate.State
    when: str
    failed: _containers.RepeatedCompositeFieldContainer[FailedTest]
    decided_by: str
    def __init__(self, rule_id: _Optional[str] = ..., state: _Optional[_Union[RuleFate.State, str]] = ..., when: _Optional[str] = ..., failed: _Optional[_Iterable[_Union[FailedTest, _Mapping]]] = ..., decided_by: _Optional[str] = ...) -> None: ...

class FailedTest(_message.Message):
    __slots__ = ("test", "values")
    TEST_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    test: str
    values: _containers.RepeatedCompositeFieldContainer[SignalValue]
    def __init__(self, test: _Optional[str] = ..., values: _Optional[_Iterable[_Union[SignalValue, _Mapping]]] = ...) -> None: ...

class SignalValue(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
