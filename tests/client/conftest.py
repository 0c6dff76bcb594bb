"""The server under test, and a client of it that knows nothing but its address: messages and methods come by reflection."""

import os

import grpc
import pytest
from client import Client


@pytest.fixture(scope="session")
def address():
    """Where the server listens, as it says on its first line."""
    return os.environ["CALLGRADE_ADDR"]


@pytest.fixture(scope="session")
def pid():
    """The server's process."""
    return int(os.environ["CALLGRADE_PID"])


@pytest.fixture(scope="session")
def channel(address):
    with grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture(scope="session")
def client(channel):
    return Client(channel)


@pytest.fixture
def call_id(request):
    """A call id that no other test uses."""
    return request.node.name


def pytest_collection_modifyitems(items):
    """What stops the server comes last."""
    items.sort(key=lambda item: item.path.name == "test_shutdown.py")
