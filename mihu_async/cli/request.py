"""``mihu-async request``: calls any endpoint, with the checks, retries and errors of all calls."""

import json as codec
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from mihu_async import MihuClient
from mihu_async.cli.columns import as_json
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.files import read_text
from mihu_async.cli.formats import Format
from mihu_async.cli.output import standard_output
from mihu_async.cli.parameters import FLAG

STANDARD_INPUT = Path("-")


async def request(
    mihu: MihuClient,
    method: Annotated[str, Parameter(help="GET, POST, PUT, PATCH or DELETE.")],
    path: Annotated[str, Parameter(help="The path, such as /phone-numbers/search, with or without /api/v1.")],
    /,
    *,
    query: Annotated[tuple[str, ...], FLAG, Parameter(help="A query parameter, as KEY=VALUE; may be repeated.")] = (),
    json: Annotated[
        Path | None, Parameter(allow_leading_hyphen=True, help="A file with the body as JSON, or - for standard input.")
    ] = None,
) -> None:
    """Call any endpoint, and write the data of its answer as JSON. A POST is not repeated if its answer is lost."""
    pairs = [_pair(given) for given in query]
    body = None if json is None else _body(json)
    data = await mihu.request(method.upper(), path, query=pairs, json=body)
    if data is not None:
        file = standard_output(Format.JSON)
        file.write(as_json(data, indent=2 if file.isatty() else None) + "\n")


def _pair(given: str) -> tuple[str, str]:
    key, parted, value = given.partition("=")
    if not (key and parted):
        raise StopError(Exit.USAGE, f"A query parameter must be KEY=VALUE, not {given!r}. Nothing was sent.")
    return key, value


def _body(path: Path) -> Any:
    """Read the body. No error quotes its text, which may contain secrets."""
    if str(path).lstrip()[:1] in {"{", "["} and not path.exists():
        raise StopError(Exit.USAGE, "--json takes a file, or - for standard input, not JSON itself. Nothing was sent.")
    name, text = ("Standard input", sys.stdin.read()) if path == STANDARD_INPUT else (str(path), read_text(path))
    try:
        return codec.loads(text)
    except codec.JSONDecodeError as error:
        raise StopError(Exit.USAGE, f"{name} is not JSON: {error}. Nothing was sent.") from None
