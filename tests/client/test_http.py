"""HTTP/JSON and gRPC-web over HTTP/1.1, by hand."""

import gzip
import http.client
import json
import socket
import time
import urllib.parse

import jsonschema
import openapi_spec_validator
import pytest
from calls import BROADBAND_A, BROADBAND_D, SWITCHED_OFF
from client import SERVICE, Client, essence
from google.protobuf import json_format

GRPC_WEB = "application/grpc-web+proto"


@pytest.fixture
def ask(address):
    """Sends a request; status, content type and body of the answer, JSON read."""

    def ask(method, path, body=None, **headers):
        connection = http.client.HTTPConnection(address, timeout=30)
        try:
            if isinstance(body, (dict, list)):
                body = json.dumps(body, ensure_ascii=False).encode()
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            kind, text = answer.getheader("content-type"), answer.read()
            return answer.status, json.loads(text) if kind == "application/json" else (kind, text, dict(answer.getheaders()))
        finally:
            connection.close()

    return ask


def as_json(events):
    """Events with proto3 JSON's names, enum values as numbers, which it allows."""
    names = {"at_ms": "atMs", "node_id": "nodeId"}
    return [
        {names.get(key, key): {names.get(k, k): v for k, v in value.items()} if isinstance(value, dict) else value for key, value in event.items()}
        for event in events
    ]


def error(code, status, message, *details):
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


def bad_request(field, description):
    violation = {"field": field, "description": description}
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}


def resource(kind, name, description=""):
    return {
        "@type": "type.googleapis.com/google.rpc.ResourceInfo",
        "resourceType": kind,
        "resourceName": name,
        "owner": "",
        "description": description,
    }


def rejection(call_id, seq, field, description):
    status = {"code": 3, "message": description, "details": [bad_request(field, description)]}
    return {"callId": call_id, "seq": seq, "status": status}


# ───────────────────────────── calls:grade ─────────────────────────────


def test_grade(ask, client, call_id):
    status, answer = ask("POST", "/v1/calls:grade", {"callId": call_id, "scriptId": "broadband", "events": as_json(BROADBAND_A)})
    assert (status, answer["rejections"]) == (200, [])
    verdict = answer["verdict"]
    assert (verdict["label"], verdict["ruleId"], verdict["final"], verdict["revision"]) == ("A", "A1", True, 1)
    # Fields of default value are written too, and it is the verdict that gRPC gives.
    assert verdict["fallback"] is False and len(verdict["modelHash"]) == 16 and verdict["signals"]["noInput"] == 0
    expected = client.grade(call_id, "broadband", BROADBAND_A).verdict
    assert json_format.ParseDict(verdict, type(expected)(), descriptor_pool=client.pool) == expected


def test_grade_rejects_bad_events_alone(ask, call_id):
    events = as_json(BROADBAND_D)
    events[1:1] = [
        {"atMs": 1, "utterance": {"speaker": "DOG", "text": "多少钱"}},
        {"atMs": 2, "utterance": {"speaker": "ROBOT", "text": "您好", "played": 7}},
        {"atMs": 3, "utterance": {"speaker": "CUSTOMER", "text": "DAMAGE"}},
        {"atMs": -1, "answered": {}},
        None,
    ]
    body = json.dumps({"callId": call_id, "scriptId": "broadband", "events": events}, ensure_ascii=False)
    status, answer = ask("POST", "/v1/calls:grade", body.encode().replace(b"DAMAGE", b"\xe4\xb8\xff"))
    assert status == 200
    assert answer["rejections"] == [
        rejection(call_id, 2, "events[1]", 'unknown value "DOG" of speaker'),
        rejection(call_id, 3, "events[2]", "played is 7, outside 0 to 1"),
        rejection(call_id, 4, "events[3]", "text that is not UTF-8"),
        rejection(call_id, 5, "events[4]", "atMs: invalid value: floating point `-1.0`, expected a whole number from 0 to 4294967295"),
        rejection(call_id, 6, "events[5]", "an event that is null"),
    ]
    assert (answer["verdict"]["label"], answer["verdict"]["ruleId"]) == ("D", "D1")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not a call: a call is a JSON object"),
        (b'{"callId":"c1","events":[{', 'call "c1": not a call: EOF while parsing an object at line 1 column 26'),
        (b"{}", "the call has no callId"),
        (b'{"callId":7}', "callId: invalid type: integer `7`, expected a string"),
    ],
)
def test_grade_of_what_is_no_call(ask, body, reason):
    assert ask("POST", "/v1/calls:grade", body) == (400, error(3, "INVALID_ARGUMENT", reason, bad_request("call", reason)))


def test_grade_with_an_unknown_script(ask, client, call_id):
    there = ", ".join(sorted(script.script_id for script in client.unary("ListScripts", client.message("ListScriptsRequest")()).scripts))
    reason = f'unknown script "nope"; there are {there}'
    assert ask("POST", "/v1/calls:grade", {"callId": call_id, "scriptId": "nope"}) == (
        404,
        error(5, "NOT_FOUND", reason, resource("script", "nope", reason)),
    )


def test_a_body_over_the_limit(ask):
    reason = "the body has more than 16777216 bytes"
    assert ask("POST", "/v1/calls:grade", b" " * (16 << 20) + b"{}") == (
        413,
        error(8, "RESOURCE_EXHAUSTED", reason, bad_request("call", reason)),
    )


# ───────────────────────────── live calls ─────────────────────────────


def numbered(events, first=1):
    return [{"seq": seq, **event} for seq, event in enumerate(as_json(events), start=first)]


def test_a_live_call(ask, client, call_id):
    # Ids of dialers hold anything; in a path they are percent-encoded.
    call_id += "/北京 1"
    path = f"/v1/calls/{urllib.parse.quote(call_id, safe='')}"
    status, answer = ask("POST", f"{path}/events", {"scriptId": "broadband", "events": numbered(BROADBAND_A[:3])})
    assert (status, answer["ack"], answer["rejections"]) == (200, {"callId": call_id, "seq": 3}, [])
    assert (answer["verdict"]["label"], answer["verdict"]["final"], answer["verdict"]["revision"]) == ("C", False, 0)
    assert ask("GET", f"{path}/verdict") == (200, answer["verdict"])
    # The rest with a number in a string, one bad event, one without a number, and what was sent before.
    rest = numbered(BROADBAND_A[1:], first=2)
    rest[3]["seq"] = "5"
    rest += [{"seq": 9, "utterance": {"speaker": 9}}, {"answered": {}}]
    status, answer = ask("POST", f"{path}/events", {"events": rest})
    assert (status, answer["ack"]) == (200, {"callId": call_id, "seq": 9})
    assert answer["rejections"] == [
        rejection(call_id, 9, "events[8]", "unknown value 9 of speaker"),
        rejection(call_id, 0, "call", "events[8] has no seq; events count from 1 in each call"),
    ]
    for seq in (0, -1, 1.5, "x", 99999999999):
        status, wrong = ask("POST", f"{path}/events", {"events": [{"seq": seq, "answered": {}}]})
        reason = f"the seq of events[0] is {json.dumps(seq)}, not a whole number from 1 to 4294967295"
        assert (status, wrong["rejections"]) == (200, [rejection(call_id, 0, "call", reason)])
    final = ask("GET", f"{path}/verdict")
    assert final == (200, answer["verdict"])
    graded = client.grade(call_id, "broadband", BROADBAND_A).verdict
    read = json_format.ParseDict(final[1], type(graded)(), descriptor_pool=client.pool)
    assert (read.label, read.final, read.revision) == ("A", True, 1)
    assert essence(read) == essence(graded)


def test_a_live_call_out_of_order(ask, call_id):
    events = numbered(BROADBAND_D)
    for batch in (events[3:], events[:2]):
        status, answer = ask("POST", f"/v1/calls/{call_id}/events", {"scriptId": "broadband" if batch[0]["seq"] == 1 else "", "events": batch})
        assert status == 200
    assert answer["ack"]["seq"] == 2
    # Also where an answer was lost: how far it is kept.
    for again in (events[4:], []):
        assert ask("POST", f"/v1/calls/{call_id}/events", {"events": again})[1]["ack"] == {"callId": call_id, "seq": 2}
    status, state = ask("GET", f"/v1/calls/{call_id}/state")
    assert (status, state["lastSeq"], state["ahead"], state["final"], state["scriptId"]) == (200, 2, [4, 5, 6], False, "broadband")
    # What was missing comes in time.
    status, answer = ask("POST", f"/v1/calls/{call_id}/events", {"events": events[2:3]})
    assert (answer["ack"]["seq"], answer["verdict"]["ruleId"], answer["verdict"]["final"]) == (6, "D1", True)


def test_live_text_that_is_not_utf8(ask, call_id):
    body = json.dumps({"scriptId": "broadband", "events": numbered(BROADBAND_D[:3])}, ensure_ascii=False).encode()
    status, answer = ask("POST", f"/v1/calls/{call_id}/events", body.replace("不需要".encode(), b"\xb2\xbb\xd0\xe8\xd2\xaa"))
    assert (status, answer["ack"]["seq"]) == (200, 3)
    assert answer["rejections"] == [rejection(call_id, 3, "events[2]", "text that is not UTF-8")]


def test_live_errors(ask, client, call_id):
    there = ", ".join(sorted(script.script_id for script in client.unary("ListScripts", client.message("ListScriptsRequest")()).scripts))
    reason = f'unknown script "nope"; there are {there}'
    status = {"code": 5, "message": reason, "details": [resource("script", "nope", reason)]}
    assert ask("POST", f"/v1/calls/{call_id}/events", {"scriptId": "nope", "events": [{"seq": 1, "answered": {}}]}) == (
        200,
        {"ack": None, "rejections": [{"callId": call_id, "seq": 1, "status": status}], "verdict": None},
    )
    reason = f'there is no call "{call_id}"'
    assert ask("GET", f"/v1/calls/{call_id}/verdict") == (404, error(5, "NOT_FOUND", reason, resource("call", call_id)))
    for body, wrong in [
        (b"x", 'the body is to be a JSON object with the events in "events"'),
        (b"[]", 'the body is to be a JSON object with the events in "events"'),
        (b'{"events":[', "events: EOF while parsing a list"),
        (b'{"events":{}}', "events: invalid type: map, expected a sequence"),
        (b'{"startedAt":"2026-03-02","events":[]}', 'startedAt: "2026-03-02" is no moment such as 2026-03-01T09:00:00+08:00'),
        (b'{"attributes":{"line":7}}', "attributes.line: invalid type: integer `7`, expected a string"),
    ]:
        reason = f"not a list of events: {wrong}"
        assert ask("POST", f"/v1/calls/{call_id}/events", body) == (400, error(3, "INVALID_ARGUMENT", reason, bad_request("call", reason)))
    assert ask("GET", "/v1/calls/nobody/state") == (404, error(5, "NOT_FOUND", 'there is no call "nobody"', resource("call", "nobody")))
    reason = "the call id in the path is not UTF-8"
    assert ask("GET", "/v1/calls/%FF/verdict") == (400, error(3, "INVALID_ARGUMENT", reason, bad_request("call", reason)))


# ───────────────────────────── the rest ─────────────────────────────


def test_a_compressed_body(ask, call_id):
    reason = "a body of content-encoding gzip is not taken: send it as it is"
    answer = ask("POST", f"/v1/calls/{call_id}/events", gzip.compress(b"{}"), content_encoding="gzip")
    assert answer == (415, error(3, "INVALID_ARGUMENT", reason))


def test_scripts(ask, client):
    listed = client.unary("ListScripts", client.message("ListScriptsRequest")())
    status, answer = ask("GET", "/v1/scripts")
    assert status == 200
    assert json_format.ParseDict(answer, type(listed)(), descriptor_pool=client.pool) == listed


def test_the_document_names_every_route_and_field(ask, client):
    status, document = ask("GET", "/v1/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    assert set(document["paths"]) == {
        "/v1/calls",
        "/v1/calls:export",
        "/v1/calls:grade",
        "/v1/calls/{callId}",
        "/v1/calls/{callId}/events",
        "/v1/calls/{callId}/state",
        "/v1/calls/{callId}/verdict",
        "/v1/aliyun/report",
        "/v1/freeswitch/cdr",
        "/v1/regrades",
        "/v1/regrades/{regradeId}",
        "/v1/regrades/{regradeId}/calls",
        "/v1/regrades/{regradeId}/cancel",
        "/v1/regrades/{regradeId}/export",
        "/v1/regrades/{regradeId}/watch",
        "/v1/scripts",
        "/v1/openapi.json",
    }
    schemas = document["components"]["schemas"]
    messages = ["Call", "CallEvent", "Verdict", "Signals", "Evidence", "NodeProgress", "FollowUp", "Callback", "Ack", "ScriptSummary"]
    messages += ["Answered", "NotConnected", "AnsweredBy", "Utterance", "NodeEntered", "Silence", "KeywordTriggered", "Refused"]
    messages += ["InviteOutcome", "Hangup", "Dtmf", "Transferred", "Rejection", "GradeCallResponse", "ListScriptsResponse"]
    messages += ["CallSummary", "KeptCall", "ListCallsResponse", "GetCallResponse", "CallFilter"]
    messages += ["StartRegradeRequest", "Regrade", "RegradeProgress", "GetRegradeResponse", "RegradeDiff", "ScriptDiff", "KeywordDiff"]
    messages += ["RegradedCall", "ChangedCall", "RuleFate", "ListRegradesResponse", "ListRegradedCallsResponse"]
    for name in messages:
        fields = {field.json_name for field in client.message(name).DESCRIPTOR.fields}
        assert set(schemas[name].get("properties", {})) == fields, name
    fields = {field.json_name for field in client.message("GetCallStateResponse").DESCRIPTOR.fields}
    assert set(schemas["CallState"]["properties"]) == fields
    for name in ["DialResult", "Answerer", "Speaker", "Outcome", "Party", "Match", "Against", "RegradeState", "RegradedKind"]:
        values = set(client.enum(name))
        assert values <= set(schemas[name]["enum"]), name


def conforms(value, document, schema):
    """Fails unless a value is what a schema of the document says."""
    root = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    jsonschema.Draft202012Validator(root).validate(value)


def test_the_document_is_valid(ask):
    openapi_spec_validator.validate(ask("GET", "/v1/openapi.json")[1])


def test_the_examples_of_the_document_are_true(ask):
    _, document = ask("GET", "/v1/openapi.json")
    grade = document["paths"]["/v1/calls:grade"]["post"]
    told = grade["responses"]["200"]["content"]["application/json"]["examples"]
    for name, example in grade["requestBody"]["content"]["application/json"]["examples"].items():
        conforms(example["value"], document, "Call")
        status, answer = ask("POST", "/v1/calls:grade", example["value"])
        assert status == 200
        # Evidence, versions and categories come and go with the keyword lists; what is concluded does not.
        stable = ["callId", "scriptId", "label", "ruleId", "reason", "nodes", "followUp", "endedBy", "notices", "final"]
        assert {key: answer["verdict"][key] for key in stable} == {key: told[name]["value"]["verdict"][key] for key in stable}
        assert answer["verdict"].keys() == told[name]["value"]["verdict"].keys()
        assert answer["rejections"] == told[name]["value"]["rejections"]
    for name, example in told.items():
        conforms(example["value"], document, "GradeCallResponse")
    events = document["paths"]["/v1/calls/{callId}/events"]["post"]
    conforms(events["requestBody"]["content"]["application/json"]["examples"]["beginning"]["value"], document, "EventsRequest")


def test_answers_are_as_the_document_says(ask, call_id):
    _, document = ask("GET", "/v1/openapi.json")
    for events in (BROADBAND_A, BROADBAND_D, SWITCHED_OFF):
        body = {"callId": call_id, "scriptId": "broadband", "events": [*as_json(events), {"hangup": {"by": "DOG"}}]}
        conforms(ask("POST", "/v1/calls:grade", body)[1], document, "GradeCallResponse")
    body = {"scriptId": "broadband", "events": [*numbered(BROADBAND_A[:5]), {"answered": {}}]}
    conforms(ask("POST", f"/v1/calls/{call_id}/events", body)[1], document, "EventsResponse")
    conforms(ask("GET", f"/v1/calls/{call_id}/verdict")[1], document, "Verdict")
    conforms(ask("POST", f"/v1/calls/{call_id}-none/events", {"events": [{"seq": 1, "answered": {}}]})[1], document, "EventsResponse")
    conforms(ask("GET", "/v1/scripts")[1], document, "ListScriptsResponse")
    for failure in [("GET", "/v1/calls/none/verdict"), ("POST", "/v1/calls:grade", b"x"), ("GET", "/x"), ("DELETE", "/v1/scripts")]:
        conforms(ask(*failure)[1], document, "Error")


def test_what_there_is_not(ask):
    message = "there is nothing at /v1/nonsense; see /v1/openapi.json"
    assert ask("GET", "/v1/nonsense") == (404, error(5, "NOT_FOUND", message))
    message = "/v1/calls:grade does not answer GET; see /v1/openapi.json"
    assert ask("GET", "/v1/calls:grade") == (405, error(12, "UNIMPLEMENTED", message))


# ───────────────────────────── gRPC-web ─────────────────────────────


def frame(message):
    return b"\0" + len(message).to_bytes(4) + message


def frames(body):
    """A gRPC-web body: its messages, and what its trailers say."""
    messages, trailers = [], {}
    while body:
        flags, length = body[0], int.from_bytes(body[1:5])
        content, body = body[5 : 5 + length], body[5 + length :]
        if flags & 0x80:
            trailers.update(line.split(":", 1) for line in content.decode().strip().split("\r\n"))
        else:
            messages.append(gzip.decompress(content) if flags & 1 else content)
    return messages, {name: value.strip() for name, value in trailers.items()}


def grade_request(client: Client, call_id, script):
    call = {"call_id": call_id, "script_id": script, "events": BROADBAND_A}
    return client.message("GradeCallRequest")(call=call).SerializeToString()


@pytest.mark.parametrize("compressed", [False, True])
def test_grpc_web(ask, client, call_id, compressed):
    message = grade_request(client, call_id, "broadband")
    headers = {"content_type": GRPC_WEB, "x_grpc_web": "1"}
    body = frame(message)
    if compressed:
        packed = gzip.compress(message)
        body = b"\1" + len(packed).to_bytes(4) + packed
        headers |= {"grpc_encoding": "gzip", "grpc_accept_encoding": "gzip"}
    status, (kind, body, answered) = ask("POST", f"/{SERVICE}/GradeCall", body, **headers)
    assert (status, kind) == (200, GRPC_WEB)
    assert answered.get("grpc-encoding") == ("gzip" if compressed else None)
    assert body[0] == compressed
    (answer,), trailers = frames(body)
    assert trailers["grpc-status"] == "0"
    verdict = client.message("GradeCallResponse").FromString(answer).verdict
    assert verdict == client.grade(call_id, "broadband", BROADBAND_A).verdict


def test_grpc_web_errors(ask, client, call_id):
    message = frame(grade_request(client, call_id, "nope"))
    status, (_, body, headers) = ask("POST", f"/{SERVICE}/GradeCall", message, content_type=GRPC_WEB)
    told = headers | frames(body)[1]
    assert (status, told["grpc-status"]) == (200, "5")
    assert urllib.parse.unquote(told["grpc-message"]).startswith('unknown script "nope"; there are ')
    status, (_, body, headers) = ask("POST", "/nonsense.Service/Method", message, content_type=GRPC_WEB)
    assert (status, (headers | frames(body)[1])["grpc-status"]) == (200, "12")


def test_the_server_keeps_a_deadline_too(address, client, call_id):
    # A request that never comes whole, from a client that waits no longer than 300 ms.
    host, port = address.rsplit(":", 1)
    message = frame(grade_request(client, call_id, "broadband"))
    head = f"POST /{SERVICE}/GradeCall HTTP/1.1\r\nhost: {address}\r\ncontent-type: {GRPC_WEB}\r\ngrpc-timeout: 300m\r\n"
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        began = time.monotonic()
        connection.sendall(f"{head}content-length: {len(message)}\r\n\r\n".encode() + message[:-1])
        answer = connection.recv(65_536).decode()
        assert 0.25 < time.monotonic() - began < 5
    assert "grpc-status: 4\r\n" in answer or "grpc-status:4\r\n" in answer, answer
