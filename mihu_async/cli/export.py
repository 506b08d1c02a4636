"""Writes a walk as rows, page by page; only the current page is in memory."""

import json
import os
import re
import sys
from asyncio import CancelledError
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from stat import S_ISREG
from typing import IO, Annotated, Any, Generic, Literal, TypeVar

from attrs import define, field, frozen
from cyclopts import Parameter
from cyclopts.validators import Number

from mihu_async import CheckpointFile, MihuError, Pager, UsageError, WalkReport
from mihu_async.cli.columns import Layout
from mihu_async.cli.errors import Exit, StopError
from mihu_async.cli.files import parse_object, same
from mihu_async.cli.formats import APPENDABLE, Format, Rows
from mihu_async.cli.output import Show, format_for, standard_output
from mihu_async.cli.progress import Bar, explain, progress, tell
from mihu_async.cli.wording import counted, proof_of, walk_in_words
from mihu_async.paging.page import stated

T = TypeVar("T")

LONG = 5
"""The number of pages from which a walk shows its progress."""


@Parameter(name="*", group="Output")
@frozen(kw_only=True)
class Export(Show):
    """The options of a command that writes a listing."""

    file: Path | None = None
    """Write to a file instead of standard output, and replace it. The ending of its name sets the format, unless
    --output does.
    """
    limit: Annotated[int | None, Parameter(validator=Number(gte=1))] = None
    """Stop after this many rows."""
    on_drift: Literal["recover", "verify", "raise", "ignore"] = "recover"
    """If the listing changes while it is read: recover reads it again unless it is proved complete; verify always reads
    it again; raise stops; ignore takes the pages as they come, and alone keeps no memory of the rows.
    """
    resume_file: Path | None = None
    """Save the position here, and continue from it if the file exists. It is removed at the end. For jsonl and csv."""

    def check(self, layout: Layout[Any]) -> None:
        """Reject options that do not go together, before anything is sent."""
        chosen = self.format
        super().check(layout)
        if self.resume_file is None:
            return
        if chosen not in APPENDABLE:
            raise StopError(Exit.USAGE, f"--resume-file needs --output jsonl or csv: {chosen} cannot be continued.")
        if self.limit is not None:
            raise StopError(Exit.USAGE, "--resume-file and --limit do not go together.")
        if self.file and same(self.resume_file, self.file):
            raise StopError(Exit.USAGE, "--resume-file and --file must be two files: the former is removed at the end.")
        if not self.file and self.on_drift == "verify":
            message = "--on-drift verify may start over, and standard output cannot be truncated. Nothing was sent."
            raise StopError(Exit.USAGE, message, "Use --file too.")

    @property
    def format(self) -> Format:
        """The format in which the rows are written."""
        return format_for(self.output, self.file)


PLAIN = Export()


async def export(pager: Pager[T], layout: Layout[T], how: Export) -> None:
    """Write the rows of a walk, and stop with INCOMPLETE if the walk cannot guarantee that they are all."""
    with CheckpointFile(how.resume_file) if how.resume_file else nullcontext() as place:
        await _export(pager, layout, how, Places(place, how.format, how.file, how.columns))


async def _export(pager: Pager[T], layout: Layout[T], how: Export, places: "Places") -> None:
    try:
        pager = pager.with_options(on_drift=how.on_drift, resume=places.checkpoint)
    except UsageError as error:
        message = re.sub("^resume", str(how.resume_file), str(error))
        raise StopError(Exit.USAGE, message, places.cure) from None
    with sink(how.file, places) as file, progress(shown_elsewhere=file.isatty()) as bar:
        writer = Writer(file, how.rows(layout, file), resumed=places.checkpoint is not None, left=how.limit)
        async with pager:
            await copy(pager, writer, places, bar)
        writer.end()
    places.forget()
    if pager.report.complete is False:
        advice = "The listing changed while it was read: read it again."
        if pager.report.expected is None:
            advice = "The service does not say how many rows there are, so nothing proves that these are all."
        elif how.on_drift == "ignore":
            advice = (
                "Leave out --on-drift ignore, which remembers one page only, and so proves nothing of more than two."
            )
        raise StopError(
            Exit.INCOMPLETE,
            f"Every row that was seen was written, but the listing may have more: {walk_in_words(pager.report)}.",
            advice,
        )
    if how.file:
        tell(summary(how.file, writer, pager.report, resumed=places.checkpoint is not None))
    elif not writer.count and places.checkpoint is None:
        explain("0 rows.")


def summary(file: Path, writer: "Writer[Any]", report: WalkReport, *, resumed: bool) -> str:
    """Describe how many rows were written, and whether they are proved to be all."""
    rows = counted(writer.count, "more row" if resumed else "row")
    if writer.full:
        return f"{rows} written to {file}; --limit stopped it, and there may be more."
    return f"{rows} written to {file}: {proof_of(report)}."


async def copy(pager: Pager[T], writer: "Writer[T]", places: "Places", bar: Bar) -> None:
    """Write page after page, and save each position once everything before it is written."""
    try:
        async for page in pager.pages():
            writer.begin()
            places.note(pager.checkpoint(), writer.file)
            writer.page(page.items)
            known = stated(page)
            if known.total is not None and (known.last_page or 0) >= LONG:
                bar.show(page.pagination.to or known.total, known.total)
            if writer.full:
                return
    except (MihuError, CancelledError) as error:  # between pages, when every row received has been written
        if writer.begun:
            places.note((isinstance(error, MihuError) and error.checkpoint) or pager.checkpoint(), writer.file)
        places.advise(error)
        raise


def is_regular(file: IO[str]) -> bool:
    """Return True for a regular file, which can be truncated and synced; False for standard output."""
    return file is not sys.stdout and S_ISREG(os.fstat(file.fileno()).st_mode)


@define
class Writer(Generic[T]):
    """Writes at most ``left`` rows. The previous content of the file stays until the first page is written."""

    file: IO[str]
    rows: Rows[T]
    resumed: bool
    left: int | None = None
    begun: bool = field(init=False, default=False)
    count: int = field(init=False, default=0)

    @property
    def full(self) -> bool:
        """True if no more rows are wanted."""
        return self.left == 0

    def begin(self) -> None:
        """Truncate the file, and write the head of the format unless rows of an earlier run are kept."""
        if self.begun:
            return
        self.begun = True
        if is_regular(self.file):
            self.file.truncate()
        if not self.resumed:
            self.file.write(self.rows.head())

    def page(self, items: Sequence[T]) -> None:
        """Write some rows and flush them, so that a reader sees them."""
        wanted = items if self.left is None else items[: self.left]
        for item in wanted:
            self.file.write(self.rows.row(item))
        self.count += len(wanted)
        if self.left is not None:
            self.left -= len(wanted)
        self.file.flush()

    def end(self) -> None:
        """Write the foot of the format."""
        self.begin()
        self.file.write(self.rows.foot())
        self.file.flush()


@define
class Places:
    """The position of an export, saved in a small file or not at all."""

    place: CheckpointFile | None
    output: Format
    file: Path | None
    columns: str | None
    checkpoint: str | None = field(init=False, default=None)
    size: int | None = field(init=False, default=None)
    _begun: tuple[str, int | None] | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        if self.place and (text := self.place.read()) is not None:
            match parse_object(self.place.path, text, advice=self.cure):
                case {
                    "checkpoint": str(checkpoint),
                    "size": int() | None as size,
                    "file": self._written,
                    "output": self.output,
                    **rest,
                }:
                    if rest.get("columns") != self.columns:
                        message = f"{self.path} belongs to an export with other columns."
                        raise StopError(Exit.USAGE, message, self.cure)
                    self.checkpoint, self.size = checkpoint, size
                case {"checkpoint": str(), "file": str() | None as other, "output": self.output}:
                    where = other or "standard output"
                    message = f"{self.path} belongs to an export to {where}, and --file names another."
                    raise StopError(Exit.USAGE, message, self.cure)
                case {"checkpoint": str(), "output": str(other)}:
                    message = f"{self.path} belongs to an export as {other}, not {self.output}."
                    raise StopError(Exit.USAGE, message, self.cure)
                case _:
                    raise StopError(Exit.USAGE, f"{self.path} was not written by --resume-file.", self.cure)

    @property
    def path(self) -> Path | None:
        """The file that holds the position, if there is one."""
        return None if self.place is None else self.place.path

    @property
    def cure(self) -> str:
        """The advice for a saved position that does not match the export."""
        return f"Use the same options and file as before, or remove {self.path} to start over."

    @property
    def _written(self) -> str | None:
        """The name of the output file."""
        return None if self.file is None else str(self.file.resolve())

    def note(self, checkpoint: str, file: IO[str]) -> None:
        """Save a position after everything before it is on the disk."""
        if self.place:
            size = None if file is sys.stdout else file.tell()
            begin, began = self._begun = self._begun or (checkpoint, size)
            if checkpoint == begin:  # "verify" starts over, and so does the file
                size = began
            place = {
                "checkpoint": checkpoint,
                "size": size,
                "file": self._written,
                "output": self.output,
                "columns": self.columns,
            }
            if is_regular(file):
                os.fsync(file.fileno())
            self.place.write(json.dumps(place))

    def advise(self, error: MihuError | CancelledError) -> None:
        """Print how to continue."""
        if not (self.path and self.path.exists()):
            return
        advice = f"The same command continues from {self.path}."
        if isinstance(error, CancelledError):
            raise StopError(Exit.INTERRUPTED, "Interrupted.", advice) from None
        error.add_note(advice)

    def forget(self) -> None:
        """Remove the file after everything is written."""
        if self.place:
            self.place.remove()


@contextmanager
def sink(path: Path | None, places: Places) -> Generator[IO[str]]:
    """Open the output; a file that is continued is positioned after its last saved row."""
    if path is None:
        yield standard_output(places.output)
        return
    if places.checkpoint and not path.exists():
        raise StopError(Exit.USAGE, f"{path}, which {places.path} was written with, is missing.", places.cure)
    if places.checkpoint and path.stat().st_size < (places.size or 0):
        message = f"{path} is not the file that {places.path} was written with: it is shorter."
        raise StopError(Exit.USAGE, message, places.cure)
    with path.open("r+" if path.is_file() else "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        if places.checkpoint:
            file.seek(places.size or 0)
        yield file
