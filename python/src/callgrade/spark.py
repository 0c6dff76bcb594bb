"""Recorded calls graded on Apache Spark, by the program ``callgrade``: one child process a task.

The program has to be where the tasks run: ``spark-submit --files callgrade`` takes it there, so do a shared folder or an image. So does a folder of
scripts of your own.

>>> from callgrade.spark import grade                                                                  # doctest: +SKIP
>>> grade(spark.read.parquet("calls"), script="broadband").write.parquet("verdicts")                   # doctest: +SKIP
"""

import itertools
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from callgrade import arrow

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["grade"]


def grade(
    df: "DataFrame",
    *,
    script: str | None = None,
    scripts: str | None = None,
    against: str | None = None,
    store: str | None = None,
    tenant: str | None = None,
    mask: bool = False,
    binary: str = "callgrade",
    arguments: Sequence[str] = (),
    partitions: int | None = None,
) -> "DataFrame":
    """Grades the calls of a data frame; the verdicts as another, a row a call.

    The frame is nested (a row a call, its events in the column ``events``) or flat (a row an event, with ``call_id``, ``seq`` and ``kind``); a
    flat one is first brought together by call and sorted, so a call is graded whole wherever its rows were. The columns of the result are what the
    program says they are: it is asked when this is called, on the driver. A call that cannot be graded has only ``call_id`` and ``error``.

    Where the program fails, the task fails with what it said, and Spark tries it again; no part of a task's verdicts is taken for the whole.

    Args:
        df: the calls.
        script: the script of calls that name none; ``ID@VERSION`` also fixes the version.
        scripts: a folder of scripts in place of those in the program.
        against: another script, ``ID`` or ``ID@VERSION``, that grades each call too: what it says stands in the column ``before``.
        store: the store of a server, and
        tenant: whose part of it, where versions are found that the folder does not have.
        mask: mask personal numbers first.
        binary: the program: a path, or a name to look for among the files of ``--files`` and on the ``PATH``.
        arguments: more of its arguments.
        partitions: into how many parts a flat frame is brought together; Spark decides if None.

    Raises:
        GradingFailed: the program cannot grade with these options.
        ValueError: the frame has the columns of neither form.
    """
    # Imported here: tasks need no Spark of their own but the one they run in.
    from pyspark.sql.pandas.types import from_arrow_schema

    columns = set(df.columns)
    if "call_id" not in columns or not columns & {"events", "kind"}:
        raise ValueError("the frame needs call_id, and events (a row a call) or kind (a row an event)")
    options = {
        "script": script,
        "scripts": scripts,
        "against": against,
        "store": store,
        "tenant": tenant,
        "mask": mask,
        "arguments": list(arguments),
    }
    if "events" not in columns:
        df = df.repartition("call_id") if partitions is None else df.repartition(partitions, "call_id")
        df = df.sortWithinPartitions("call_id", *(["seq"] if "seq" in columns else []))
    return df.mapInArrow(_Task(options, binary), from_arrow_schema(arrow.schema(binary=_found(binary), **options)))


class _Task:
    """What a task does with its batches."""

    def __init__(self, options: dict[str, Any], binary: str) -> None:
        self._options = options
        self._binary = binary

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        first = next(batches, None)
        # A task without calls needs nobody to grade them.
        if first is not None:
            yield from arrow.start(first.schema, itertools.chain([first], batches), binary=_found(self._binary), **self._options).batches()


def _found(binary: str) -> str:
    """Where a program is on this machine."""
    if os.sep in binary:
        return binary
    from pyspark import SparkFiles

    try:
        shipped = SparkFiles.get(binary)
    except Exception:  # There is no session on this machine.
        shipped = binary
    return shipped if os.path.exists(shipped) else shutil.which(binary) or binary
