"""When what failed is worth trying again, as the server says and as connections fail."""

import random
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

__all__ = ["backoff", "is_lost", "retry_info", "status_of"]

# What a stream or a call ends with when the connection, or the server behind it, has gone.
_LOST = {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNKNOWN,
}


def backoff(failures: int, longest_s: float) -> float:
    """Seconds to wait after so many failures in a row: doubling, and scattered so that clients do not all come back at once."""
    return min(longest_s, 0.1 * 2.0 ** min(failures, 30)) * random.uniform(0.5, 1.0)


def status_of(error: grpc.RpcError) -> status_pb2.Status:
    """The status with its details that an error carries; an empty one if it carries none."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value)
    return status_pb2.Status()


def retry_info(status: Any) -> float | None:
    """Seconds after which a status asks to try again, if it does."""
    for detail in status.details:
        if detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            info = error_details_pb2.RetryInfo.FromString(detail.value)
            seconds: float = info.retry_delay.seconds + info.retry_delay.nanos / 1e9
            return max(seconds, 0.0)
    return None


def is_lost(error: grpc.RpcError) -> bool:
    """Whether the connection has gone, rather than the server having refused."""
    return error.code() in _LOST
