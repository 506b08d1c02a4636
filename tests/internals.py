"""The way into a client, for tests: its transport and its pipeline."""

# ruff: noqa: SLF001 - the one module of the tests that sees inside a client
# pyright: reportPrivateUsage=false
from typing import Any, TypeVar

from attrs import evolve

from mihu_async.client import MihuClient
from mihu_async.core.pipeline import Pipeline
from mihu_async.core.transport import Transport

Client = TypeVar("Client", bound=MihuClient)


def transport_of(client: MihuClient) -> Transport:
    """Return the transport of a client, which knows its sessions."""
    return client._transport


def pipeline_of(client: MihuClient) -> Pipeline:
    """Return the pipeline of a client, which knows its clock and its throttle."""
    return client._pipeline


def with_pipeline(client: Client, **changes: Any) -> Client:
    """Change the pipeline of a client in place, and return the client.

    Args:
        client: The client. A pager that it made before keeps the old pipeline.
        changes: The fields of the pipeline to replace, such as ``clock``, ``jitter`` and ``sender``.
    """
    client._use(evolve(client._pipeline, **changes), client._concurrency)
    return client
