import datetime

from callgrade.v1 import callgrade_pb2 as _callgrade_pb2
from callgrade.v1 import diff_pb2 as _diff_pb2
from callgrade.v1 import records_pb2 as _records_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RegradeState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGRADE_STATE_UNSPECIFIED: _ClassVar[RegradeState]
    REGRADE_STATE_QUEUED: _ClassVar[RegradeState]
    REGRADE_STATE_RUNNING: _ClassVar[RegradeState]
    REGRADE_STATE_DONE: _ClassVar[RegradeState]
    REGRADE_STATE_CANCELLED: _ClassVar[RegradeState]
    REGRADE_STATE_FAILED: _ClassVar[RegradeState]

class Against(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGAINST_UNSPECIFIED: _ClassVar[Against]
    AGAINST_STORED_LABELS: _ClassVar[Against]
    AGAINST_VERSION: _ClassVar[Against]
    AGAINST_NOTHING: _ClassVar[Against]

class RegradedKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REGRADED_KIND_UNSPECIFIED: _ClassVar[RegradedKind]
    REGRADED_KIND_SAME: _ClassVar[RegradedKind]
    REGRADED_KIND_RULE: _ClassVar[RegradedKind]
    REGRADED_KIND_LABEL: _ClassVar[RegradedKind]
    REGRADED_KIND_REJECTED: _ClassVar[RegradedKind]
REGRADE_STATE_UNSPECIFIED: RegradeState
REGRADE_STATE_QUEUED: RegradeState
REGRADE_STATE_RUNNING: RegradeState
REGRADE_STATE_DONE: RegradeState
REGRADE_STATE_CANCELLED: RegradeState
REGRADE_STATE_FAILED: RegradeState
AGAINST_UNSPECIFIED: Against
AGAINST_STORED_LABELS: Against
AGAINST_VERSION: Against
AGAINST_NOTHING: Against
REGRADED_KIND_UNSPECIFIED: RegradedKind
REGRADED_KIND_SAME: RegradedKind
REGRADED_KIND_RULE: RegradedKind
REGRADED_KIND_LABEL: RegradedKind
REGRADED_KIND_REJECTED: RegradedKind

class Regrade(_message.Message):
    __slots__ = ("regrade_id", "state", "filter", "script_id", "script_version", "draft", "against", "against_version", "note", "started_by", "asked_at", "began_at", "ended_at", "progress", "error")
    REGRADE_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    AGAINST_VERSION_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    STARTED_BY_FIELD_NUMBER: _ClassVar[int]
    ASKED_AT_FIELD_NUMBER: _ClassVar[int]
    BEGAN_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    regrade_id: str
    state: RegradeState
    filter: _records_pb2.CallFilter
    script_id: str
    script_version: str
    draft: bool
    against: Against
    against_version: str
    note: str
    started_by: str
    asked_at: _timestamp_pb2.Timestamp
    began_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    progress: RegradeProgress
    error: str
    def __init__(self, regrade_id: _Optional[str] = ..., state: _Optional[_Union[RegradeState, str]] = ..., filter: _Optional[_Union[_records_pb2.CallFilter, _Mapping]] = ..., script_id: _Optional[str] = ..., script_version: _Optional[str] = ..., draft: _Optional[bool] = ..., against: _Optional[_Union[Against, str]] = ..., against_version: _Optional[str] = ..., note: _Optional[str] = ..., started_by: _Optional[str] = ..., asked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., began_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Union[RegradeProgress, _Mapping]] = ..., error: _Optional[str] = ...) -> None: ...

class RegradeProgress(_message.Message):
    __slots__ = ("calls", "done", "changed", "rejected", "live", "calls_per_second")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    CALLS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    calls: int
    done: int
    changed: int
    rejected: int
    live: int
    calls_per_second: float
    def __init__(self, calls: _Optional[int] = ..., done: _Optional[int] = ..., changed: _Optional[int] = ..., rejected: _Optional[int] = ..., live: _Optional[int] = ..., calls_per_second: _Optional[float] = ...) -> None: ...

class StartRegradeRequest(_message.Message):
    __slots__ = ("request_id", "filter", "script_id", "script_version", "draft", "against", "against_version", "note")
    class DraftEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    AGAINST_VERSION_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    filter: _records_pb2.CallFilter
    script_id: str
    script_version: str
    draft: _containers.ScalarMap[str, str]
    against: Against
    against_version: str
    note: str
    def __init__(self, request_id: _Optional[str] = ..., filter: _Optional[_Union[_records_pb2.CallFilter, _Mapping]] = ..., script_id: _Optional[str] = ..., script_version: _Optional[str] = ..., draft: _Optional[_Mapping[str, str]] = ..., against: _Optional[_Union[Against, str]] = ..., against_version: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...

class StartRegradeResponse(_message.Message):
    __slots__ = ("regrade",)
    REGRADE_FIELD_NUMBER: _ClassVar[int]
    regrade: Regrade
    def __init__(self, regrade: _Optional[_Union[Regrade, _Mapping]] = ...) -> None: ...

class GetRegradeRequest(_message.Message):
    __slots__ = ("regrade_id",)
    REGRADE_ID_FIELD_NUMBER: _ClassVar[int]
    regrade_id: str
    def __init__(self, regrade_id: _Optional[str] = ...) -> None: ...

class GetRegradeResponse(_message.Message):
    __slots__ = ("regrade", "diff")
    REGRADE_FIELD_NUMBER: _ClassVar[int]
    DIFF_FIELD_NUMBER: _ClassVar[int]
    regrade: Regrade
    diff: _diff_pb2.RegradeDiff
    def __init__(self, regrade: _Optional[_Union[Regrade, _Mapping]] = ..., diff: _Optional[_Union[_diff_pb2.RegradeDiff, _Mapping]] = ...) -> None: ...

class WatchRegradeRequest(_message.Message):
    __slots__ = ("regrade_id",)
    REGRADE_ID_FIELD_NUMBER: _ClassVar[int]
    regrade_id: str
    def __init__(self, regrade_id: _Optional[str] = ...) -> None: ...

class WatchRegradeResponse(_message.Message):
    __slots__ = ("regrade",)
    REGRADE_FIELD_NUMBER: _ClassVar[int]
    regrade: Regrade
    def __init__(self, regrade: _Optional[_Union[Regrade, _Mapping]] = ...) -> None: ...

class CancelRegradeRequest(_message.Message):
    __slots__ = ("regrade_id",)
    REGRADE_ID_FIELD_NUMBER: _ClassVar[int]
    regrade_id: str
    def __init__(self, regrade_id: _Optional[str] = ...) -> None: ...

class CancelRegradeResponse(_message.Message):
    __slots__ = ("regrade",)
    REGRADE_FIELD_NUMBER: _ClassVar[int]
    regrade: Regrade
    def __init__(self, regrade: _Optional[_Union[Regrade, _Mapping]] = ...) -> None: ...

class ListRegradesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRegradesResponse(_message.Message):
    __slots__ = ("regrades", "next_page_token")
    REGRADES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    regrades: _containers.RepeatedCompositeFieldContainer[Regrade]
    next_page_token: str
    def __init__(self, regrades: _Optional[_Iterable[_Union[Regrade, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RegradedCall(_message.Message):
    __slots__ = ("call_id", "kind", "label", "rule_id", "before_label", "before_rule_id", "changed", "rejected", "verdict")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    BEFORE_LABEL_FIELD_NUMBER: _ClassVar[int]
    BEFORE_RULE_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    kind: RegradedKind
    label: str
    rule_id: str
    before_label: str
    before_rule_id: str
    changed: _diff_pb2.ChangedCall
    rejected: str
    verdict: _callgrade_pb2.Verdict
    def __init__(self, call_id: _Optional[str] = ..., kind: _Optional[_Union[RegradedKind, str]] = ..., label: _Optional[str] = ..., rule_id: _Optional[str] = ..., before_label: _Optional[str] = ..., before_rule_id: _Optional[str] = ..., changed: _Optional[_Union[_diff_pb2.ChangedCall, _Mapping]] = ..., rejected: _Optional[str] = ..., verdict: _Optional[_Union[_callgrade_pb2.Verdict, _Mapping]] = ...) -> None: ...

class ListRegradedCallsRequest(_message.Message):
    __slots__ = ("regrade_id", "kinds", "before_label", "label", "page_size", "page_token")
    REGRADE_ID_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    BEFORE_LABEL_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    regrade_id: str
    kinds: _containers.RepeatedScalarFieldContainer[RegradedKind]
    before_label: str
    label: str
    page_size: int
    page_token: str
    def __init__(self, regrade_id: _Optional[str] = ..., kinds: _Optional[_Iterable[_Union[RegradedKind, str]]] = ..., before_label: _Optional[str] = ..., label: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRegradedCallsResponse(_message.Message):
    __slots__ = ("calls", "next_page_token")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[RegradedCall]
    next_page_token: str
    def __init__(self, calls: _Optional[_Iterable[_Union[RegradedCall, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExportRegradeRequest(_message.Message):
    __slots__ = ("regrade_id",)
    REGRADE_ID_FIELD_NUMBER: _ClassVar[int]
    regrade_id: str
    def __init__(self, regrade_id: _Optional[str] = ...) -> None: ...

class ExportRegradeResponse(_message.Message):
    __slots__ = ("call",)
    CALL_FIELD_NUMBER: _ClassVar[int]
    call: RegradedCall
    def __init__(self, call: _Optional[_Union[RegradedCall, _Mapping]] = ...) -> None: ...

class DeleteRegradeRequest(_message.Message):
    __slots__ = ("regrade_id",)
    REGRADE_ID_FIELD_NUMBER: _ClassVar[int]
    regrade_id: str
    def __init__(self, regrade_id: _Optional[str] = ...) -> None: ...

class DeleteRegradeResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
