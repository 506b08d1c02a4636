"""The options of every command: the workspace, the way to it, and how much is told."""

import os
import sys
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated

from attrs import evolve, frozen
from cyclopts import Parameter

from mihu_async import Attempt, CallReport, Hooks, MihuClient, RetryPolicy, Timeout
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.files import read_secret
from mihu_async.cli.parameters import FLAG
from mihu_async.cli.progress import Waits
from mihu_async.cli.prompts import ask_secret
from mihu_async.core.address import TOKEN_VARIABLE, find_base_url
from mihu_async.doctor.probes import unusable_proxy
from mihu_async.doctor.proxies import UnusableProxy
from mihu_async.ledger import Ledger


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
    """The number of times that a call is tried."""
    concurrency: int = 4
    """The number of pages, or rows of a file, that are under way at a time."""
    no_trust_env: Annotated[bool, FLAG] = False
    """Use no proxy, whatever HTTP_PROXY, HTTPS_PROXY and ALL_PROXY name. Without it, they are used, unless NO_PROXY
    names the host."""
    debug: Annotated[bool, FLAG] = False
    """Show every attempt, and where an error comes from."""

    @property
    def workspace(self) -> str:
        """Return the address of the workspace."""
        return str(find_base_url(self.subdomain, self.base_url, os.environ))

    @property
    def unusable_proxy(self) -> UnusableProxy | None:
        """Return the proxy of the environment that would be used and cannot be."""
        if self.no_trust_env:
            return None
        return unusable_proxy(find_base_url(self.subdomain, self.base_url, os.environ))

    def client(self, *, dry_run: bool = False, ledger: Ledger | None = None) -> MihuClient:
        """Make the client."""
        if proxy := self.unusable_proxy:
            raise StopError(Exit.USAGE, f"{proxy} Nothing was sent.", "Correct it, or go without it: --no-trust-env.")
        return MihuClient(
            self._token(),
            base_url=self.base_url,
            subdomain=self.subdomain,
            timeout=Timeout(self.timeout),
            retries=RetryPolicy(max_attempts=self.max_attempts),
            concurrency=self.concurrency,
            trust_env=not self.no_trust_env,
            dry_run=dry_run,
            hooks=Hooks(on_retry=Waits()),
            ledger=ledger,
        )

    def without_proxy(self) -> "Settings":
        """Return the same without the proxy of the environment."""
        return evolve(self, no_trust_env=True)

    def _token(self) -> str | None:
        """Return the token where the environment, which the client reads, does not hold it."""
        if self.token_file:
            return read_secret(self.token_file)
        if os.environ.get(TOKEN_VARIABLE) or not sys.stdin.isatty():
            return None
        return ask_secret("API token")

    @asynccontextmanager
    async def writing(self, *, dry_run: bool, ledger: Path | None = None) -> AsyncGenerator[MihuClient]:
        """Make a client for one change, and tell where an interruption leaves it in doubt."""
        lost: list[CallReport] = []

        def note(attempt: Attempt, call: CallReport) -> None:
            if attempt.lost:
                lost.append(call)

        async with opened(ledger) as known, self.client(dry_run=dry_run, ledger=known) as mihu:
            with _doubt(lost):
                yield mihu.with_options(hooks=Hooks(on_attempt=note, on_retry=Waits()))


@asynccontextmanager
async def opened(path: Path | None) -> AsyncGenerator[Ledger | None]:
    """Open the ledger in a file, if there is one."""
    if path is None:
        yield None
        return
    from mihu_async.ledger import SqliteLedger  # noqa: PLC0415 - a Python may be built without SQLite

    async with SqliteLedger(path) as ledger:
        yield ledger


@contextmanager
def _doubt(lost: list[CallReport]) -> Generator[None]:
    try:
        yield
    except CancelledError:
        if not lost:
            raise
        call = lost[-1]
        told = f"Interrupted while {call.method} {call.path} was under way: it may have been carried out."
        raise StopError(Exit.UNKNOWN, told, "Look whether it was, before doing it again.") from None


DEFAULTS = Settings()
