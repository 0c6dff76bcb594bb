"""Recorded calls graded in any Arrow engine, by the program ``callgrade`` as a child process.

Calls go in as record batches and verdicts come out as record batches, a row a call. The columns of both are those of
``callgrade classify --format arrow --output arrow``: nested (a row a call, its events a list of structs in the column ``events``) or flat (a
row an event, with its ``kind``; the rows of a call one after the other). Nothing is held but what is in the pipes, however long the input is.

>>> import polars                                                                                     # doctest: +SKIP
>>> polars.from_arrow(grade(polars.read_parquet("calls.parquet"), script="broadband"))                # doctest: +SKIP
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from callgrade.child import Child, GradingFailed
from callgrade.pair import Pair

__all__ = ["GradingFailed", "command", "grade", "schema", "start"]


def command(
    *,
    script: str | None = None,
    scripts: str | None = None,
    store: str | None = None,
    tenant: str | None = None,
    mask: bool = False,
    binary: str = "callgrade",
    arguments: Sequence[str] = (),
) -> list[str]:
    """The command that is run; the arguments are those of :func:`grade`."""
    options = {"--script": script, "--scripts": scripts, "--store": store, "--tenant": tenant}
    given = [part for option, value in options.items() if value is not None for part in (option, str(value))]
    masking = ["--mask"] if mask else []
    return [binary, "classify", "--format", "arrow", "--output", "arrow", *given, *masking, *arguments, "-"]


def schema(**options: Any) -> pa.Schema:
    """The columns of verdicts, as the program itself says; the options are those of :func:`grade`.

    Raises:
        GradingFailed: it cannot grade with these options.
    """
    calls = pa.schema([("call_id", pa.string()), ("events", pa.list_(pa.struct([("kind", pa.string())])))])
    with grade(calls.empty_table(), **options) as verdicts:
        for _ in verdicts:
            pass
        return verdicts.schema


def grade(
    data: Any,
    *,
    script: str | None = None,
    scripts: str | None = None,
    against: str | None = None,
    store: str | None = None,
    tenant: str | None = None,
    mask: bool = False,
    binary: str = "callgrade",
    arguments: Sequence[str] = (),
) -> pa.RecordBatchReader:
    """Grades calls; the verdicts as a reader of record batches, a row a call in their order.

    A call that cannot be graded is a row with nothing but ``call_id`` and, in ``error``, why; events that were left out are in ``rejections``.

    Args:
        data: a table, a record batch, a reader or an iterable of record batches, or whatever else exports Arrow's C stream: data frames of
            pandas and Polars, relations of DuckDB.
        script: the script of calls that name none; ``ID@VERSION`` also fixes the version.
        scripts: a folder of scripts in place of those in the program.
        against: another script, ``ID`` or ``ID@VERSION``, that grades each call too: what it says stands in the column ``before``.
        store: the store of a server, and
        tenant: whose part of it, where versions are found that the folder does not have.
        mask: mask personal numbers first.
        binary: the program.
        arguments: more of its arguments.

    Raises:
        GradingFailed: at once, or while the reader is read: the program could not grade to the end. What was read until then is not the whole.
    """
    form, batches = _batches(data)
    options = {"scripts": scripts, "store": store, "tenant": tenant, "mask": mask, "binary": binary, "arguments": arguments}
    at_work = start(form, batches, script=script, against=against, **options)
    return pa.RecordBatchReader.from_batches(at_work.schema, at_work.batches())


def start(form: pa.Schema, batches: Iterator[pa.RecordBatch], *, script: str | None, against: str | None, **options: Any) -> Child | Pair:
    """Starts to grade batches of one schema; with two scripts, twice."""
    if against is None:
        return Child(command(script=script, **options), form, batches)
    return Pair(command(script=script, **options), command(script=against, **options), form, batches)


def _batches(data: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    if isinstance(data, pa.RecordBatch):
        return data.schema, iter([data])
    if isinstance(data, pa.Table):
        data = data.to_reader()
    elif not isinstance(data, pa.RecordBatchReader) and hasattr(data, "__arrow_c_stream__"):
        data = pa.RecordBatchReader.from_stream(data)
    if isinstance(data, pa.RecordBatchReader):
        return data.schema, iter(data)
    if not isinstance(data, Iterable):
        raise TypeError(f"{type(data).__name__} holds no Arrow record batches")
    batches = iter(data)
    first = next(batches, None)
    if first is None:
        raise ValueError("there are no record batches, so nobody knows their columns: give a table or a reader")
    return first.schema, itertools.chain([first], batches)
