"""A nightly export of all numbers as JSON lines, which continues after a crash when you run it again.

Run ``python examples/nightly_export.py numbers-$(date +%F).jsonl`` with MIHU_API_TOKEN and MIHU_TENANT set. The file
appears when it is complete. Until then its ``.part`` grows, and its ``.place`` holds the checkpoint, which only one run
at a time can open. The date in the name keeps one night from continuing another's export. A number may appear twice if
numbers were released before the export continued; ``phone_number_uuid`` identifies it.

Exit codes: 0 on success; 1 if the export stopped and will continue when you run it again; 2 if running it again will
not help; 3 if the file is there but the walk is not proved complete, in which case the log says why.
"""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path
from typing import BinaryIO

from attrs import asdict

from mihu_async import CheckpointFile, CheckpointInUseError, MihuClient, MihuError, UsageError

logger = logging.getLogger(__name__)


def read_place(place: CheckpointFile, part: Path) -> tuple[str | None, int]:
    """Return the checkpoint and the number of bytes written up to it, or the start of the export."""
    text = place.read()
    if text is None or not part.exists():
        return None, 0
    noted = json.loads(text)
    return noted["checkpoint"], noted["size"]


def write_place(place: CheckpointFile, checkpoint: str, size: int) -> None:
    """Save the checkpoint with the size of the file, atomically."""
    place.write(json.dumps({"checkpoint": checkpoint, "size": size}))


def save(file: BinaryIO) -> None:
    """Sync the file to the disk."""
    file.flush()
    os.fsync(file.fileno())


async def export(file: BinaryIO, place: CheckpointFile, checkpoint: str | None) -> bool:
    """Write a line for each number, and return True if the walk is proved complete."""
    async with MihuClient() as mihu, mihu.numbers.list().with_options(resume=checkpoint) as pager:
        async for page in pager.pages():
            save(file)
            write_place(place, pager.checkpoint(), file.tell())  # after the previous page, which is saved
            file.writelines(json.dumps(asdict(number), default=str).encode() + b"\n" for number in page.items)
        save(file)
        return pager.report.complete is True


def main(target: Path) -> int:
    """Run or continue the export, unless another run holds it."""
    try:
        with CheckpointFile(f"{target}.place") as place:
            return run(target, place)
    except CheckpointInUseError as error:
        logger.error("The export is already running: %s", error)  # noqa: TRY400 - the error is enough
        return 1


def run(target: Path, place: CheckpointFile) -> int:
    """Run the export while holding its checkpoint file, and return the exit code."""
    part = Path(f"{target}.part")
    checkpoint, size = read_place(place, part)
    with part.open("r+b" if checkpoint else "wb") as file:
        file.truncate(size)  # rows after the checkpoint are written again
        file.seek(size)
        try:
            complete = asyncio.run(export(file, place, checkpoint))
        except UsageError as error:
            logger.error("The export cannot run: %s", error)  # noqa: TRY400 - the error is enough
            return 2
        except MihuError as error:
            logger.error("The export stopped, and continues when you run it again: %s", error)  # noqa: TRY400 - as above
            return 1
    part.replace(target)
    place.remove()
    return 0 if complete else 3


if __name__ == "__main__":
    logging.basicConfig()
    sys.exit(main(Path(sys.argv[1])))
