"""Many live calls on one stream, kept up over lost connections and restarts of the server."""

import heapq
import itertools
import logging
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any

import grpc

from callgrade import events, v1
from callgrade.retry import backoff, is_lost, retry_info, status_of

__all__ = ["CallRefused", "LiveCall", "Stream", "StreamFailed"]

log = logging.getLogger("callgrade")

# Most bytes of a call's id that a server keeps.
_MOST_ID_BYTES = 512
# Events behind one that was not kept are sent again after so long, where the server names no time.
_BEHIND_S = 0.2


class StreamFailed(RuntimeError):
    """The stream cannot go on: the server refuses it, or a callback raised; ``__cause__`` is what happened."""


class CallRefused(RuntimeError):
    """The server does not take this call: its script is unknown, or it is closed to late events."""

    def __init__(self, rejection: v1.Rejection) -> None:
        """With what the server said."""
        super().__init__(f"call {rejection.call_id!r}, event {rejection.seq}: {rejection.status.message}")
        self.rejection = rejection


class LiveCall:
    """A call while it is live; :meth:`Stream.call` makes it. Its methods send events; they are those of :mod:`callgrade.events`.

    Each returns the number of its event. They wait while the stream's window is full, and raise :class:`CallRefused` once the server has
    refused the call.
    """

    __slots__ = (
        "__weakref__",
        "_acked",
        "_end",
        "_head",
        "_held",
        "_next",
        "_pending",
        "_ready",
        "_refused",
        "_retried",
        "_revision",
        "_sent",
        "_stream",
        "_verdict",
        "call_id",
    )

    def __init__(self, stream: "Stream", call_id: str, head: dict[str, Any], kept: int) -> None:
        """Made by :meth:`Stream.call`."""
        self.call_id = call_id
        self._stream = stream
        self._head = head
        self._next = kept + 1
        self._acked = kept
        # Handed to the connection as it is now.
        self._sent = kept
        # Not acknowledged; the event that ended the call stays until its final verdict has come.
        self._pending: deque[tuple[int, v1.StreamCallsRequest]] = deque()
        self._end = 0
        # From this event on the server asked to send again later; until it is sent, what is acknowledged behind it does not count.
        self._held: int | None = None
        self._retried = 0
        self._ready = False
        self._revision = 0
        self._verdict: v1.Verdict | None = None
        self._refused: v1.Rejection | None = None

    @property
    def verdict(self) -> v1.Verdict | None:
        """The last verdict that came, if any."""
        return self._verdict

    @property
    def acknowledged(self) -> int:
        """This and every earlier event is kept."""
        return self._acked

    def result(self, timeout_s: float | None = None) -> v1.Verdict:
        """Waits for the final verdict.

        Raises:
            CallRefused: the server does not take the call.
            StreamFailed: the stream cannot go on.
            TimeoutError: it has not come in time.
        """
        return self._stream._result(self, timeout_s)

    def send(self, event: v1.CallEvent) -> int:
        """Sends an event."""
        return self._stream._send(self, event)

    def answered(self, *, at_ms: int) -> int:
        """See :func:`callgrade.events.answered`."""
        return self.send(events.answered(at_ms=at_ms))

    def not_connected(self, *, at_ms: int, **why: Any) -> int:
        """See :func:`callgrade.events.not_connected`. Ends the call."""
        return self.send(events.not_connected(at_ms=at_ms, **why))

    def answered_by(self, answerer: str | int, *, at_ms: int) -> int:
        """See :func:`callgrade.events.answered_by`."""
        return self.send(events.answered_by(answerer, at_ms=at_ms))

    def said(self, speaker: str | int, text: str, *, at_ms: int, **more: Any) -> int:
        """See :func:`callgrade.events.said`."""
        return self.send(events.said(speaker, text, at_ms=at_ms, **more))

    def entered(self, node_id: str, *, at_ms: int) -> int:
        """See :func:`callgrade.events.entered`."""
        return self.send(events.entered(node_id, at_ms=at_ms))

    def silence(self, duration_ms: int, *, at_ms: int) -> int:
        """See :func:`callgrade.events.silence`."""
        return self.send(events.silence(duration_ms, at_ms=at_ms))

    def keyword(self, category: str, keyword: str = "", *, at_ms: int, utterance_id: str = "") -> int:
        """See :func:`callgrade.events.keyword`."""
        return self.send(events.keyword(category, keyword, at_ms=at_ms, utterance_id=utterance_id))

    def refused(self, *, at_ms: int, utterance_id: str = "") -> int:
        """See :func:`callgrade.events.refused`."""
        return self.send(events.refused(at_ms=at_ms, utterance_id=utterance_id))

    def invite(self, outcome: str | int, *, at_ms: int) -> int:
        """See :func:`callgrade.events.invite`."""
        return self.send(events.invite(outcome, at_ms=at_ms))

    def dtmf(self, digits: str, *, at_ms: int) -> int:
        """See :func:`callgrade.events.dtmf`."""
        return self.send(events.dtmf(digits, at_ms=at_ms))

    def transferred(self, to: str = "", *, at_ms: int) -> int:
        """See :func:`callgrade.events.transferred`."""
        return self.send(events.transferred(to, at_ms=at_ms))

    def hangup(self, *, at_ms: int, by: str | int | None = None, **cause: Any) -> int:
        """See :func:`callgrade.events.hangup`. Ends the call."""
        return self.send(events.hangup(by=by, at_ms=at_ms, **cause))

    # What follows is for the stream, which holds its lock.

    def _settled(self) -> bool:
        return not self._pending

    def _drop_kept(self) -> None:
        """Lets go of events that nobody will ask for again."""
        while self._pending and self._pending[0][0] <= self._acked and not (self._pending[0][0] == self._end and not self._revision):
            self._pending.popleft()

    def _rewind(self) -> None:
        """Sends again from the first event that may be missing."""
        self._sent = self._pending[0][0] - 1 if self._pending else self._next - 1
        self._held = None

    def _unsent(self) -> v1.StreamCallsRequest | None:
        if self._held is not None or not self._pending or self._sent >= self._pending[-1][0]:
            return None
        place = max(self._sent + 1 - self._pending[0][0], 0)
        seq, request = self._pending[place]
        self._sent = seq
        return request


class Stream:
    """Live calls streamed to a server, any number at one time; :meth:`Client.stream` makes it. Threads may share it.

    What is sent is remembered until the server has acknowledged it, which means that it is on disk there. When the connection is lost or the
    server restarts, the stream comes back by itself and sends the rest again; where the server asks to wait, it waits. At most ``window`` events
    are unacknowledged at one time; then sending waits. Verdicts are told once each: to ``on_verdict``, by :meth:`LiveCall.result`, and by
    :meth:`verdicts`. Callbacks run in the stream's own thread, one after the other; they may send, and while they run nothing else is read.
    One that raises ends the stream.

    Leaving its ``with`` block finishes it; by an exception, drops it.

    >>> with client.stream(on_verdict=lambda verdict: print(verdict.label)) as stream:       # doctest: +SKIP
    ...     call = stream.call("c-1", "broadband")
    ...     call.answered(at_ms=6000)
    ...     call.said("customer", "收费吗", at_ms=8400)
    ...     call.hangup(by="customer", at_ms=9900)
    """

    def __init__(
        self,
        stub: Any,
        metadata: tuple[tuple[str, str], ...],
        *,
        on_verdict: Callable[[v1.Verdict], object] | None,
        on_rejection: Callable[[v1.Rejection], object] | None,
        window: int,
        longest_wait_s: float,
        finish_s: float | None,
    ) -> None:
        """Made by :meth:`Client.stream`.

        Args:
            stub: of ``callgrade.v1.Grading``.
            metadata: what the request says of who asks.
            on_verdict: is told each verdict that differs from the call's one before.
            on_rejection: is told each event that the server does not take, and will not take later.
            window: most events that are not acknowledged.
            longest_wait_s: longest pause before the server is tried again.
            finish_s: how long leaving the ``with`` block may take; as long as it takes if None.
        """
        if window < 1:
            raise ValueError("the window must have room for an event")
        self._stub = stub
        self._metadata = metadata
        self._on_verdict = on_verdict
        self._on_rejection = on_rejection
        self._window = window
        self._longest_wait_s = longest_wait_s
        self._finish_s = finish_s
        self._changed = threading.Condition()
        self._handles: weakref.WeakValueDictionary[str, LiveCall] = weakref.WeakValueDictionary()
        # Calls of which something is still to come.
        self._open: dict[str, LiveCall] = {}
        self._unacknowledged = 0
        # Calls that have something to send, in turn; those that wait for their time, by it.
        self._ready: deque[LiveCall] = deque()
        self._held: list[tuple[float, int, LiveCall]] = []
        self._ticket = itertools.count()
        self._queue: deque[v1.Verdict] | None = None
        self._queue_limit = 0
        # The connection there is now: what belongs to an earlier one ends.
        self._epoch = 0
        self._answers: Any = None
        self._finishing = False
        self._closed = False
        self._ended = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="callgrade-stream", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Stream":
        """The stream itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Finishes it, or drops it if an exception came."""
        if kind is not None:
            self.close()
            return
        try:
            self.finish(self._finish_s)
        finally:
            self.close()

    def call(
        self,
        call_id: str,
        script_id: str = "",
        *,
        started_at: datetime | None = None,
        time_zone: str = "",
        attributes: Mapping[str, str] | None = None,
        kept: int = 0,
    ) -> LiveCall:
        """A call to send events of.

        Args:
            call_id: the dialer's id; no telephone number, for it is never masked.
            script_id: which script grades it; empty: the server's default.
            started_at: when dialing began, with its time zone.
            time_zone: IANA; empty: the tenant's.
            attributes: campaign, line …; filterable, never interpreted.
            kept: for a call that an earlier process began: the events up to this one are kept, see :meth:`Client.state`.

        Raises:
            ValueError: the id cannot be kept, or the call is on this stream already.
        """
        if not call_id or "\0" in call_id or len(call_id.encode()) > _MOST_ID_BYTES:
            raise ValueError(f"a call's id has 1 to {_MOST_ID_BYTES} bytes, none of them NUL")
        head = {"script_id": script_id, "started_at": events.moment(started_at), "time_zone": time_zone, "attributes": attributes}
        with self._changed:
            if call_id in self._handles:
                raise ValueError(f"call {call_id!r} is on this stream already")
            call = LiveCall(self, call_id, head, kept)
            self._handles[call_id] = call
            return call

    @property
    def unacknowledged(self) -> int:
        """How many events are not acknowledged."""
        return self._unacknowledged

    def verdicts(self, limit: int = 0) -> Iterator[v1.Verdict]:
        """Verdicts as they come, from now on, until the stream is finished; ask once, before you send.

        Those not taken yet wait in memory. With ``limit``, once so many wait nothing more is read, and sooner or later sending waits too: then
        they must be taken in another thread than the one that sends.

        Raises:
            StreamFailed: while they are taken: the stream cannot go on.
        """
        with self._changed:
            if self._queue is not None:
                raise RuntimeError("the stream's verdicts are taken already")
            self._queue, self._queue_limit = deque(), limit
        return self._take_verdicts(self._queue)

    def _take_verdicts(self, queue: deque[v1.Verdict]) -> Iterator[v1.Verdict]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: queue or self._ended)
                if not queue:
                    self._check()
                    return
                verdict = queue.popleft()
                self._changed.notify_all()
            yield verdict

    def finish(self, timeout_s: float | None = None) -> None:
        """Says that nothing more is sent; waits until every event is acknowledged and every ended call has its final verdict.

        Raises:
            StreamFailed: the stream cannot go on.
            TimeoutError: that took longer. The stream goes on, as if it had not been asked for.
        """
        with self._changed:
            self._finishing = True
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: self._ended, timeout_s):
                self._finishing = False
                calls = sum(1 for call in self._open.values() if call._end and not call._revision)
                raise TimeoutError(
                    f"not acknowledged: {self._unacknowledged} events; without a final verdict: {calls} calls that have ended"
                )
            self._check()

    def close(self) -> None:
        """Ends the stream at once. What is not acknowledged may be lost."""
        with self._changed:
            self._closed = True
            answers = self._answers
            self._changed.notify_all()
        if answers is not None and not self._ended:
            answers.cancel()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    # ───────────────────────────── what calls ask for ─────────────────────────────

    def _send(self, call: LiveCall, event: v1.CallEvent) -> int:
        with self._changed:
            # A callback cannot wait for what only its own thread can read.
            if threading.current_thread() is not self._thread:
                self._changed.wait_for(lambda: self._unacknowledged < self._window or self._over() or call._refused is not None)
            if call._refused is not None:
                raise CallRefused(call._refused)
            self._check()
            if self._closed or self._finishing:
                raise RuntimeError("the stream is finished")
            seq = call._next
            head = call._head if seq == 1 else {}
            request = v1.StreamCallsRequest(call_id=call.call_id, seq=seq, event=event, **head)
            if not call._end and event.WhichOneof("event") in ("hangup", "not_connected"):
                call._end = seq
            call._next += 1
            call._pending.append((seq, request))
            self._unacknowledged += 1
            self._open[call.call_id] = call
            self._make_ready(call)
            return seq

    def _result(self, call: LiveCall, timeout_s: float | None) -> v1.Verdict:
        with self._changed:
            if threading.current_thread() is self._thread and call._verdict is not None and call._verdict.final:
                return call._verdict
            if not self._changed.wait_for(lambda: call._revision or call._refused is not None or self._over(), timeout_s):
                raise TimeoutError(f"call {call.call_id!r} has no final verdict yet")
            if call._revision and call._verdict is not None:
                return call._verdict
            if call._refused is not None:
                raise CallRefused(call._refused)
            self._check()
            raise RuntimeError(f"the stream was closed before call {call.call_id!r} had its final verdict")

    def _over(self) -> bool:
        return self._closed or self._failure is not None or (self._finishing and not self._open)

    def _check(self) -> None:
        if self._failure is not None:
            words = self._failure.details() if isinstance(self._failure, grpc.RpcError) else None
            raise StreamFailed(words or str(self._failure)) from self._failure

    def _make_ready(self, call: LiveCall) -> None:
        if not call._ready and call._held is None:
            call._ready = True
            self._ready.append(call)
            self._changed.notify_all()

    # ───────────────────────────── the connection ─────────────────────────────

    def _run(self) -> None:
        """The stream's thread: whatever ends it is told to all who wait."""
        try:
            self._keep_connected()
        except BaseException as error:
            log.error("the stream cannot go on: %s", type(error).__name__)
            self._failure = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _keep_connected(self) -> None:
        """Connects, and connects again, until the stream is over."""
        failures = 0
        while True:
            with self._changed:
                if self._over():
                    return
                self._epoch += 1
                # Whatever the last connection was given may have been lost with it.
                self._held.clear()
                for call in self._open.values():
                    call._rewind()
                    self._make_ready(call)
                self._answers = answers = self._stub.StreamCalls(_Requests(self, self._epoch), metadata=self._metadata)
            error: grpc.RpcError | None = None
            try:
                for answer in answers:
                    failures = 0
                    self._heard(answer)
            except grpc.RpcError as raised:
                error = raised
            finally:
                answers.cancel()
                with self._changed:
                    self._epoch += 1
                    self._changed.notify_all()
                    over = self._over()
            if over:
                return
            wait = self._pause(error, failures)
            failures += 1
            with self._changed:
                self._changed.wait_for(self._over, wait)

    def _pause(self, error: grpc.RpcError | None, failures: int) -> float:
        """How long to wait before the server is tried again; raises what it must not be tried again after."""
        wait = backoff(failures, self._longest_wait_s)
        if error is None:
            log.warning("the server ended the stream; again in %.1f s", wait)
            return wait
        told = retry_info(status_of(error))
        if told is None and not is_lost(error):
            raise error
        wait = wait if told is None else told
        log.warning("the stream was lost (%s: %s); again in %.1f s", error.code().name, error.details(), wait)
        return wait

    def _next_request(self, epoch: int) -> v1.StreamCallsRequest | None:
        """What a connection sends next, waited for; None when it is over."""
        with self._changed:
            while True:
                if self._epoch != epoch or self._over():
                    return None
                now = time.monotonic()
                while self._held and self._held[0][0] <= now:
                    call = heapq.heappop(self._held)[2]
                    if call._held is not None:
                        call._rewind()
                        self._make_ready(call)
                while self._ready:
                    call = self._ready.popleft()
                    call._ready = False
                    request = call._unsent()
                    if request is not None:
                        # The others in between: nobody's turn waits for a long call.
                        self._make_ready(call)
                        return request
                self._changed.wait(max(self._held[0][0] - now, 0.001) if self._held else None)

    # ───────────────────────────── what is answered ─────────────────────────────

    def _heard(self, answer: v1.StreamCallsResponse) -> None:
        match answer.WhichOneof("response"):
            case "ack":
                with self._changed:
                    call = self._handles.get(answer.ack.call_id)
                    if call is not None:
                        self._acknowledge(call, answer.ack.seq)
            case "verdict":
                self._verdict(answer.verdict)
            case "rejection":
                self._rejection(answer.rejection)

    def _acknowledge(self, call: LiveCall, seq: int) -> None:
        if call._held is not None:
            seq = min(seq, call._held - 1)
        seq = min(seq, call._next - 1)
        if seq > call._acked:
            self._unacknowledged -= seq - call._acked
            call._acked = seq
            call._retried = 0
            call._drop_kept()
            self._settle(call)
            self._changed.notify_all()

    def _settle(self, call: LiveCall) -> None:
        if call._settled():
            self._open.pop(call.call_id, None)

    def _verdict(self, verdict: v1.Verdict) -> None:
        with self._changed:
            call = self._handles.get(verdict.call_id)
            if call is not None:
                if (call._revision and verdict.revision <= call._revision) or (not verdict.final and _same(verdict, call._verdict)):
                    return  # Told before: sent again, the same is answered again.
                call._verdict = verdict
        if self._on_verdict is not None:
            self._on_verdict(verdict)
        # Whoever waits for it comes after the callback, so leaving the stream or a result means that all of it was told.
        with self._changed:
            if call is not None:
                call._revision = verdict.revision
                call._drop_kept()
                self._settle(call)
            queue = self._queue
            if queue is not None:
                if self._queue_limit:
                    self._changed.wait_for(lambda: len(queue) < self._queue_limit or self._closed)
                queue.append(verdict)
            self._changed.notify_all()

    def _rejection(self, rejection: v1.Rejection) -> None:
        seq, status = rejection.seq, rejection.status
        with self._changed:
            call = self._handles.get(rejection.call_id)
            if call is not None and self._comes_again(call, rejection):
                return
            if call is not None:
                if status.code in (grpc.StatusCode.NOT_FOUND.value[0], grpc.StatusCode.FAILED_PRECONDITION.value[0]):
                    # Of the call as a whole: nothing of it will be taken.
                    if call._refused is not None:
                        return
                    call._refused = rejection
                    self._unacknowledged -= call._next - 1 - call._acked
                    call._acked = call._next - 1
                    call._pending.clear()
                elif seq == call._end:
                    # What was to end the call has not.
                    call._end = 0
                    call._drop_kept()
                self._settle(call)
                self._changed.notify_all()
        # Its words may be the call's.
        log.warning("call %s, event %d was refused with code %d", rejection.call_id, seq, status.code)
        if self._on_rejection is not None:
            self._on_rejection(rejection)

    def _comes_again(self, call: LiveCall, rejection: v1.Rejection) -> bool:
        """Holds a call back whose event is to be sent again later, with what is behind it."""
        seq, wait = rejection.seq, retry_info(rejection.status)
        if not call._acked < seq < call._next:
            # Of an event that was acknowledged meanwhile, or was never sent.
            return call._refused is not None or (wait is not None and seq <= call._acked)
        if wait is None:
            # What came behind an event that was not kept has waited for it in vain.
            behind = rejection.status.code == grpc.StatusCode.FAILED_PRECONDITION.value[0] and seq > call._acked + 1
            if not behind:
                return False
            wait = _BEHIND_S
        if call._held is not None:
            call._held = min(call._held, seq)
            return True
        call._held = seq
        call._retried += 1
        # A server that is short of room is asked less and less often.
        wait = max(wait, 0.01) + (backoff(call._retried - 2, self._longest_wait_s) if call._retried > 2 else 0.0)
        heapq.heappush(self._held, (time.monotonic() + wait, next(self._ticket), call))
        self._changed.notify_all()
        return True


class _Requests:
    """What one connection sends."""

    def __init__(self, stream: Stream, epoch: int) -> None:
        self._stream = stream
        self._epoch = epoch

    def __iter__(self) -> "_Requests":
        return self

    def __next__(self) -> v1.StreamCallsRequest:
        request = self._stream._next_request(self._epoch)
        if request is None:
            raise StopIteration
        return request


def _same(verdict: v1.Verdict, before: v1.Verdict | None) -> bool:
    """Whether a provisional verdict says what the one before said."""
    if before is None:
        return False
    return bool(
        verdict.label == before.label
        and verdict.rule_id == before.rule_id
        and verdict.do_not_call == before.do_not_call
        and not before.final
    )
