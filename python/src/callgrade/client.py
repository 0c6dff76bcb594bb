"""The client of a callgrade server."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc

from callgrade import v1
from callgrade.events import moment
from callgrade.retry import backoff, is_lost, retry_info, status_of
from callgrade.stream import Stream

__all__ = ["Client", "Records"]

# A connection that is lost without a word, as behind a router that has forgotten it, is noticed within so long.
_KEEPALIVE_MS = 20_000
_OPTIONS = (
    ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", _KEEPALIVE_MS // 2),
    ("grpc.http2.max_pings_without_data", 0),
    # How long to wait is the client's own business: the channel does not wait longer.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # A kept call with its verdict may be longer than 4 MiB.
    ("grpc.max_receive_message_length", 64 << 20),
)

Pem = bytes | str | os.PathLike[str]


def _pem(given: Pem | None) -> bytes | None:
    return given if given is None or isinstance(given, bytes) else Path(given).read_bytes()


class Client:
    """A client of a callgrade server. Threads may share it.

    Args:
        target: ``host:port``; ``https://host:port`` is the same with ``tls``.
        api_key: an API key or a token (JWT) of the tenant; none where the server asks for none.
        tls: speak TLS, believing the system's authorities or those of ``ca``.
        ca: certificates of authorities in PEM, as bytes or the name of a file; means ``tls``.
        certificate: the client's own certificate, and ``private_key`` its key, where the server asks for one.
        private_key: see ``certificate``.
        timeout_s: how long a method may take, with everything that is tried again.
        options: options of the channel, as grpcio has them.

    >>> with Client("127.0.0.1:50051") as client:                          # doctest: +SKIP
    ...     client.grade(events.call("c-1", "broadband", [events.answered(at_ms=0)])).verdict.label
    """

    def __init__(
        self,
        target: str,
        *,
        api_key: str | None = None,
        tls: bool = False,
        ca: Pem | None = None,
        certificate: Pem | None = None,
        private_key: Pem | None = None,
        timeout_s: float = 30.0,
        options: Sequence[tuple[str, Any]] = (),
    ) -> None:
        """Connects when something is asked for first."""
        scheme, separator, rest = target.partition("://")
        if separator and scheme in ("http", "https"):
            target, tls = rest.rstrip("/"), tls or scheme == "https"
        merged = [*_OPTIONS, *options]
        if tls or ca is not None or certificate is not None:
            credentials = grpc.ssl_channel_credentials(_pem(ca), _pem(private_key), _pem(certificate))
            self._channel = grpc.secure_channel(target, credentials, merged)
        else:
            self._channel = grpc.insecure_channel(target, merged)
        self._metadata = (("authorization", f"Bearer {api_key.strip()}"),) if api_key else ()
        self._timeout_s = timeout_s
        self._grading = v1.GradingStub(self._channel)
        self.records = Records(self)
        """The calls that are kept."""

    @property
    def channel(self) -> grpc.Channel:
        """The channel, for other stubs of :mod:`callgrade.v1`; :attr:`metadata` belongs to what they send."""
        return self._channel

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every request says of who asks."""
        return self._metadata

    def __enter__(self) -> "Client":
        """The client itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Closes it."""
        self.close()

    def close(self) -> None:
        """Ends the connection, and streams that have not been finished."""
        self._channel.close()

    def stream(
        self,
        *,
        on_verdict: Callable[[v1.Verdict], object] | None = None,
        on_rejection: Callable[[v1.Rejection], object] | None = None,
        window: int = 1_024,
        longest_wait_s: float = 10.0,
        finish_s: float | None = None,
    ) -> Stream:
        """Begins to stream live calls; see :class:`callgrade.Stream`."""
        return Stream(
            self._grading,
            self._metadata,
            on_verdict=on_verdict,
            on_rejection=on_rejection,
            window=window,
            longest_wait_s=longest_wait_s,
            finish_s=finish_s,
        )

    def grade(self, call: v1.Call, *, timeout_s: float | None = None) -> v1.GradeCallResponse:
        """Grades a whole call: its verdict, and the events that were not taken.

        Tried again until the time is over where the server says so or the connection is lost: the same call again has the same answer.

        Raises:
            grpc.RpcError: the call cannot be graded, or the time is over.
        """
        answer: v1.GradeCallResponse = self.ask(self._grading.GradeCall, v1.GradeCallRequest(call=call), timeout_s=timeout_s)
        return answer

    def state(self, call_id: str, *, timeout_s: float | None = None) -> v1.GetCallStateResponse:
        """Where a call stands: ``last_seq`` is the last event that is kept, for :meth:`callgrade.Stream.call` as ``kept``."""
        answer: v1.GetCallStateResponse = self.ask(self._grading.GetCallState, v1.GetCallStateRequest(call_id=call_id), timeout_s=timeout_s)
        return answer

    def scripts(self, *, timeout_s: float | None = None) -> list[v1.ScriptSummary]:
        """The scripts that grade, with their versions."""
        answer = self.ask(self._grading.ListScripts, v1.ListScriptsRequest(), timeout_s=timeout_s)
        return list(answer.scripts)

    def ask(self, method: Any, request: Any, *, timeout_s: float | None = None, again: bool = True) -> Any:
        """Calls a unary method of a stub on this channel, and again as :meth:`grade` does; not on a lost connection without ``again``."""
        end = time.monotonic() + (self._timeout_s if timeout_s is None else timeout_s)
        failures = 0
        while True:
            try:
                return method(request, timeout=max(end - time.monotonic(), 0.001), metadata=self._metadata)
            except grpc.RpcError as error:
                wait = retry_info(status_of(error))
                if wait is None and again and is_lost(error):
                    wait = backoff(failures, 2.0)
                if wait is None or time.monotonic() + wait >= end:
                    raise
                time.sleep(wait)
                failures += 1


class Records:
    """The calls that a server keeps: :attr:`Client.records`. They ask for the role ``qa``, deleting for ``admin``.

    The filter of :meth:`list` and :meth:`export`: ``script_id``, ``script_version``, ``labels`` (any of them), ``rule_id``, ``begun_from`` and
    ``begun_before`` (with their time zone), ``attributes`` (all of them), ``text`` (some utterance has these characters), ``final``.
    """

    def __init__(self, client: Client) -> None:
        """Of a client."""
        self._client = client
        self._stub = v1.RecordsStub(client.channel)

    def get(self, call_id: str, *, history: bool = False) -> v1.GetCallResponse:
        """One call with its events and verdict, and on demand each final revision of it."""
        answer: v1.GetCallResponse = self._client.ask(self._stub.GetCall, v1.GetCallRequest(call_id=call_id, history=history))
        return answer

    def list(self, *, page_size: int = 200, **filter: Any) -> Iterator[v1.CallSummary]:
        """Calls by filter, newest first, asked for a page at a time."""
        chosen, token = _filter(**filter), ""
        while True:
            request = v1.ListCallsRequest(filter=chosen, page_size=page_size, page_token=token)
            page = self._client.ask(self._stub.ListCalls, request)
            yield from page.calls
            token = page.next_page_token
            if not token:
                return

    def export(self, **filter: Any) -> Iterator[v1.KeptCall]:
        """Calls by filter, whole, newest first, as they come. A connection that is lost ends it with grpc.RpcError."""
        request = v1.ExportCallsRequest(filter=_filter(**filter))
        answers = self._stub.ExportCalls(request, metadata=self._client.metadata)
        try:
            for answer in answers:
                yield answer.call
        finally:
            answers.cancel()

    def delete(self, call_id: str) -> None:
        """Removes a call with all that is kept of it. It cannot be undone."""
        self._client.ask(self._stub.DeleteCall, v1.DeleteCallRequest(call_id=call_id), again=False)


def _filter(
    *,
    script_id: str = "",
    script_version: str = "",
    labels: Sequence[str] = (),
    rule_id: str = "",
    begun_from: datetime | None = None,
    begun_before: datetime | None = None,
    attributes: Mapping[str, str] | None = None,
    text: str = "",
    final: bool | None = None,
) -> v1.CallFilter:
    fields: dict[str, Any] = {
        "script_id": script_id,
        "script_version": script_version,
        "labels": [labels] if isinstance(labels, str) else labels,
        "rule_id": rule_id,
        "from": moment(begun_from),
        "before": moment(begun_before),
        "attributes": attributes,
        "text": text,
        "final": final,
    }
    return v1.CallFilter(**fields)
