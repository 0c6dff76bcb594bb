"""Live calls streamed to the real server, which is killed, stopped and short of room meanwhile."""

import itertools
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
from conftest import ASKS, DECLINES, SWITCHED_OFF, essence

from callgrade import CallRefused, Client, StreamFailed, events, v1

KINDS = [ASKS, DECLINES, SWITCHED_OFF]
# Nothing is waited for longer.
PATIENCE_S = 120


def dial(stream, call_id, sent, script="broadband"):
    call = stream.call(call_id, script)
    for event in sent:
        call.send(event)
    return call


def test_every_kind_of_event(client):
    with client.stream(finish_s=PATIENCE_S) as stream:
        started_at = datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=8)))
        call = stream.call("kinds-1", "broadband", started_at=started_at, time_zone="Asia/Shanghai", attributes={"line": "7"})
        sent = [
            call.answered(at_ms=4_000),
            call.answered_by("human", at_ms=4_100),
            call.entered("opening", at_ms=4_200),
            call.said("robot", "您看要不要办一个", at_ms=4_300, duration_ms=2_000, node_id="opening", played=0.5, confidence=0.9),
            call.said("customer", "收费", at_ms=7_000, utterance_id="u1", interim=True),
            call.said("customer", "收费吗 你明天下午三点再打", at_ms=7_000, utterance_id="u1"),
            call.keyword("speed", "多少兆", at_ms=8_000),
            call.refused(at_ms=9_000),
            call.silence(3_000, at_ms=12_000),
            call.invite("declined", at_ms=13_000),
            call.dtmf("1", at_ms=14_000),
            call.transferred("8001", at_ms=15_000),
            call.hangup(by="agent", at_ms=16_000, q850_cause=16),
        ]
        verdict = call.result(PATIENCE_S)
        assert sent == list(range(1, 14))
        assert call.verdict is verdict and verdict.final
        unanswered = stream.call("kinds-2", "broadband")
        unanswered.not_connected(at_ms=20_000, result="busy", q850_cause=17)
        assert unanswered.result(PATIENCE_S).signals.dial_result == "busy"
    signals = verdict.signals
    assert list(signals.asked) == ["price", "speed"] and signals.invite == "declined" and signals.transferred
    assert (signals.refusals, signals.no_input, signals.hung_up_by, signals.answered_by) == (1, 1, "agent", "human")
    kept = client.records.get("kinds-1").call
    assert kept.call.started_at.ToDatetime(timezone.utc) == started_at
    assert (kept.call.time_zone, dict(kept.call.attributes), len(kept.call.events)) == ("Asia/Shanghai", {"line": "7"}, 13)


def test_verdicts_come_by_callback_and_by_iterator(client):
    heard = []
    with client.stream(on_verdict=heard.append, finish_s=PATIENCE_S) as stream:
        verdicts = stream.verdicts()
        with pytest.raises(RuntimeError, match="taken already"):
            stream.verdicts()
        calls = [dial(stream, f"heard-{number}", ASKS) for number in range(3)]
        assert {call.result(PATIENCE_S).label for call in calls} == {"A"}
    taken = list(verdicts)
    assert taken == heard
    standing = [(verdict.rule_id, verdict.final) for verdict in taken if verdict.call_id == "heard-0"]
    assert standing == [("C1", False), ("B1", False), ("A1", False), ("A1", True)]
    assert stream.unacknowledged == 0 and calls[0].acknowledged == len(ASKS)


def test_verdicts_that_nobody_takes_hold_the_stream_back(client):
    """With a limit they are taken in another thread than the one that sends."""
    taken = []
    with client.stream(window=8, finish_s=PATIENCE_S) as stream:
        verdicts = stream.verdicts(limit=2)
        taker = threading.Thread(target=lambda: taken.extend(verdicts))
        taker.start()
        for number in range(20):
            dial(stream, f"limited-{number}", DECLINES)
    taker.join(PATIENCE_S)
    assert [verdict.call_id for verdict in taken if verdict.final] == [f"limited-{number}" for number in range(20)]


def test_a_callback_may_send(client):
    """A dialer hangs up once the label is known."""
    calls = {}

    def hang_up(verdict):
        if verdict.rule_id == "B1" and not verdict.final:
            calls[verdict.call_id].hangup(by="robot", at_ms=30_000)

    with client.stream(on_verdict=hang_up, window=1, finish_s=PATIENCE_S) as stream:
        calls["eager"] = stream.call("eager", "broadband")
        for event in ASKS[:5]:
            calls["eager"].send(event)
        assert calls["eager"].result(PATIENCE_S).signals.hung_up_by == "robot"


def test_a_result_comes_after_its_callback(client):
    told = []

    def note(verdict):
        threading.Event().wait(0.1)
        told.append(verdict.final and calls[0].result(0))

    with client.stream(on_verdict=note, finish_s=PATIENCE_S) as stream:
        calls = [stream.call("ordered", "broadband")]
        calls[0].not_connected(at_ms=1, result="busy")
        assert calls[0].result(PATIENCE_S) == told[-1]


def test_a_callback_that_raises_ends_the_stream(client):
    def fail(verdict):
        raise KeyError(verdict.call_id)

    with pytest.raises(StreamFailed, match="raises") as failed, client.stream(on_verdict=fail) as stream:
        dial(stream, "raises", DECLINES).result(PATIENCE_S)
    assert isinstance(failed.value.__cause__, KeyError)


def test_what_is_wrong_with_an_event_costs_that_event(client):
    refused = []
    with client.stream(on_rejection=refused.append, finish_s=PATIENCE_S) as stream:
        call = stream.call("wrong", "broadband")
        call.answered(at_ms=4_000)
        call.said("customer", "收费吗", at_ms=5_000, played=3.0)
        call.said("customer", "多少兆", at_ms=6_000)
        # An end that is none: the call goes on.
        call.hangup(by=9, at_ms=7_000)
        call.said("customer", "要签合约吗", at_ms=8_000)
        call.hangup(by="customer", at_ms=9_000)
        verdict = call.result(PATIENCE_S)
    assert [(rejection.seq, rejection.status.code) for rejection in refused] == [(2, 3), (4, 3)]
    assert sorted(verdict.signals.asked) == ["contract", "speed"]


def test_what_cannot_be_sent(client):
    with client.stream(finish_s=PATIENCE_S) as stream:
        call = stream.call("unknown-script", "nope")
        call.answered(at_ms=0)
        with pytest.raises(CallRefused, match="call 'unknown-script', event 1: unknown script \"nope\"; there are "):
            call.result(PATIENCE_S)
        with pytest.raises(CallRefused):
            call.hangup(at_ms=1)
        with pytest.raises(ValueError, match="call 'unknown-script' is on this stream already"):
            stream.call("unknown-script", "broadband")
        for call_id in ("", "a\0b", "好" * 171):
            with pytest.raises(ValueError, match="a call's id has 1 to 512 bytes, none of them NUL"):
                stream.call(call_id)
        with pytest.raises(ValueError, match="2026-03-02T10:00:00 has no time zone"):
            stream.call("naive", started_at=datetime(2026, 3, 2, 10))
        with pytest.raises(ValueError, match="unknown Speaker 'nobody'; there are robot, customer, agent"):
            stream.call("nobody").said("nobody", "", at_ms=0)
        open_call = stream.call("not-over", "broadband")
        open_call.answered(at_ms=0)
        with pytest.raises(TimeoutError, match="call 'not-over' has no final verdict yet"):
            open_call.result(0.01)
    with pytest.raises(RuntimeError, match="the stream is finished"):
        open_call.hangup(at_ms=1)


def test_a_call_goes_on_in_another_process(client):
    with client.stream(finish_s=PATIENCE_S) as stream:
        first = stream.call("moves", "broadband")
        for event in ASKS[:4]:
            first.send(event)
    state = client.state("moves")
    assert (state.last_seq, state.final) == (4, False)
    with client.stream(finish_s=PATIENCE_S) as stream:
        second = stream.call("moves", kept=state.last_seq)
        for event in ASKS[4:]:
            second.send(event)
        assert second.result(PATIENCE_S).rule_id == "A1"
    assert client.state("moves").last_seq == len(ASKS)


def test_late_events_revise(client):
    heard = []
    with client.stream(on_verdict=heard.append, finish_s=PATIENCE_S) as stream:
        call = dial(stream, "late", DECLINES)
        assert call.result(PATIENCE_S).revision == 1
        call.said("customer", "收费吗", at_ms=13_000)
    assert [(verdict.rule_id, verdict.revision) for verdict in heard] == [("D2", 0), ("D2", 1), ("C1", 2)]


def test_sending_waits_while_the_window_is_full(serve):
    server = serve()
    sent = []
    with Client(server.address) as client, client.stream(window=4, finish_s=PATIENCE_S) as stream:
        dial(stream, "before", DECLINES).result(PATIENCE_S)
        server.signal("SIGSTOP")

        def send():
            call = stream.call("window", "broadband")
            for event in ASKS:
                call.send(event)
                sent.append(stream.unacknowledged)

        sender = threading.Thread(target=send)
        sender.start()
        while len(sent) < 4:
            sender.join(0.01)
        sender.join(0.2)
        # The server says nothing, so no more than four have gone.
        assert sender.is_alive() and len(sent) == 4 and stream.unacknowledged == 4
        with pytest.raises(TimeoutError, match="not acknowledged: 4 events; without a final verdict: 0 calls that have ended"):
            stream.finish(0.05)
        server.signal("SIGCONT")
        sender.join(PATIENCE_S)
    assert len(sent) == len(ASKS) and max(sent) <= 4


@pytest.mark.parametrize("graceful", [False, True], ids=["killed", "stopped"])
def test_the_server_goes_and_comes_back(serve, graceful):
    """Threads dial hundreds of calls while the server is killed again and again: each call has its final verdict, once, and the right one."""
    server = serve()
    finals, lock = Counter(), threading.Lock()
    last = {}
    came = threading.Semaphore(0)

    def note(verdict):
        if verdict.final:
            with lock:
                finals[verdict.call_id, verdict.revision] += 1
                last[verdict.call_id] = verdict
            came.release()

    threads, each, rounds = 4, 100, 3
    with Client(server.address) as client:
        expected = [essence(client.grade(events.call(f"whole-{kind}", "broadband", sent)).verdict) for kind, sent in enumerate(KINDS)]
        with client.stream(on_verdict=note, window=64, longest_wait_s=0.5, finish_s=PATIENCE_S) as stream:

            def dials(thread):
                # Each keeps ten calls live at one time.
                for begun in range(0, each, 10):
                    numbers = range(thread * each + begun, thread * each + begun + 10)
                    calls = [(stream.call(f"call-{number}", "broadband"), KINDS[number % 3]) for number in numbers]
                    for place in range(max(map(len, KINDS))):
                        for call, sent in calls:
                            if place < len(sent):
                                call.send(sent[place])

            with ThreadPoolExecutor(threads) as pool:
                dialling = [pool.submit(dials, thread) for thread in range(threads)]
                for _ in range(rounds):
                    for _ in range(threads * each // (rounds + 2)):
                        assert came.acquire(timeout=PATIENCE_S)
                    if graceful:
                        server.signal("SIGTERM")
                        assert server.process.wait(PATIENCE_S) == 0
                        server.process.stdout.close()
                    else:
                        server.kill()
                    server.start()
                for done in dialling:
                    done.result(PATIENCE_S)
        numbers = range(threads * each)
        assert finals == Counter({(f"call-{number}", 1): 1 for number in numbers})
        for number in numbers:
            assert essence(last[f"call-{number}"]) == expected[number % 3]
            state = client.state(f"call-{number}")
            assert (state.last_seq, state.revision) == (len(KINDS[number % 3]), 1)


def test_a_server_short_of_room_is_asked_again(serve):
    """With room for three live calls at one time, more are refused with RetryInfo until some have ended."""
    server = serve("--max-live-calls", "3")
    refused = []
    with Client(server.address) as client, client.stream(on_rejection=refused.append, longest_wait_s=0.2, finish_s=PATIENCE_S) as stream:
        calls = [stream.call(f"room-{number}", "broadband") for number in range(9)]
        for events_at_one_time in itertools.zip_longest(*[DECLINES] * len(calls)):
            for call, event in zip(calls, events_at_one_time, strict=True):
                call.send(event)
        assert [call.result(PATIENCE_S).rule_id for call in calls] == ["D2"] * len(calls)
    assert not refused


def test_a_server_that_wants_a_key(serve):
    from server import run

    server = serve()
    keys = [
        run("keys", "create", "--store", server.store, "--tenant", "default", "--role", role).decode().strip() for role in ("ingest", "qa")
    ]
    with Client(server.address, api_key=keys[0]) as client:
        # A server learns of its first key within a second.
        with client.stream(finish_s=PATIENCE_S) as stream:
            assert dial(stream, "with-key", DECLINES).result(PATIENCE_S).label == "D"
        assert [script.script_id for script in client.scripts()] == ["broadband", "telemarketing"]
    server.kill()
    server.start()
    with Client(server.address) as client, pytest.raises(StreamFailed, match="give an API key or a token"), client.stream() as stream:
        dial(stream, "without-key", DECLINES).result(PATIENCE_S)
    with Client(server.address, api_key=keys[1]) as client:
        assert client.records.get("with-key").call.verdict.label == "D"


def test_messages_of_the_contract(client):
    """What the methods make is what whoever writes the messages by hand would send."""
    by_hand = v1.CallEvent(at_ms=8_400, utterance=v1.Utterance(speaker=v1.SPEAKER_CUSTOMER, text="收费吗"))
    assert events.said("customer", "收费吗", at_ms=8_400) == by_hand == events.said("SPEAKER_CUSTOMER", "收费吗", at_ms=8_400)
    assert events.hangup(by=v1.PARTY_ROBOT, at_ms=1) == events.hangup(by="Robot", at_ms=1)
    with client.stream(finish_s=PATIENCE_S) as stream:
        call = dial(stream, "by-hand", [*DECLINES[:1], by_hand, *DECLINES[2:]])
        assert list(call.result(PATIENCE_S).signals.asked) == ["price"]
