"""A client of callgrade.v1.Grading made from what the server's reflection says, without generated code."""

import queue

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVICE = "callgrade.v1.Grading"
# No test waits longer for anything.
PATIENCE_S = 60


def serialize(message):
    """A message, or bytes that are to go out as they are."""
    return message if isinstance(message, bytes) else message.SerializeToString()


class Client:
    def __init__(self, channel):
        self.channel = channel
        self.database = ProtoReflectionDescriptorDatabase(channel)
        self.pool = DescriptorPool(self.database)
        self.service = self.pool.FindServiceByName(SERVICE)

    def message(self, name):
        """A message class by its name in callgrade.v1."""
        return message_factory.GetMessageClass(self.pool.FindMessageTypeByName(f"callgrade.v1.{name}"))

    def enum(self, name):
        """An enum's numbers by name."""
        return {value.name: value.number for value in self.pool.FindEnumTypeByName(f"callgrade.v1.{name}").values}

    def _method(self, name):
        method = self.service.methods_by_name[name]
        answer = message_factory.GetMessageClass(method.output_type)
        return f"/{SERVICE}/{name}", serialize, answer.FromString

    def unary(self, name, request, **options):
        """Calls a unary method."""
        options.setdefault("timeout", PATIENCE_S)
        return self.channel.unary_unary(*self._method(name))(request, **options)

    def grade(self, call_id, script_id, events, **options):
        """GradeCall of a whole call."""
        call = {"call_id": call_id, "script_id": script_id, "events": events}
        return self.unary("GradeCall", self.message("GradeCallRequest")(call=call), **options)

    def stream(self, **options):
        """StreamCalls."""
        return Stream(self, **options)

    def start(self, requests, **options):
        """StreamCalls of an iterator's messages."""
        options.setdefault("timeout", PATIENCE_S)
        return self.channel.stream_stream(*self._method("StreamCalls"))(requests, **options)


class Stream:
    """A StreamCalls under way: what is sent goes out at once, what is answered waits until it is asked for."""

    def __init__(self, client, **options):
        self.request = client.message("StreamCallsRequest")
        self.requests = queue.SimpleQueue()
        self.answers = client.start(iter(self.requests.get, None), **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.requests.put(None)
        self.answers.cancel()

    def send(self, call_id, seq, event, script_id=""):
        """Sends an event; `script_id` belongs to the first."""
        self.requests.put(self.request(call_id=call_id, seq=seq, event=event, script_id=script_id))

    def send_bytes(self, message):
        """Sends bytes as a message."""
        self.requests.put(message)

    def send_call(self, call_id, script_id, events):
        """Sends a whole call in order."""
        for seq, event in enumerate(events, start=1):
            self.send(call_id, seq, event, script_id if seq == 1 else "")

    def next(self):
        """The next answer, as its kind and itself."""
        return kind_of(next(self.answers))

    def until_ack(self, call_id, seq):
        """Answers up to the one that acknowledges this event and what goes with it, in the order they came."""
        answers = []
        while not any(kind == "ack" and answer.call_id == call_id and answer.seq >= seq for kind, answer in answers):
            answers.append(self.next())
        return answers

    def rest(self):
        """Says that no more is sent; all answers to the end."""
        self.requests.put(None)
        return [kind_of(answer) for answer in self.answers]


def kind_of(answer):
    kind = answer.WhichOneof("response")
    return kind, getattr(answer, kind)


def of(answers, kind, call_id):
    """The answers of a kind about a call."""
    return [answer for its, answer in answers if its == kind and answer.call_id == call_id]


def acks(answers, call_id):
    return [ack.seq for ack in of(answers, "ack", call_id)]


def standings(answers, call_id):
    """A call's verdicts, each as label, rule, revision."""
    return [(verdict.label, verdict.rule_id, verdict.revision) for verdict in of(answers, "verdict", call_id)]


def essence(verdict):
    """A verdict without what the contract leaves out of equality, and without the call's own name."""
    copy = type(verdict)()
    copy.CopyFrom(verdict)
    for field in ("call_id", "revision", "notices", "ended_by"):
        copy.ClearField(field)
    return copy
