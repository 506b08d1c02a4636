"""The options of every command: the workspace, the connection to it, and the log."""

import os
import sys
from asyncio import CancelledError
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from attrs import evolve, frozen
from cyclopts import Parameter

from mihu_async import Attempt, CallReport, Hooks, MihuClient, OutcomeUnknownError, RetryPolicy, Timeout
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.files import read_secret
from mihu_async.cli.parameters import FLAG
from mihu_async.cli.progress import Waits
from mihu_async.cli.prompts import ask_secret
from mihu_async.core.address import TOKEN_VARIABLE, find_base_url
from mihu_async.doctor.probes import unusable_proxy
from mihu_async.doctor.proxies import UnusableProxy
from mihu_async.ledger import Ledger

if TYPE_CHECKING:
    from mihu_async.ledger import SqliteLedger


SAME_KEY = "Run the same command again with the same key: it looks the purchase up first, and buys nothing twice."
"""The advice for a purchase with a key whose outcome is unknown."""


@Parameter(name="*", group="Workspace")
@frozen(kw_only=True)
class Settings:
    """The workspace and the connection to it."""

    base_url: str | None = None
    """The full address; by default from MIHU_BASE_URL or MIHU_TENANT."""
    subdomain: str | None = None
    """The workspace's name instead, for https://NAME.mihu.ai."""
    token_file: Path | None = None
    """A file with the API token. The default is MIHU_API_TOKEN, or a prompt on a terminal."""
    timeout: float = 60.0
    """The time limit of a call in seconds, including retries."""
    max_attempts: int = 4
    """The most attempts that a call makes."""
    concurrency: int = 4
    """The number of pages, or rows of a file, to process at a time."""
    no_trust_env: Annotated[bool, FLAG] = False
    """Ignore HTTP_PROXY, HTTPS_PROXY and ALL_PROXY. By default they are used, unless NO_PROXY names the host."""
    debug: Annotated[bool, FLAG] = False
    """Log every attempt, and show where an error comes from."""

    @property
    def workspace(self) -> str:
        """The address of the workspace."""
        return str(find_base_url(self.subdomain, self.base_url, os.environ))

    @property
    def unusable_proxy(self) -> UnusableProxy | None:
        """The proxy of the environment, if it would be used but cannot be."""
        if self.no_trust_env:
            return None
        return unusable_proxy(find_base_url(self.subdomain, self.base_url, os.environ))

    def client(self, *, dry_run: bool = False, ledger: Ledger | None = None) -> MihuClient:
        """Return a client."""
        if proxy := self.unusable_proxy:
            raise StopError(Exit.USAGE, f"{proxy} Nothing was sent.", "Correct it, or ignore it with --no-trust-env.")
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
        """Return the same settings without the proxy of the environment."""
        return evolve(self, no_trust_env=True)

    def _token(self) -> str | None:
        """Return the token from the file or the prompt; None if the client reads it from the environment."""
        if self.token_file:
            return read_secret(self.token_file)
        if os.environ.get(TOKEN_VARIABLE) or not sys.stdin.isatty():
            return None
        return ask_secret("API token")

    @asynccontextmanager
    async def writing(self, *, dry_run: bool, ledger: Path | None = None) -> AsyncGenerator[MihuClient]:
        """Yield a client for one change, and report it if an interruption leaves the change in doubt."""
        lost: list[CallReport] = []

        def note(attempt: Attempt, call: CallReport) -> None:
            if attempt.lost:
                lost.append(call)

        async with opened(ledger) as known, self.client(dry_run=dry_run, ledger=known) as mihu:
            with _doubt(lost, keyed=ledger is not None):
                yield mihu.with_options(hooks=Hooks(on_attempt=note, on_retry=Waits()))


@asynccontextmanager
async def opened(path: Path | None) -> AsyncGenerator[Ledger | None]:
    """Open the ledger in a file, if one is given."""
    if path is None:
        yield None
        return
    async with ledger_in(path) as ledger:
        yield ledger


def ledger_in(path: Path) -> "SqliteLedger":
    """Return the ledger in a file."""
    from mihu_async.ledger import SqliteLedger  # noqa: PLC0415 - a Python may be built without SQLite

    return SqliteLedger(path)


@contextmanager
def _doubt(lost: list[CallReport], *, keyed: bool) -> Generator[None]:
    try:
        yield
    except OutcomeUnknownError as error:
        if keyed:
            error.add_note(f"{SAME_KEY} numbers recover only looks it up.")
        raise
    except CancelledError:
        if not lost:
            raise
        call = lost[-1]
        message = f"Interrupted while {call.method} {call.path} was under way: it may have been applied."
        raise StopError(Exit.UNKNOWN, message, SAME_KEY if keyed else "Check before you repeat it.") from None


DEFAULTS = Settings()
