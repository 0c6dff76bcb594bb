"""Recorded calls graded in a child process: the real program, and others that fail in every way."""

import gc
import os
import stat
import threading

import pandas
import pyarrow as pa
import pytest
from calls import NESTED, essence, flat, jsonl, nested, sample
from google.protobuf import json_format
from server import BINARY, run

from callgrade import v1
from callgrade.arrow import GradingFailed, grade, schema


def by_command(calls, *options):
    """What the command says of the calls as a file."""
    with pa.ipc.open_stream(run("classify", "--output", "arrow", *options, "-", input=jsonl(calls))) as reader:
        return reader.read_all()


def test_nested_and_flat_are_graded_as_files_are():
    calls = sample()
    expected = essence(by_command(calls))
    assert expected.num_rows == len(calls) and expected["error"].null_count == len(calls)
    for form in (nested, flat):
        for rows in (1, 3, 1_000):
            batches = form(calls).to_batches(max_chunksize=rows)
            graded = grade(iter(batches), binary=BINARY).read_all()
            assert graded["call_id"].to_pylist() == [call["callId"] for call in calls]
            assert essence(graded) == expected, (form.__name__, rows)


def test_rows_say_what_messages_say():
    """The columns against the canonical JSON of the same verdicts, field by field."""
    calls = sample()
    messages = [json_format.Parse(line, v1.Verdict()) for line in run("classify", "-", input=jsonl(calls)).splitlines()]
    rows = grade(nested(calls), binary=BINARY).read_all().to_pylist()
    assert len(messages) == len(rows)
    for message, row in zip(messages, rows, strict=True):
        assert row.pop("error") is None and row.pop("rejections") == []
        callback = row["callback"]
        if callback is not None and callback["at"] is not None:
            callback["at"] = callback["at"].isoformat().replace("+00:00", "Z")
        row["signals"]["hits"] = dict(row["signals"]["hits"])
        told = {name: value for name, value in row.items() if value is not None}
        if callback is not None:
            told["callback"] = {name: value for name, value in callback.items() if value is not None}
        assert json_format.ParseDict(told, v1.Verdict()) == message


def test_the_schema_is_what_comes():
    assert schema(binary=BINARY) == grade(nested(sample()), binary=BINARY).schema
    assert schema(binary=BINARY, against="broadband").field("before").type.num_fields == 6


def test_frames_of_all_kinds():
    calls = sample()
    expected = essence(grade(nested(calls), binary=BINARY).read_all())
    table = nested(calls)
    (batch,) = table.to_batches()

    class Exported:
        """As data frames of other libraries hand over what they hold."""

        def __arrow_c_stream__(self, requested_schema=None):
            return table.__arrow_c_stream__(requested_schema)

    for data in (batch, table.to_reader(), table.to_batches(), Exported()):
        assert essence(grade(data, binary=BINARY).read_all()) == expected
    # A frame of events whose numbers have become floating, as pandas makes them.
    events = flat(calls).to_pandas()
    assert events["sip_code"].dtype == "float64"
    graded = grade(pa.Table.from_pandas(events, preserve_index=False), binary=BINARY).read_all()
    assert essence(graded) == expected
    assert isinstance(graded.to_pandas(), pandas.DataFrame)
    with pytest.raises(TypeError, match="int holds no Arrow record batches"):
        grade(7)
    with pytest.raises(ValueError, match="there are no record batches, so nobody knows their columns: give a table or a reader"):
        grade([])
    assert grade(NESTED.empty_table(), binary=BINARY).read_all().num_rows == 0


def test_a_bad_row_is_a_verdict_without_a_label():
    calls = sample()[:3]
    calls[1]["scriptId"] = "nope"
    calls[2]["events"].append({"atMs": 1, "hangup": {"by": "DOG"}})
    rows = grade(nested(calls), binary=BINARY).read_all().to_pylist()
    assert rows[1]["label"] is None and rows[1]["error"].startswith('unknown script "nope"; there are ')
    assert rows[2]["error"] is None and rows[2]["label"]
    assert rows[2]["rejections"] == [{"seq": len(calls[2]["events"]), "reason": 'unknown value "DOG" of by'}]


def test_a_flat_call_crosses_batches():
    """A call whose rows are spread over batches is graded whole, at whatever row they are cut."""
    calls = sample()
    table = flat(calls)
    expected = essence(by_command(calls))
    whole = table.combine_chunks().to_batches()[0]
    for cut in (1, 5, 9, 10):
        parts = [whole.slice(0, cut), whole.slice(cut, 0), whole.slice(cut)]
        assert essence(grade(parts, binary=BINARY).read_all()) == expected


def test_options_reach_the_program(tmp_path):
    calls = [
        {
            "callId": "1",
            "events": [
                {"atMs": 1, "answered": {}},
                {"atMs": 2, "utterance": {"speaker": "CUSTOMER", "text": "我的号码是13800138000，收费吗"}},
            ],
        }
    ]
    rows = grade(nested(calls), script="broadband", mask=True, binary=BINARY).read_all().to_pylist()
    assert (rows[0]["script_id"], rows[0]["signals"]["asked"]) == ("broadband", ["price"])
    rows = grade(nested(calls), script="broadband", against="telemarketing", binary=BINARY).read_all().to_pylist()
    assert (rows[0]["script_id"], rows[0]["before"]["script_id"], rows[0]["before"]["label"]) == ("broadband", "telemarketing", "C")
    with pytest.raises(GradingFailed, match=r'^callgrade exited with 2 before it had graded all calls: .*unknown script "nope"'):
        grade(nested(calls), script="nope", binary=BINARY)
    with pytest.raises(GradingFailed, match="exited with 2 .*nowhere"):
        grade(nested(calls), scripts=str(tmp_path / "nowhere"), binary=BINARY)


def test_two_scripts_side_by_side():
    """Far more calls than fit into the pipes, in batches of all sizes; both verdicts of each call stand in its row."""
    calls = [call | {"callId": f"{call['callId']}-{copy}", "scriptId": ""} for copy in range(60) for call in sample()]
    alone = {script: by_command(calls, "--script", script).to_pylist() for script in ("telemarketing", "broadband")}
    for form in (nested, flat):
        rows = (
            grade(form(calls).to_reader(max_chunksize=97), script="telemarketing", against="broadband", binary=BINARY)
            .read_all()
            .to_pylist()
        )
        assert len(rows) == len(calls)
        for row, after, before in zip(rows, alone["telemarketing"], alone["broadband"], strict=True):
            told = row.pop("before")
            assert row == after
            assert told == {name: before[name] for name in told}
            assert (told["script_id"], row["script_id"]) == ("broadband", "telemarketing")
    reader = grade(nested(calls).to_reader(max_chunksize=7), script="telemarketing", against="broadband", binary=BINARY)
    reader.read_next_batch()
    reader.close()
    for pair in ({"script": "telemarketing", "against": "nope"}, {"script": "nope", "against": "telemarketing"}):
        with pytest.raises(GradingFailed, match='exited with 2 .*unknown script "nope"'):
            grade(nested(calls).to_reader(max_chunksize=7), binary=BINARY, **pair)


# ───────────────────────────── what goes wrong ─────────────────────────────


@pytest.fixture
def program(tmp_path):
    """Makes a program of a shell script; $BINARY in it is the real one."""

    def make(text):
        path = tmp_path / "program"
        path.write_text(f"#!/bin/sh\nBINARY='{BINARY}'\n{text}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def many():
    """More than fits into pipes and buffers."""
    copies = nested(sample())
    for _ in range(200):
        yield from copies.to_batches()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("exit 0", "callgrade exited with 0 before it had graded all calls: it said nothing"),
        ("echo broken >&2; exit 3", "callgrade exited with 3 before it had graded all calls: broken"),
        ("echo no arrow", "callgrade exited with 0 before it had graded all calls: it said nothing"),
        ("kill -9 $$", "callgrade was killed by signal 9 before it had graded all calls: it said nothing"),
        # Dies when it has answered some: what came is no answer.
        (
            'head -c 60000 | "$BINARY" "$@" 2>/dev/null; echo half >&2; exit 9',
            "callgrade exited with 9 before it had graded all calls: half",
        ),
        # Claims that all is well, though it has not read everything.
        ('head -c 60000 | "$BINARY" "$@"; exit 0', "callgrade exited with 0 before it had graded all calls: "),
        # Says far more than anybody wants to hear.
        ("yes noise | head -n 100000 >&2; echo last words >&2; exit 4", "last words"),
    ],
    ids=["says nothing", "fails", "no Arrow", "killed", "half", "half, and well", "noise"],
)
def test_half_an_answer_is_none(program, script, told):
    with pytest.raises(GradingFailed) as failed:
        for _ in grade(many(), binary=program(script)):
            pass
    assert told in str(failed.value)
    assert len(str(failed.value)) < 5_000


def test_a_program_that_is_not_there():
    with pytest.raises(GradingFailed, match="^/nowhere/callgrade cannot be started: No such file or directory$"):
        grade(nested(sample()), binary="/nowhere/callgrade")


def test_a_program_killed_in_the_middle(program, tmp_path):
    pid = tmp_path / "pid"
    reader = grade(many(), binary=program(f'echo $$ > {pid}; exec "$BINARY" "$@"'))
    reader.read_next_batch()
    os.kill(int(pid.read_text()), 9)
    with pytest.raises(GradingFailed, match="killed by signal 9"):
        reader.read_all()


@pytest.mark.parametrize("against", [None, "broadband"])
def test_an_input_that_breaks_off_is_no_input(against):
    def breaks():
        yield from nested(sample()).to_batches()
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        grade(breaks(), script="telemarketing", against=against, binary=BINARY).read_all()


@pytest.mark.parametrize("begun", [False, True])
def test_an_answer_nobody_wants_leaves_no_process(program, tmp_path, begun):
    pid = tmp_path / "pid"
    reader = grade(many(), binary=program(f'echo $$ > {pid}; exec "$BINARY" "$@"'))
    if begun:
        reader.read_next_batch()
    reader.close()
    del reader
    gc.collect()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_the_pipes_hold_the_input_back():
    """While nobody reads the answer, no more is asked of the input than fits into the pipes."""
    asked = []
    stalled = threading.Event()

    def counted():
        table = nested(sample())
        for number in range(5_000):
            asked.append(number)
            stalled.set()
            yield from table.to_batches()

    reader = grade(counted(), binary=BINARY)
    stalled.wait()
    before = -1
    while len(asked) != before:
        before = len(asked)
        threading.Event().wait(0.5)
    assert before < 2_500
    reader.close()


def test_columns_that_are_missing():
    with pytest.raises(GradingFailed, match='there is no column "call_id"'):
        grade(pa.table({"events": pa.array([], NESTED.field("events").type)}), binary=BINARY).read_all()
    table = flat(sample()).drop_columns("kind")
    with pytest.raises(GradingFailed, match='neither a column "events"'):
        grade(table, binary=BINARY).read_all()
