"""Recorded calls as tables: nested, flat, and as the command reads them."""

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa

ROOT = Path(__file__).resolve().parents[2]

EVENT = {
    "kind": pa.string(),
    "at_ms": pa.int64(),
    "speaker": pa.string(),
    "text": pa.string(),
    "duration_ms": pa.int64(),
    "node_id": pa.string(),
    "played": pa.float64(),
    "utterance_id": pa.string(),
    "interim": pa.bool_(),
    "category": pa.string(),
    "keyword": pa.string(),
    "result": pa.string(),
    "sip_code": pa.int32(),
    "q850_cause": pa.int32(),
    "hangup_cause": pa.string(),
    "announcement": pa.string(),
    "number_state": pa.int32(),
    "answerer": pa.string(),
    "outcome": pa.string(),
    "by": pa.string(),
    "digits": pa.string(),
    "to": pa.string(),
}
HEAD = {"call_id": pa.string(), "script_id": pa.string()}
NESTED = pa.schema([*HEAD.items(), ("attributes", pa.map_(pa.string(), pa.string())), ("events", pa.list_(pa.struct(list(EVENT.items()))))])
FLAT = pa.schema([*HEAD.items(), ("seq", pa.int32()), *EVENT.items()])


def snake(name):
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def event(told):
    """An event of the JSON form as a struct of the nested one."""
    row = {"at_ms": told.get("atMs", 0)}
    for name, fields in told.items():
        if name != "atMs":
            row["kind"] = snake(name)
            row |= {snake(field): value for field, value in fields.items()}
    return {name: row.get(name) for name in EVENT}


def nested(calls):
    rows = [
        {
            "call_id": call["callId"],
            "script_id": call.get("scriptId"),
            "attributes": list(call.get("attributes", {}).items()),
            "events": [event(told) for told in call["events"]],
        }
        for call in calls
    ]
    return pa.Table.from_pylist(rows, NESTED)


def flat(calls):
    rows = [
        {"call_id": call["callId"], "script_id": call.get("scriptId"), "seq": seq, **event(told)}
        for call in calls
        for seq, told in enumerate(call["events"], start=call.get("from", 0) + 1)
    ]
    return pa.Table.from_pylist(rows, FLAT)


def jsonl(calls):
    return "".join(json.dumps(call, ensure_ascii=False) + "\n" for call in calls).encode()


def sample():
    """The sample calls of the project."""
    return [json.loads(line) for line in (ROOT / "examples/calls.jsonl").read_text(encoding="utf-8").splitlines()]


def dialogues():
    """Real telephone dialogues of the development data where these are, else the project's sample; and which they are."""
    file = Path(os.environ.get("CALLGRADE_DATA", ROOT / "../shared/data")) / "dialogues.jsonl.gz"
    if not file.exists():
        return sample(), "examples/calls.jsonl"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines], "dialogues.jsonl.gz"


def essence(verdicts):
    """Verdicts by call, without what the contract leaves out of equality."""
    kept = [name for name in verdicts.column_names if name not in ("revision", "notices", "ended_by")]
    return verdicts.select(kept).sort_by("call_id")
