"""Two programs at work on the same calls, their answers side by side."""

import threading
from collections import deque
from collections.abc import Iterator

import pyarrow as pa

from callgrade.child import Child, GradingFailed

__all__ = ["Pair"]

# Batches that one of them may be ahead of the other, and that wait to be read.
_AHEAD = 4
# What is told of the verdict before.
_BEFORE = ("script_id", "script_version", "label", "rule_id", "reason", "error")


class Pair:
    """The same calls graded by two commands. The answer is that of the first, and what the second says in the column ``before``."""

    def __init__(self, after: list[str], before: list[str], form: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self._tee = _Tee(batches)
        self._after = Child(after, form, self._tee.side(0))
        try:
            # Both are at work before either is waited for.
            self._before = Child(before, form, self._tee.side(1))
            self._struct = pa.struct([self._before.schema.field(name) for name in _BEFORE])
            self.schema: pa.Schema = self._after.schema.append(pa.field("before", self._struct))
        except BaseException:
            self._tee.stop()
            self._after.end()
            raise

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Their answers, row by row; it raises unless both are whole."""
        answers = _Answers(self._after, self._before)
        try:
            after, before = answers.take(0), answers.take(1)
            while after is not None and before is not None:
                rows = min(after.num_rows, before.num_rows)
                if after.column("call_id")[:rows] != before.column("call_id")[:rows]:
                    raise GradingFailed("the two verdicts are not of the same calls")
                yield self._side_by_side(after.slice(0, rows), before.slice(0, rows))
                after = after.slice(rows) if after.num_rows > rows else answers.take(0)
                before = before.slice(rows) if before.num_rows > rows else answers.take(1)
            if after is not None or before is not None:
                raise GradingFailed("the two verdicts are not of the same calls")
        finally:
            self._tee.stop()
            answers.stop()
            self._after.end()
            self._before.end()

    def _side_by_side(self, after: pa.RecordBatch, before: pa.RecordBatch) -> pa.RecordBatch:
        told = pa.StructArray.from_arrays([before.column(name) for name in _BEFORE], fields=list(self._struct))
        return pa.RecordBatch.from_arrays([*after.columns, told], schema=self.schema)


class _Tee:
    """One input for two; whoever is ahead waits for the other."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._changed = threading.Condition()
        self._waiting: tuple[deque[pa.RecordBatch], deque[pa.RecordBatch]] = (deque(), deque())
        self._gone = [False, False]
        self._reading = False
        self._over = False
        self._stopped = False
        self._failure: BaseException | None = None

    def side(self, place: int) -> Iterator[pa.RecordBatch]:
        """The input of one of them."""
        try:
            while (batch := self._next(place)) is not None:
                yield batch
        finally:
            with self._changed:
                self._gone[place] = True
                self._waiting[place].clear()
                self._changed.notify_all()

    def _next(self, place: int) -> pa.RecordBatch | None:
        mine, other = self._waiting[place], self._waiting[1 - place]
        while True:
            with self._changed:
                self._changed.wait_for(lambda: mine or self._over or self._stopped or (not self._reading and len(other) < _AHEAD))
                if self._failure is not None:
                    raise self._failure
                if mine:
                    self._changed.notify_all()
                    return mine.popleft()
                if self._over or self._stopped:
                    return None
                self._reading = True
            self._read()

    def _read(self) -> None:
        batch: pa.RecordBatch | None = None
        failure: BaseException | None = None
        try:
            batch = next(self._batches, None)
        except BaseException as error:
            failure = error
        with self._changed:
            self._reading = False
            self._failure = failure
            if batch is None:
                self._over = True
            else:
                for waiting, gone in zip(self._waiting, self._gone, strict=True):
                    if not gone:
                        waiting.append(batch)
            self._changed.notify_all()

    def stop(self) -> None:
        """Nobody wants more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()


class _Answers:
    """What two processes answer, read as it comes: were one of them left unread, the other would wait for its input."""

    def __init__(self, *children: Child) -> None:
        self._changed = threading.Condition()
        self._come: tuple[deque[pa.RecordBatch], ...] = tuple(deque() for _ in children)
        self._over = [False] * len(children)
        self._failure: BaseException | None = None
        self._stopped = False
        for place, child in enumerate(children):
            threading.Thread(target=self._read, args=(place, child), name="callgrade-read", daemon=True).start()

    def _read(self, place: int, child: Child) -> None:
        mine, other = self._come[place], self._come[1 - place]
        try:
            for batch in child.batches():
                with self._changed:
                    mine.append(batch)
                    self._changed.notify_all()
                    # As long as there are answers of both to be taken, the rest can wait.
                    self._changed.wait_for(lambda: len(mine) < _AHEAD or not other or self._stopped)
                    if self._stopped:
                        return
        except BaseException as error:
            with self._changed:
                self._failure = self._failure or error
        finally:
            with self._changed:
                self._over[place] = True
                self._changed.notify_all()

    def take(self, place: int) -> pa.RecordBatch | None:
        """The next answer of one; None if there are no more. Raises what went wrong with either."""
        with self._changed:
            self._changed.wait_for(lambda: self._come[place] or self._over[place] or self._failure is not None)
            if self._failure is not None:
                raise self._failure
            if not self._come[place]:
                return None
            batch = self._come[place].popleft()
            self._changed.notify_all()
            return batch

    def stop(self) -> None:
        """Nobody wants more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
