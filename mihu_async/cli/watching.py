"""``mihu-async numbers watch`` and ``trunks watch``: report changes of a listing as they are seen."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

from attrs import asdict, frozen
from cyclopts import Parameter
from cyclopts.validators import Number

from mihu_async import CheckpointFile, MihuClient, UsageError, Watcher
from mihu_async.cli.commands import running
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.formats import Format
from mihu_async.cli.layouts import CHANGES
from mihu_async.cli.numbers import ALL as ALL_NUMBERS
from mihu_async.cli.numbers import Filters, numbers
from mihu_async.cli.output import Show, standard_output
from mihu_async.cli.progress import explain
from mihu_async.cli.trunks import ALL as ALL_TRUNKS
from mihu_async.cli.trunks import Filters as TrunkFilters
from mihu_async.cli.trunks import trunks


@Parameter(name="*", group="Output")
@frozen(kw_only=True)
class Watch(Show):
    """The options of a command that watches a listing."""

    interval: float = 60.0
    """Seconds between the end of one walk and the beginning of the next."""
    limit: Annotated[int | None, Parameter(validator=Number(gte=1))] = None
    """Stop after this many changes."""
    resume_file: Path | None = None
    """Keep the known rows in this file, and report next time the changes since then."""

    async def follow(self, start: Callable[[str | None], Watcher]) -> None:
        """Write each change as it is seen, until Ctrl-C or the limit."""
        self._check()
        with CheckpointFile(self.resume_file) if self.resume_file else nullcontext() as place:
            try:
                watcher = start(place.read() if place else None)
            except UsageError as error:
                if error.argument != "since":
                    raise
                message = (
                    f"{self.resume_file} cannot be used: it belongs to another listing, or was not written by a watch."
                )
                raise StopError(
                    Exit.USAGE, f"{message} Nothing was sent.", "Use another file, or remove this one."
                ) from None
            async with watcher:
                try:
                    await watcher.take_base()
                    await self._tell(watcher, place)
                finally:
                    keep(watcher, place)

    def _check(self) -> None:
        self.check(CHANGES)
        if self.format is Format.JSON:
            raise StopError(Exit.USAGE, "A watch has no end, but a JSON array needs one: use --output jsonl.")
        if self.resume_file and self.limit is not None:
            raise StopError(Exit.USAGE, "--resume-file and --limit do not go together.")

    async def _tell(self, watcher: Watcher, place: CheckpointFile | None) -> None:
        file = standard_output(self.format)
        rows = self.rows(CHANGES, file)
        explain(f"Watching, with a check every {self.interval:g} s. Press Ctrl-C to stop.")
        file.write(rows.head())
        file.flush()
        left = self.limit
        async for change in watcher:
            keep(watcher, place)  # the changes written before; this one is kept once the next one is requested
            file.write(rows.row(change))
            file.flush()
            left = None if left is None else left - 1
            if left == 0:
                return


def keep(watcher: Watcher, place: CheckpointFile | None) -> None:
    """Save the known rows, if there are any and they are to be kept."""
    known = watcher.snapshot()
    if place and known is not None:
        place.write(known)


WATCH = Watch()


@running(numbers, "watch")
async def watch_numbers(mihu: MihuClient, *, filters: Filters = ALL_NUMBERS, watch: Watch = WATCH) -> None:
    """Report each change of the inventory once, until Ctrl-C."""
    given = filters.given()
    await watch.follow(lambda since: mihu.numbers.watch(interval=watch.interval, since=since, **given))


@running(trunks, "watch")
async def watch_trunks(mihu: MihuClient, *, filters: TrunkFilters = ALL_TRUNKS, watch: Watch = WATCH) -> None:
    """Report each change of the trunks once, until Ctrl-C."""
    given = asdict(filters, recurse=False)
    await watch.follow(lambda since: mihu.trunks.watch(interval=watch.interval, since=since, **given))
