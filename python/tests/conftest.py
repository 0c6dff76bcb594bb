"""What the tests of the package share."""

import signal

import pytest
from server import Server

from callgrade import Client, events

# No test takes longer.
LONGEST_S = 1_200


@pytest.fixture(autouse=True)
def patience():
    """A test that hangs fails, rather than everything with it."""

    def give_up(*_):
        raise TimeoutError("the test hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(LONGEST_S)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def serve(tmp_path):
    """Starts servers that do not outlive the test."""
    started = []

    def start(*flags, store=None):
        started.append(Server(store or tmp_path / f"store-{len(started)}", *flags))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A server of many tests."""
    server = Server(tmp_path_factory.mktemp("shared") / "store")
    yield server
    server.stop()


@pytest.fixture
def client(shared):
    with Client(shared.address) as client:
        yield client


def essence(verdict):
    """A verdict without what the contract leaves out of equality."""
    copy = type(verdict)()
    copy.CopyFrom(verdict)
    for field in ("call_id", "revision", "notices", "ended_by"):
        copy.ClearField(field)
    return copy


# Three questions, though he declines in the end: A1. On the way: C1, B1, A1.
ASKS = [
    events.answered(at_ms=5_000),
    events.said(
        "robot", "您好，现在回馈老用户，送您一条五十兆的家庭宽带，您看要不要给您办一个？", at_ms=5_100, node_id="opening", played=1.0
    ),
    events.said("customer", "网速多少兆", at_ms=15_000),
    events.said("robot", "五十兆的光纤宽带。", at_ms=17_000),
    events.said("customer", "那路由器送不送", at_ms=20_000),
    events.said("customer", "要签合约吗", at_ms=25_000),
    events.hangup(by="customer", at_ms=28_000),
]
# Declines: D2.
DECLINES = [
    events.answered(at_ms=4_000),
    events.said("customer", "不需要", at_ms=12_000),
    events.hangup(by="customer", at_ms=14_000),
]
SWITCHED_OFF = [events.not_connected(at_ms=9_000, announcement="您好，您拨打的电话已关机", sip_code=480)]
