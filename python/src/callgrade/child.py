"""The program ``callgrade`` at work in a process of its own: record batches in, record batches out."""

import subprocess
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

__all__ = ["Child", "GradingFailed"]

# Of what the program has written to standard error, as much is told.
_TOLD_BYTES = 4_096
# What it exits with after grading: all, or all but what was wrong with the input, which the rows say.
_GRADED = (0, 1)
# A process that has nothing more to say is gone within so long.
_PATIENCE_S = 5.0


class GradingFailed(RuntimeError):
    """The program could not be started, or did not grade to the end. What came before is not the whole."""


class Child:
    """The program at work on one input: it is fed in a thread of its own, and read by whoever asks for its batches."""

    def __init__(self, arguments: list[str], form: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(arguments, stdin=pipe, stdout=pipe, stderr=pipe)
        except OSError as error:
            raise GradingFailed(f"{arguments[0]} cannot be started: {error.strerror}") from error
        # Whoever drops the answer without reading it to its end leaves no process behind: no thread holds on to this.
        self._finalizer = weakref.finalize(self, _end, self._process)
        self._feed = _Feed(self._process, form, batches)
        self._said: deque[bytes] = deque()
        self._listener = threading.Thread(target=_listen, args=(self._process.stderr, self._said), name="callgrade-listen", daemon=True)
        self._feed.thread.start()
        self._listener.start()
        self._reader: pa.RecordBatchStreamReader | None = None

    @property
    def schema(self) -> pa.Schema:
        """The columns of its answer, waited for."""
        return self._answer().schema

    def _answer(self) -> pa.RecordBatchStreamReader:
        if self._reader is None:
            try:
                self._reader = pa.ipc.open_stream(self._process.stdout)
            except (pa.ArrowInvalid, OSError) as error:
                raise self._failed() from error
        return self._reader

    def end(self) -> None:
        """Ends the process, if it has not ended."""
        self._finalizer()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its answer. It raises unless all of the input was read and all of the answer came."""
        try:
            reader = self._answer()
            while True:
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    break
                except (pa.ArrowInvalid, OSError) as error:
                    raise self._failed() from error
                yield batch
            self._feed.thread.join()
            if self._process.wait() not in _GRADED or self._feed.cut_off or self._feed.failure is not None:
                raise self._failed()
        finally:
            self.end()

    def _failed(self) -> BaseException:
        """Why there is no answer, or not the whole."""
        try:
            # It has ended, or is about to; unless what it wrote is no answer.
            code = self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._feed.thread.join(_PATIENCE_S)
        self._listener.join(_PATIENCE_S)
        self.end()
        if self._feed.failure is not None:
            return self._feed.failure
        said = b"".join(self._said)[-_TOLD_BYTES:].decode(errors="replace").strip()
        how = f"was killed by signal {-code}" if code < 0 else f"exited with {code}"
        return GradingFailed(f"callgrade {how} before it had graded all calls: {said or 'it said nothing'}")


class _Feed:
    """What a process is given."""

    def __init__(self, process: "subprocess.Popen[bytes]", form: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self._process = process
        # What went wrong with the input.
        self.failure: BaseException | None = None
        # The process has gone before it was given everything.
        self.cut_off = False
        self.thread = threading.Thread(target=self._run, args=(form, batches), name="callgrade-feed", daemon=True)

    def _run(self, form: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            with stdin:
                writer = pa.ipc.new_stream(stdin, form)
                while (batch := self._next(batches)) is not None:
                    writer.write_batch(batch)
                if self.failure is None:
                    writer.close()
        except OSError:
            # Its exit says why.
            self.cut_off = True
        except BaseException as error:
            self._fail(error)
        finally:
            # A generator lets go of what it reads from now, not some day.
            getattr(batches, "close", lambda: None)()

    def _next(self, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
        try:
            return next(batches, None)
        except BaseException as error:
            self._fail(error)
            return None

    def _fail(self, error: BaseException) -> None:
        """Before its input ends: what has come so far must not pass for the whole."""
        self.failure = error
        self._process.kill()


def _listen(stderr: Any, said: deque[bytes]) -> None:
    """Keeps the last that is written to standard error, so that its writer never waits."""
    with stderr:
        while chunk := stderr.read1(_TOLD_BYTES):
            said.append(chunk)
            while len(said) > 2:
                if len(said[-1]) + len(said[-2]) < _TOLD_BYTES:
                    last = said.pop()
                    said[-1] += last
                else:
                    said.popleft()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a process that may have ended."""
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
