"""What every command takes: which workspace, how to reach it, and how much to tell."""

import os
import sys
from asyncio import CancelledError
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from attrs import frozen
from cyclopts import Parameter

from mihu_async import Attempt, CallReport, Hooks, MihuClient, RetryPolicy, Timeout
from mihu_async.cli.asking import ask_secret
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.files import read_secret
from mihu_async.cli.words import FLAG
from mihu_async.core.address import TOKEN_VARIABLE


@Parameter(name="*", group="Workspace")
@frozen(kw_only=True)
class Settings:
    """The workspace and the way to it."""

    base_url: str | None = None
    """The whole address; MIHU_BASE_URL or MIHU_TENANT unless given."""
    subdomain: str | None = None
    """The workspace's name instead, for https://NAME.mihu.ai."""
    token_file: Path | None = None
    """A file that holds the API token. Without it MIHU_API_TOKEN holds it, or a terminal is asked."""
    timeout: float = 60.0
    """Seconds that a call may take, with its retries."""
    max_attempts: int = 4
    """How often a call is tried."""
    concurrency: int = 4
    """How many pages, or rows of a file, are under way at a time."""
    trust_env: bool = True
    """Use the proxy that HTTP_PROXY, HTTPS_PROXY or ALL_PROXY names, unless NO_PROXY names the host."""
    debug: Annotated[bool, FLAG] = False
    """Show every attempt, and where an error comes from."""

    def client(self, *, dry_run: bool = False) -> MihuClient:
        """Make the client."""
        return MihuClient(
            self._token(),
            base_url=self.base_url,
            subdomain=self.subdomain,
            timeout=Timeout(self.timeout),
            retries=RetryPolicy(max_attempts=self.max_attempts),
            concurrency=self.concurrency,
            trust_env=self.trust_env,
            dry_run=dry_run,
        )

    def _token(self) -> str | None:
        """Give the token where the environment, which the client reads, does not hold it."""
        if self.token_file:
            return read_secret(self.token_file)
        if os.environ.get(TOKEN_VARIABLE) or not sys.stdin.isatty():
            return None
        return ask_secret("API token")

    @asynccontextmanager
    async def writing(self, *, dry_run: bool) -> AsyncGenerator[MihuClient]:
        """Give a client for one change, and tell where an interruption leaves it in doubt."""
        lost: list[CallReport] = []

        def note(attempt: Attempt, call: CallReport) -> None:
            if attempt.lost:
                lost.append(call)

        async with self.client(dry_run=dry_run) as mihu:
            try:
                yield mihu.with_options(hooks=Hooks(on_attempt=note))
            except CancelledError:
                if lost:
                    call = lost[-1]
                    told = f"Interrupted while {call.method} {call.path} was under way: it may have been carried out."
                    raise StopError(Exit.UNKNOWN, told, "Look whether it was, before doing it again.") from None
                raise


DEFAULTS = Settings()
