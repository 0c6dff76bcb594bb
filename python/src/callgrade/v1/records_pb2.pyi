import datetime

from callgrade.v1 import callgrade_pb2 as _callgrade_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CallSummary(_message.Message):
    __slots__ = ("call_id", "script_id", "script_version", "started_at", "received_at", "label", "rule_id", "final", "revision", "attributes")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_AT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    script_id: str
    script_version: str
    started_at: _timestamp_pb2.Timestamp
    received_at: _timestamp_pb2.Timestamp
    label: str
    rule_id: str
    final: bool
    revision: int
    attributes: _containers.ScalarMap[str, str]
    def __init__(self, call_id: _Optional[str] = ..., script_id: _Optional[str] = ..., script_version: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., received_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., label: _Optional[str] = ..., rule_id: _Optional[str] = ..., final: _Optional[bool] = ..., revision: _Optional[int] = ..., attributes: _Optional[_Mapping[str, str]] = ...) -> None: ...

class CallFilter(_message.Message):
    __slots__ = ("script_id", "script_version", "labels", "rule_id", "before", "attributes", "text", "final")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    script_version: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    rule_id: str
    before: _timestamp_pb2.Timestamp
    attributes: _containers.ScalarMap[str, str]
    text: str
    final: bool
    def __init__(self, script_id: _Optional[str] = ..., script_version: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., rule_id: _Optional[str] = ..., before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attributes: _Optional[_Mapping[str, str]] = ..., text: _Optional[str] = ..., final: _Optional[bool] = ..., **kwargs) -> None: ...

class KeptCall(_message.Message):
    __slots__ = ("summary", "call", "verdict", "rejections")
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    summary: CallSummary
    call: _callgrade_pb2.Call
    verdict: _callgrade_pb2.Verdict
    rejections: _containers.RepeatedCompositeFieldContainer[_callgrade_pb2.Rejection]
    def __init__(self, summary: _Optional[_Union[CallSummary, _Mapping]] = ..., call: _Optional[_Union[_callgrade_pb2.Call, _Mapping]] = ..., verdict: _Optional[_Union[_callgrade_pb2.Verdict, _Mapping]] = ..., rejections: _Optional[_Iterable[_Union[_callgrade_pb2.Rejection, _Mapping]]] = ...) -> None: ...

class GetCallRequest(_message.Message):
    __slots__ = ("call_id", "history")
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    history: bool
    def __init__(self, call_id: _Optional[str] = ..., history: _Optional[bool] = ...) -> None: ...

class GetCallResponse(_message.Message):
    __slots__ = ("call", "history")
    CALL_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    call: KeptCall
    history: _containers.RepeatedCompositeFieldContainer[_callgrade_pb2.Verdict]
    def __init__(self, call: _Optional[_Union[KeptCall, _Mapping]] = ..., history: _Optional[_Iterable[_Union[_callgrade_pb2.Verdict, _Mapping]]] = ...) -> None: ...

class ListCallsRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: CallFilter
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[_Union[CallFilter, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCallsResponse(_message.Message):
    __slots__ = ("calls", "next_page_token")
    CALLS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedCompositeFieldContainer[CallSummary]
    next_page_token: str
    def __init__(self, calls: _Optional[_Iterable[_Union[CallSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExportCallsRequest(_message.Message):
    __slots__ = ("filter",)
    FILTER_FIELD_NUMBER: _ClassVar[int]
    filter: CallFilter
    def __init__(self, filter: _Optional[_Union[CallFilter, _Mapping]] = ...) -> None: ...

class ExportCallsResponse(_message.Message):
    __slots__ = ("call",)
    CALL_FIELD_NUMBER: _ClassVar[int]
    call: KeptCall
    def __init__(self, call: _Optional[_Union[KeptCall, _Mapping]] = ...) -> None: ...

class DeleteCallRequest(_message.Message):
    __slots__ = ("call_id",)
    CALL_ID_FIELD_NUMBER: _ClassVar[int]
    call_id: str
    def __init__(self, call_id: _Optional[str] = ...) -> None: ...

class DeleteCallResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PublishScriptRequest(_message.Message):
    __slots__ = ("script_id", "files", "activate", "note")
    class FilesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    ACTIVATE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    files: _containers.ScalarMap[str, str]
    activate: bool
    note: str
    def __init__(self, script_id: _Optional[str] = ..., files: _Optional[_Mapping[str, str]] = ..., activate: _Optional[bool] = ..., note: _Optional[str] = ...) -> None: ...

class PublishScriptResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: ScriptVersion
    def __init__(self, version: _Optional[_Union[ScriptVersion, _Mapping]] = ...) -> None: ...

class ListScriptVersionsRequest(_message.Message):
    __slots__ = ("script_id",)
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    def __init__(self, script_id: _Optional[str] = ...) -> None: ...

class ListScriptVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[ScriptVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[ScriptVersion, _Mapping]]] = ...) -> None: ...

class ScriptVersion(_message.Message):
    __slots__ = ("script_id", "version", "stored_at", "stored_by", "note", "active", "draft")
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STORED_AT_FIELD_NUMBER: _ClassVar[int]
    STORED_BY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    version: str
    stored_at: _timestamp_pb2.Timestamp
    stored_by: str
    note: str
    active: bool
    draft: bool
    def __init__(self, script_id: _Optional[str] = ..., version: _Optional[str] = ..., stored_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stored_by: _Optional[str] = ..., note: _Optional[str] = ..., active: _Optional[bool] = ..., draft: _Optional[bool] = ...) -> None: ...

class ActivateScriptRequest(_message.Message):
    __slots__ = ("script_id", "version")
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    version: str
    def __init__(self, script_id: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class ActivateScriptResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: ScriptVersion
    def __init__(self, version: _Optional[_Union[ScriptVersion, _Mapping]] = ...) -> None: ...

class RollbackScriptRequest(_message.Message):
    __slots__ = ("script_id",)
    SCRIPT_ID_FIELD_NUMBER: _ClassVar[int]
    script_id: str
    def __init__(self, script_id: _Optional[str] = ...) -> None: ...

class RollbackScriptResponse(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: ScriptVersion
    def __init__(self, version: _Optional[_Union[ScriptVersion, _Mapping]] = ...) -> None: ...
