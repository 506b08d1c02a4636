"""The documented contract in machine form, and what holds a request against it."""

from pathlib import Path

from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest

from mihu_async.sandbox import JournalEntry

__all__ = ["CONTRACT", "OpenAPIError", "validate"]

CONTRACT = OpenAPI.from_file_path(str(Path(__file__).parent / "openapi.yaml"))


def validate(entry: JournalEntry) -> None:
    """Hold a request that arrived against the contract, which raises `OpenAPIError` where it does not allow it."""
    request = MockRequest(
        "https://demo.mihu.ai",
        entry.method.lower(),
        entry.path,
        args=dict(entry.query),
        headers=dict(entry.headers),
        data=entry.body or None,
        content_type=entry.headers.get("Content-Type", ""),
    )
    CONTRACT.validate_request(request)
