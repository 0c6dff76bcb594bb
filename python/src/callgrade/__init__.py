"""callgrade for Python: dialers stream live calls to a server, data teams grade recorded ones where their data are.

- :class:`callgrade.Client`: calls over gRPC, streamed while they are live or graded whole; the calls that are kept.
- :mod:`callgrade.events`: the events that a call is made of.
- :mod:`callgrade.arrow`: recorded calls graded in any Arrow engine (pandas, Polars, DuckDB …) by the program ``callgrade``.
- :mod:`callgrade.spark`: the same on Apache Spark.
- :mod:`callgrade.v1`: the messages of the contract.

The last four are imported by name. What is not imported needs nothing installed: :mod:`callgrade.arrow` works without gRPC.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callgrade.client import Client
    from callgrade.stream import CallRefused, LiveCall, Stream, StreamFailed

__all__ = ["CallRefused", "Client", "LiveCall", "Stream", "StreamFailed"]


def __getattr__(name: str) -> Any:
    """Imports what needs gRPC when it is asked for."""
    if name == "Client":
        from callgrade import client

        return client.Client
    if name in __all__:
        from callgrade import stream

        return getattr(stream, name)
    raise AttributeError(f"module 'callgrade' has no attribute {name!r}")
