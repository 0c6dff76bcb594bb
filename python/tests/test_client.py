"""Whole calls and records, asked of the real server."""

import os
from pathlib import Path

import grpc
import pytest
from calls import ROOT
from conftest import ASKS, DECLINES, essence
from google.protobuf import json_format
from server import run

from callgrade import Client, events, v1

# How a call ends whose time is over while it is tried again: between two tries, or within one.
GAVE_UP = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def test_grade(client):
    answer = client.grade(events.call("g-1", "broadband", ASKS, attributes={"line": "7"}))
    assert (answer.verdict.label, answer.verdict.rule_id, len(answer.rejections)) == ("A", "A1", 0)
    with pytest.raises(grpc.RpcError) as refused:
        client.grade(events.call("g-2", "nope", ASKS))
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    assert {script.script_id for script in client.scripts()} == {"broadband", "telemarketing"}


def test_the_sample_as_the_command_grades_it(client):
    lines = (ROOT / "examples/calls.jsonl").read_text(encoding="utf-8").splitlines()
    graded = [json_format.Parse(line, v1.Verdict()) for line in run("classify", "-", input="\n".join(lines).encode()).splitlines()]
    assert len(graded) == len(lines)
    for line, verdict in zip(lines, graded, strict=True):
        call = json_format.Parse(line, v1.Call())
        assert essence(client.grade(call).verdict) == essence(verdict)


def test_whole_calls_wait_for_a_server_that_starts(serve):
    server = serve()
    server.kill()
    with Client(server.address, timeout_s=0.3) as client, pytest.raises(grpc.RpcError) as lost:
        client.grade(events.call("gone", "broadband", ASKS))
    assert lost.value.code() in GAVE_UP
    import threading

    starting = threading.Timer(0.5, server.start)
    starting.start()
    with Client(server.address, timeout_s=60) as client:
        assert client.grade(events.call("patient", "broadband", ASKS)).verdict.label == "A"
    starting.join()


def test_records(serve):
    server = serve()
    with Client(server.address) as client:
        for number in range(25):
            kind = ASKS if number % 5 == 0 else DECLINES
            client.grade(events.call(f"r-{number}", "broadband", kind, attributes={"parity": str(number % 2)}))
        records = client.records
        assert len(list(records.list(page_size=4))) == 25
        assert {call.call_id for call in records.list(labels="A")} == {"r-0", "r-5", "r-10", "r-15", "r-20"}
        assert {call.call_id for call in records.list(labels=["A", "B"], attributes={"parity": "1"})} == {"r-5", "r-15"}
        exported = list(records.export(text="网速多少兆", final=True))
        assert len(exported) == 5 and all(len(call.call.events) == len(ASKS) for call in exported)
        found = records.get("r-5", history=True)
        assert found.call.verdict.label == "A" and [verdict.revision for verdict in found.history] == [1]
        records.delete("r-5")
        with pytest.raises(grpc.RpcError) as gone:
            records.get("r-5")
        assert gone.value.code() == grpc.StatusCode.NOT_FOUND
        with pytest.raises(TypeError):
            next(records.list(lable="A"))


def test_tls(serve):
    """The test that starts this makes the certificates: of localhost, by an authority of its own."""
    folder = os.environ.get("CALLGRADE_TLS")
    if not folder:
        pytest.skip("CALLGRADE_TLS is not set")
    folder = Path(folder)
    server = serve("--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem"))
    target = f"https://localhost:{server.address.rpartition(':')[2]}"
    with Client(target, ca=folder / "ca.pem") as client:
        assert client.grade(events.call("tls-1", "broadband", ASKS)).verdict.label == "A"
        with client.stream(finish_s=60) as stream:
            call = stream.call("tls-2", "broadband")
            call.not_connected(at_ms=1, result="busy")
            assert call.result(60).label == "E"
    # Of no authority of the system's.
    with Client(target, timeout_s=3) as client, pytest.raises(grpc.RpcError) as refused:
        client.scripts()
    assert refused.value.code() in GAVE_UP
