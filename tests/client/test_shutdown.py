"""SIGTERM: what is in flight is handed back, and the server goes. Runs last: the server is no more after it."""

import os
import signal
import time

import grpc
import pytest
from calls import BROADBAND_A, BROADBAND_D
from client import of, standings


def is_gone(pid):
    """Whether a process has ended, waited for by its parent or not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] in ("Z", "X")
    except FileNotFoundError:
        return True


def test_what_is_in_flight_is_handed_back(client, pid, call_id):
    live, over = f"{call_id}-live", f"{call_id}-over"
    with client.stream() as stream:
        stream.send_call(over, "broadband", BROADBAND_D)
        for seq in (1, 2, 3):
            stream.send(live, seq, BROADBAND_A[seq - 1], "broadband" if seq == 1 else "")
        answers = stream.until_ack(live, 3)
        while not standings(answers, live):
            answers.append(stream.next())
        assert standings(answers, over)[-1] == ("D", "D1", 1)

        os.kill(pid, signal.SIGTERM)
        handed = []
        with pytest.raises(grpc.RpcError) as error:
            while True:
                handed.append(stream.next())
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
        assert error.value.details() == "the server is shutting down"
    # The call that is over was answered already; the live one is handed back as it stands.
    assert [(kind, answer.call_id) for kind, answer in handed] == [("verdict", live)]
    (verdict,) = of(handed, "verdict", live)
    assert (verdict.label, verdict.rule_id, verdict.final, verdict.revision) == ("C", "C1", False, 0)
    assert list(verdict.notices) == ["the server is shutting down and keeps no live state: send this call again from event 1"]


def test_the_server_has_gone(address, pid):
    deadline = time.monotonic() + 15
    while not is_gone(pid):
        assert time.monotonic() < deadline, "the server is still there"
        time.sleep(0.05)
    with grpc.insecure_channel(address) as channel, pytest.raises(grpc.FutureTimeoutError):
        grpc.channel_ready_future(channel).result(timeout=1)
