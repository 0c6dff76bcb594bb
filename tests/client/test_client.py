"""gRPC as a client sees it that was written by nobody of us: grpcio, and stubs made from reflection."""

import itertools
import os
import random
import string
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from calls import BROADBAND_A, BROADBAND_D, SWITCHED_OFF, TELEMARKETING_A, answered, customer, hangup, robot
from client import SERVICE, acks, essence, of, standings
from google.protobuf import json_format
from google.rpc import code_pb2, error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

SERVICES = {
    SERVICE,
    "callgrade.v1.Records",
    "callgrade.v1.Regrading",
    "callgrade.v1.Scripts",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
}


def detail(status, kind):
    """The only detail of a google.rpc.Status."""
    assert len(status.details) == 1
    assert status.details[0].type_url == f"type.googleapis.com/{kind.DESCRIPTOR.full_name}"
    return kind.FromString(status.details[0].value)


def violation(rejection):
    """What a rejection says: code, field, reason."""
    (found,) = detail(rejection.status, error_details_pb2.BadRequest).field_violations
    assert found.description == rejection.status.message
    return rejection.status.code, found.field, found.description


def scripts(client):
    answer = client.unary("ListScripts", client.message("ListScriptsRequest")())
    return {script.script_id: script for script in answer.scripts}


# ───────────────────────────── reflection and health ─────────────────────────────


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_lists_the_services(channel, version):
    # Both versions have the same messages.
    reflect = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="callgrade.v1.Nonsense"),
    ]
    answers = reflect(iter(asked), timeout=10)
    listed, found = next(answers), next(answers)
    services = {service.name for service in listed.list_services_response.service}
    assert SERVICE in services and "grpc.health.v1.Health" in services
    assert f"grpc.reflection.{version}.ServerReflection" in services
    assert found.file_descriptor_response.file_descriptor_proto
    with pytest.raises(grpc.RpcError) as error:
        next(answers)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_descriptors_come_whole(client):
    assert set(client.database.get_services()) <= SERVICES
    assert [method.name for method in client.service.methods] == ["StreamCalls", "GradeCall", "ListScripts", "GetScript", "GetCallState"]
    verdict = client.message("Verdict").DESCRIPTOR.fields_by_name
    assert verdict["label"].number == 4 and verdict["callback"].message_type.name == "Callback"
    assert client.enum("DialResult")["DIAL_RESULT_FAILED"] == 8


@pytest.mark.parametrize("service", ["", SERVICE])
def test_health(channel, service):
    health = health_pb2_grpc.HealthStub(channel)
    answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_health_of_a_service_there_is_not(channel):
    with pytest.raises(grpc.RpcError) as error:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service="nonsense"), timeout=10)
    assert error.value.code() == grpc.StatusCode.NOT_FOUND


def test_a_method_there_is_not(channel):
    with pytest.raises(grpc.RpcError) as error:
        channel.unary_unary(f"/{SERVICE}/Nonsense")(b"", timeout=10)
    assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


# ───────────────────────────── scripts ─────────────────────────────


def test_scripts(client):
    listed = scripts(client)
    assert "broadband" in listed
    assert list(listed["broadband"].labels) == ["A", "B", "C", "D", "E", "F"]
    get = client.message("GetScriptRequest")
    for script_id, summary in listed.items():
        for version in ("", summary.version, summary.version[:6]):
            answer = client.unary("GetScript", get(script_id=script_id, version=version))
            assert answer.summary == summary
            assert f"id: {script_id}" in answer.files["script.yaml"]
            assert "不需要" in answer.files["keywords/refuse.txt"]


def test_a_script_there_is_not(client):
    get = client.message("GetScriptRequest")
    version = scripts(client)["broadband"].version
    for request, message, name in [
        (get(script_id="nope"), 'unknown script "nope"; there are ', "nope"),
        (get(script_id="broadband", version="0000000"), f'script "broadband" has no version "0000000"; there is {version}', "broadband@0000000"),
    ]:
        with pytest.raises(grpc.RpcError) as error:
            client.unary("GetScript", request)
        assert error.value.code() == grpc.StatusCode.NOT_FOUND
        assert error.value.details().startswith(message)
        resource = detail(rpc_status.from_call(error.value), error_details_pb2.ResourceInfo)
        assert (resource.resource_type, resource.resource_name) == ("script", name)


# ───────────────────────────── whole calls ─────────────────────────────


@pytest.mark.parametrize(
    ("script", "events", "label", "rule"),
    [
        ("broadband", BROADBAND_A, "A", "A1"),
        ("broadband", BROADBAND_D, "D", "D1"),
        ("broadband", SWITCHED_OFF, "E", "E3"),
        ("telemarketing", TELEMARKETING_A, "A", "A1"),
        ("telemarketing", SWITCHED_OFF, "F", "F1"),
    ],
    ids=["broadband-A", "broadband-D", "broadband-E", "telemarketing-A", "telemarketing-F"],
)
def test_grade(client, call_id, script, events, label, rule):
    listed = scripts(client)
    if script not in listed:
        pytest.skip(f"this server has no script {script}")
    answer = client.grade(call_id, script, events)
    verdict = answer.verdict
    assert not answer.rejections
    assert (verdict.label, verdict.rule_id, verdict.final, verdict.revision) == (label, rule, True, 1)
    assert (verdict.call_id, verdict.script_id, verdict.script_version) == (call_id, script, listed[script].version)
    assert verdict.reason and verdict.follow_up.action and not verdict.notices
    assert [evidence.event for evidence in verdict.evidence] == sorted(evidence.event for evidence in verdict.evidence)


def test_evidence_points_into_the_text(client, call_id):
    verdict = client.grade(call_id, "broadband", BROADBAND_A).verdict
    assert sorted(verdict.signals.asked) == ["contract", "equipment", "speed"]
    asked = [evidence for evidence in verdict.evidence if evidence.signal == "asked"]
    assert sorted({evidence.event for evidence in asked}) == [2, 4, 6]
    for evidence in asked:
        text = BROADBAND_A[evidence.event]["utterance"]["text"]
        assert text[evidence.start : evidence.end]
        if evidence.match == client.enum("Match")["MATCH_EXACT"]:
            assert evidence.phrase == text[evidence.start : evidence.end]
    assert dict(verdict.signals.hits)["refuse"] == 0
    assert [node.node_id for node in verdict.nodes] == ["opening", "notice", "address", "install"]


def test_a_call_that_cannot_be_graded(client, call_id):
    for call, script, code, message in [
        (call_id, "nope", grpc.StatusCode.NOT_FOUND, 'unknown script "nope"; there are '),
        (call_id, "", grpc.StatusCode.NOT_FOUND, "the call names no script; there are "),
        ("", "broadband", grpc.StatusCode.INVALID_ARGUMENT, "the call has no call_id"),
    ]:
        with pytest.raises(grpc.RpcError) as error:
            client.grade(call, script, BROADBAND_D)
        assert error.value.code() == code
        assert error.value.details().startswith(message)
        status = rpc_status.from_call(error.value)
        if code == grpc.StatusCode.NOT_FOUND:
            resource = detail(status, error_details_pb2.ResourceInfo)
            assert (resource.resource_type, resource.resource_name) == ("script", script)
        else:
            assert detail(status, error_details_pb2.BadRequest).field_violations[0].field == "call"


def damaged(request):
    """A request's bytes with text that is not UTF-8 where it says DAMAGE: no library of messages would make it."""
    return request.SerializeToString().replace("DAMAGE".encode(), b"\xe4\xb8\xff\xfe\xc0\x80")


TOO_LONG = "好" * 21_846
# What is wrong, and what the server says of it.
BAD_EVENTS = [
    ({"at_ms": 6_000, "utterance": {"speaker": 9, "text": "多少钱"}}, "unknown value 9 of speaker"),
    (robot(6_100, "您好", "opening", played=7.0), "played is 7, outside 0 to 1"),
    (customer(6_200, TOO_LONG), "utterance of 65538 bytes, more than 65536"),
    (customer(6_300, "DAMAGE"), "text that is not UTF-8"),
    (customer(6_400, "多少钱", confidence=-1.0), "confidence is -1, outside 0 to 1"),
    ({"at_ms": 6_500, "utterance": {"text": "多少钱"}}, "the utterance names no speaker"),
    ({"at_ms": 6_600, "invite_outcome": {"outcome": 3}}, "unknown value 3 of outcome"),
    ({"at_ms": 6_700, "hangup": {"by": 17}}, "unknown value 17 of by"),
]


def with_bad_events(events):
    """A call with all bad events after its first event: they take seq 2 and on."""
    return [events[0], *(event for event, _ in BAD_EVENTS), *events[1:]]


def test_bad_events_of_a_whole_call_are_rejected_alone(client, call_id):
    call = {"call_id": call_id, "script_id": "broadband", "events": with_bad_events(BROADBAND_A)}
    answer = client.unary("GradeCall", damaged(client.message("GradeCallRequest")(call=call)))
    expected = [(code_pb2.INVALID_ARGUMENT, f"events[{place}]", reason) for place, (_, reason) in enumerate(BAD_EVENTS, start=1)]
    assert [violation(rejection) for rejection in answer.rejections] == expected
    assert [rejection.seq for rejection in answer.rejections] == [seq for seq, _ in enumerate(BAD_EVENTS, start=2)]
    # A client that knows nothing but what reflection tells can read the details.
    read = json_format.MessageToDict(answer.rejections[0], descriptor_pool=client.pool)["status"]["details"][0]
    assert read["@type"] == "type.googleapis.com/google.rpc.BadRequest" and read["fieldViolations"][0]["field"] == "events[1]"
    assert list(answer.verdict.notices) == [f"event {seq} rejected: {reason}" for seq, (_, reason) in enumerate(BAD_EVENTS, start=2)]
    assert essence(answer.verdict) == essence(client.grade(call_id, "broadband", BROADBAND_A).verdict)


def test_an_utterance_of_10_mb(client, call_id):
    events = [BROADBAND_A[0], customer(6_000, "多" * 3_333_333), *BROADBAND_A[1:]]
    answer = client.grade(call_id, "broadband", events)
    assert [rejection.status.message for rejection in answer.rejections] == ["utterance of 9999999 bytes, more than 65536"]
    assert answer.verdict.rule_id == "A1"


def test_a_message_over_the_limit(client, call_id):
    with pytest.raises(grpc.RpcError) as error:
        client.grade(call_id, "broadband", [customer(0, "多" * 6_000_000)])
    assert error.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_more_events_than_a_call_may_have(client, call_id):
    dtmf = {"at_ms": 5_000, "dtmf": {"digits": "1"}}
    answer = client.grade(call_id, "broadband", [answered(), *itertools.repeat(dtmf, 10_001)])
    (rejection,) = answer.rejections
    assert (rejection.seq, rejection.status.message) == (10_001, "the call has more than 10000 events; this and 1 later ones are left out")


# ───────────────────────────── live calls ─────────────────────────────

A_LIVE = [("C", "C1", 0), ("B", "B1", 0), ("A", "A1", 0), ("A", "A1", 1)]
D_LIVE = [("D", "D2", 0), ("D", "D1", 0), ("D", "D1", 1)]


def test_two_calls_interleaved(client, call_id):
    first, second = f"{call_id}-a", f"{call_id}-d"
    with client.stream() as stream:
        for seq, (a, d) in enumerate(itertools.zip_longest(BROADBAND_A, BROADBAND_D), start=1):
            script = "broadband" if seq == 1 else ""
            for call, event in ((first, a), (second, d)):
                if event is not None:
                    stream.send(call, seq, event, script)
        answers = stream.rest()
    assert not of(answers, "rejection", first) + of(answers, "rejection", second)
    assert acks(answers, first) == list(range(1, 9))
    assert acks(answers, second) == list(range(1, 7))
    assert standings(answers, first) == A_LIVE
    assert standings(answers, second) == D_LIVE
    provisional, final = of(answers, "verdict", first)[0], of(answers, "verdict", first)[-1]
    assert not provisional.final and not provisional.ended_by and not provisional.signals.ended
    assert final.final and final.ended_by == "hangup" and final.signals.hung_up_by == "customer"
    # Live and whole are graded alike.
    assert essence(final) == essence(client.grade(call_id, "broadband", BROADBAND_A).verdict)
    assert essence(of(answers, "verdict", second)[-1]) == essence(client.grade(call_id, "broadband", BROADBAND_D).verdict)


def test_telemarketing_live(client, call_id):
    if "telemarketing" not in scripts(client):
        pytest.skip("this server has no script telemarketing")
    with client.stream() as stream:
        stream.send_call(call_id, "telemarketing", TELEMARKETING_A)
        answers = stream.rest()
    assert standings(answers, call_id)[-1] == ("A", "A1", 1)
    assert essence(of(answers, "verdict", call_id)[-1]) == essence(client.grade(call_id, "telemarketing", TELEMARKETING_A).verdict)


def test_each_event_is_answered_at_once(client, call_id):
    with client.stream() as stream:
        for seq, event in enumerate(BROADBAND_A, start=1):
            stream.send(call_id, seq, event, "broadband" if seq == 1 else "")
            # The next is sent only when this one was acknowledged: no answer waits for a later event.
            stream.until_ack(call_id, seq)


def test_duplicates_change_nothing(client, call_id):
    with client.stream() as stream:
        for seq, event in enumerate(BROADBAND_A, start=1):
            for _ in range(3):
                stream.send(call_id, seq, event, "broadband" if seq == 1 else "")
        # All of it again, after the call has ended; and once something else under a number that was used.
        stream.send_call(call_id, "broadband", BROADBAND_A)
        stream.send(call_id, 3, customer(15_000, "不需要"))
        answers = stream.rest()
    assert standings(answers, call_id) == A_LIVE
    assert acks(answers, call_id) == sorted([*range(1, 9)] * 3) + [8] * 9
    assert not of(answers, "rejection", call_id)


def test_a_call_goes_on_over_another_stream(client, call_id):
    with client.stream() as stream:
        for seq in (1, 2, 3, 4):
            stream.send(call_id, seq, BROADBAND_A[seq - 1], "broadband" if seq == 1 else "")
        assert standings(stream.rest(), call_id) == A_LIVE[:1]
    with client.stream() as stream:
        for seq in (3, 4, 5, 6, 7, 8):
            stream.send(call_id, seq, BROADBAND_A[seq - 1])
        answers = stream.rest()
    assert acks(answers, call_id) == [4, 4, 5, 6, 7, 8]
    assert standings(answers, call_id) == A_LIVE[1:]


@pytest.mark.parametrize("order", [(8, 7, 6, 5, 4, 3, 2, 1), (1, 3, 2, 5, 4, 7, 6, 8), (2, 1, 8, 4, 3, 7, 5, 6)])
def test_events_out_of_order_are_put_right(client, call_id, order):
    with client.stream() as stream:
        for seq in order:
            stream.send(call_id, seq, BROADBAND_A[seq - 1], "broadband" if seq == 1 else "")
        answers = stream.rest()
    assert acks(answers, call_id)[-1] == 8 and acks(answers, call_id) == sorted(acks(answers, call_id))
    final = of(answers, "verdict", call_id)[-1]
    assert (final.final, final.revision, list(final.notices)) == (True, 1, [])
    assert essence(final) == essence(client.grade(call_id, "broadband", BROADBAND_A).verdict)


def test_a_gap_is_waited_for_then_noticed(client, call_id):
    with client.stream() as stream:
        began = time.monotonic()
        for seq in (1, 2, 4, 5):
            stream.send(call_id, seq, BROADBAND_A[seq - 1], "broadband" if seq == 1 else "")
        assert acks(stream.until_ack(call_id, 2), call_id) == [1, 2]
        answers = stream.until_ack(call_id, 5)
        # The server under test waits 2 s for a gap.
        assert time.monotonic() - began > 1.9
        while not of(answers, "verdict", call_id):
            answers.append(stream.next())
        (verdict,) = of(answers, "verdict", call_id)
        assert (verdict.label, verdict.rule_id, list(verdict.notices)) == ("C", "C1", ["event 3 has not come; graded without"])
        # It comes after all, and takes its place.
        stream.send(call_id, 3, BROADBAND_A[2])
        answers = stream.until_ack(call_id, 5)
        assert standings(answers, call_id) == [("B", "B1", 0)]
        for seq in (6, 7, 8):
            stream.send(call_id, seq, BROADBAND_A[seq - 1])
        answers = stream.rest()
    final = of(answers, "verdict", call_id)[-1]
    assert essence(final) == essence(client.grade(call_id, "broadband", BROADBAND_A).verdict)


def test_a_stream_that_is_closed_still_hears_of_its_gap(client, call_id):
    with client.stream() as stream:
        for seq in (1, 2, 3, 6, 7, 8):
            stream.send(call_id, seq, BROADBAND_A[seq - 1], "broadband" if seq == 1 else "")
        answers = stream.rest()
    final = of(answers, "verdict", call_id)[-1]
    assert (final.rule_id, final.final, list(final.notices)) == ("B1", True, ["events 4 to 5 have not come; graded without"])


def test_a_gap_that_another_stream_fills(client, call_id):
    with client.stream(timeout=10) as first, client.stream() as second:
        first.send(call_id, 3, BROADBAND_A[2])
        first.send(call_id, 1, BROADBAND_A[0], "broadband")
        first.until_ack(call_id, 1)
        second.send(call_id, 2, BROADBAND_A[1])
        assert acks(second.until_ack(call_id, 3), call_id) == [3]
        # The first has nothing to wait for any more: it ends when its client has no more to say.
        assert not of(first.rest(), "rejection", call_id)


def test_a_late_event_after_the_end_revises(client, call_id):
    with client.stream() as stream:
        for seq in (1, 2, 3, 4, 6, 7, 8):
            stream.send(call_id, seq, BROADBAND_A[seq - 1], "broadband" if seq == 1 else "")
        answers = stream.until_ack(call_id, 8)
        while standings(answers, call_id)[-1][2] == 0:
            answers.append(stream.next())
        assert standings(answers, call_id)[-1] == ("B", "B1", 1)
        stream.send(call_id, 5, BROADBAND_A[4])
        answers = stream.until_ack(call_id, 8)
        assert standings(answers, call_id) == [("A", "A1", 2)]
        assert of(answers, "verdict", call_id)[0].final
        # Keys pressed after the end change nothing.
        stream.send(call_id, 9, {"at_ms": 28_500, "dtmf": {"digits": "1"}})
        # The recogniser was late with words from before the end: they do.
        stream.send(call_id, 10, customer(27_000, "不需要，别再打了"))
        answers = stream.rest()
    assert acks(answers, call_id) == [9, 10]
    assert standings(answers, call_id) == [("A", "A1", 3)]
    revised = of(answers, "verdict", call_id)[0]
    assert (revised.do_not_call, revised.follow_up.action, revised.signals.talk_s) == (True, "never", 23.0)


def test_an_idle_call_ends(client, call_id):
    with client.stream() as stream:
        began = time.monotonic()
        for seq in (1, 2, 3):
            stream.send(call_id, seq, BROADBAND_D[seq - 1], "broadband" if seq == 1 else "")
        assert standings(stream.until_ack(call_id, 3) + [stream.next()], call_id)[:1] == [("D", "D2", 0)]
        kind, verdict = stream.next()
        # The server under test holds a call for ended after 8 s without an event.
        assert time.monotonic() - began > 7.9
        assert (kind, verdict.final, verdict.ended_by, verdict.rule_id, verdict.revision) == ("verdict", True, "idle", "D2", 1)


def test_bad_events_end_neither_stream_nor_call(client, call_id):
    request = client.message("StreamCallsRequest")
    events = with_bad_events(BROADBAND_A)
    with client.stream() as stream:
        for seq, event in enumerate(events, start=1):
            script = "broadband" if seq == 1 else ""
            stream.send_bytes(damaged(request(call_id=call_id, seq=seq, event=event, script_id=script)))
        last = len(events)
        # An event that is none, one without a number, one of no call, and bytes that are no message at all.
        stream.send_bytes(request(call_id=call_id, seq=last + 1))
        stream.send(call_id, 0, answered())
        stream.send(call_id, 2**32 - 1, answered())
        stream.send("", 1, answered())
        stream.send_bytes(b"\x0a\xff\xff\xff\xff\x0fnonsense")
        stream.send_call(f"{call_id}-after", "broadband", BROADBAND_D)
        answers = stream.rest()
    rejections = of(answers, "rejection", call_id)
    expected = [(code_pb2.INVALID_ARGUMENT, f"events[{place}]", reason) for place, (_, reason) in enumerate(BAD_EVENTS, start=1)]
    expected += [
        (code_pb2.INVALID_ARGUMENT, f"events[{last}]", "the message has no event"),
        (code_pb2.INVALID_ARGUMENT, "call", "seq counts from 1"),
        (code_pb2.INVALID_ARGUMENT, f"events[{2**32 - 2}]", "seq 4294967295 is beyond the last there can be"),
    ]
    assert [violation(rejection) for rejection in rejections] == expected
    assert acks(answers, call_id) == list(range(1, last + 2))
    final = of(answers, "verdict", call_id)[-1]
    assert list(final.notices) == [f"event {seq} rejected: {reason}" for seq, (_, reason) in enumerate(BAD_EVENTS, start=2)]
    assert essence(final) == essence(client.grade(call_id, "broadband", BROADBAND_A).verdict)
    nameless = [rejection.status.message for rejection in of(answers, "rejection", "")]
    assert nameless[0] == "the event has no call_id"
    assert nameless[1].startswith("not a StreamCallsRequest: ")
    assert standings(answers, f"{call_id}-after") == D_LIVE


def test_an_event_of_an_unknown_kind_keeps_its_place(client, call_id):
    request = client.message("StreamCallsRequest")
    head = request(call_id=call_id, seq=2).SerializeToString()
    with client.stream() as stream:
        stream.send(call_id, 1, BROADBAND_D[0], "broadband")
        # Event { at_ms: 4050, 99: "" }, as a later version might send it.
        event = b"\x08\xd2\x1f\x9a\x06\x00"
        stream.send_bytes(head + b"\x1a" + bytes([len(event)]) + event)
        for seq, late in enumerate(BROADBAND_D[1:], start=3):
            stream.send(call_id, seq, late)
        answers = stream.rest()
    assert acks(answers, call_id) == list(range(1, 8))
    assert standings(answers, call_id) == D_LIVE
    refused = {evidence.event for evidence in of(answers, "verdict", call_id)[-1].evidence if evidence.signal == "refusals"}
    assert refused == {3, 5}


def test_an_unknown_script(client, call_id):
    with client.stream() as stream:
        stream.send(call_id, 2, BROADBAND_A[1])
        stream.send(call_id, 1, BROADBAND_A[0], "nope")
        stream.send(call_id, 3, BROADBAND_A[2])
        stream.send_call(f"{call_id}-after", "broadband", BROADBAND_D)
        answers = stream.rest()
    rejections = of(answers, "rejection", call_id)
    assert [rejection.seq for rejection in rejections] == [2, 1, 3]
    for rejection in rejections:
        assert rejection.status.code == code_pb2.NOT_FOUND
        assert rejection.status.message.startswith('unknown script "nope"; there are ')
        resource = detail(rejection.status, error_details_pb2.ResourceInfo)
        assert (resource.resource_type, resource.resource_name) == ("script", "nope")
    assert not acks(answers, call_id) and not standings(answers, call_id)
    assert standings(answers, f"{call_id}-after") == D_LIVE


def test_a_call_whose_first_event_never_comes(client, call_id):
    with client.stream() as stream:
        stream.send(call_id, 2, BROADBAND_A[1])
        stream.send(call_id, 3, BROADBAND_A[2])
        answers = stream.rest()
    rejections = of(answers, "rejection", call_id)
    assert [(rejection.seq, rejection.status.code) for rejection in rejections] == [
        (2, code_pb2.FAILED_PRECONDITION),
        (3, code_pb2.FAILED_PRECONDITION),
    ]
    (found,) = detail(rejections[0].status, error_details_pb2.PreconditionFailure).violations
    assert (found.type, found.subject) == ("CALL", call_id)
    assert found.description == "event 1 never came, so the call's script is unknown"


# ───────────────────────────── transport ─────────────────────────────


def test_deadline_of_a_stream(client, call_id):
    with client.stream(timeout=3) as stream:
        stream.send(call_id, 1, BROADBAND_A[0], "broadband")
        stream.until_ack(call_id, 1)
        with pytest.raises(grpc.RpcError) as error:
            list(stream.answers)
    assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    # The call is kept: another stream takes it up.
    with client.stream() as stream:
        stream.send(call_id, 2, BROADBAND_A[1])
        assert acks(stream.rest(), call_id) == [2]


@pytest.mark.parametrize("compression", [grpc.Compression.Gzip, grpc.Compression.NoCompression])
def test_compression(client, call_id, compression):
    events = [*BROADBAND_A[:-1], customer(26_000, "嗯" * 20_000), BROADBAND_A[-1]]
    answer = client.grade(call_id, "broadband", events, compression=compression)
    assert answer.verdict.rule_id == "A1" and not answer.rejections
    with client.stream(compression=compression) as stream:
        stream.send_call(call_id, "broadband", events)
        assert standings(stream.rest(), call_id) == A_LIVE


def resident_bytes(pid):
    """What a process has in memory."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_client_that_does_not_read_cannot_grow_the_server(client, call_id, pid):
    # Each answer is as long as the call's name, so unread ones would be 72 MB, and unread requests as much again.
    messages, bound = 9_000, 24 << 20
    name = "".join(random.Random(7).choices(string.ascii_letters, k=8_000))
    request = client.message("StreamCallsRequest")
    silence = {"at_ms": 6_000, "silence": {"duration_ms": 500}}

    def requests():
        yield request(call_id=name, seq=1, event=answered(), script_id="broadband")
        for seq in range(2, messages + 1):
            yield request(call_id=name, seq=seq, event=silence)

    def progress():
        """How far the server is with the call: what it answers a duplicate, asked on another stream of the same connection."""
        with client.stream(timeout=10) as other:
            other.send(name, 1, answered())
            return max(ack.seq for kind, ack in other.rest() if kind == "ack")

    before = resident_bytes(pid)
    answers = client.start(requests(), timeout=120)
    time.sleep(1)
    deadline = time.monotonic() + 60
    steps = [0, progress()]
    while steps[-1] != steps[-2]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
        steps.append(progress())
    assert steps[-1] < messages / 2, f"the server took {steps[-1]} events from a client that reads nothing"
    assert resident_bytes(pid) - before < bound
    # Others on the same connection are served meanwhile.
    assert client.grade(call_id, "broadband", BROADBAND_A, timeout=10).verdict.rule_id == "A1"
    # Once it reads, it gets everything.
    assert [answer.ack.seq for answer in answers if answer.HasField("ack")] == list(range(1, messages + 1))
    assert progress() == messages
    assert resident_bytes(pid) - before < bound


def test_a_burst_of_small_events(client, call_id):
    # Thousands of short unread messages: HTTP/2 servers may take that for an attack and drop the connection, calls and all.
    messages = 30_000
    request = client.message("StreamCallsRequest")(call_id=call_id[:8], seq=1, event=answered(), script_id="broadband")
    answers = client.start(itertools.repeat(request.SerializeToString(), messages), timeout=120)
    time.sleep(2)
    assert sum(answer.ack.seq == 1 for answer in answers if answer.HasField("ack")) == messages


def test_many_streams_at_once(client, call_id):
    def follow(number):
        names = [f"{call_id}-{number}-{call}" for call in range(20)]
        with client.stream() as stream:
            for name in names:
                stream.send_call(name, "broadband", BROADBAND_A)
            answers = stream.rest()
        return [name for name in names if standings(answers, name) != A_LIVE or acks(answers, name) != list(range(1, 9))]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(follow, range(8))) == [[]] * 8
