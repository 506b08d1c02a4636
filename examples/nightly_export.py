"""A nightly export of all numbers as JSON lines, which goes on where it was when it is run again after a crash.

``python examples/nightly_export.py numbers-$(date +%F).jsonl``, with MIHU_API_TOKEN and MIHU_TENANT set. The file
appears when it is whole. Until then its ``.part`` grows, and its ``.place`` says where to go on, which one run at a
time can hold; with the day in the name no night goes on with another's. A number may come twice where the export went
on while numbers were released: ``phone_number_uuid`` tells.

It exits with 0; with 1 where it stopped and goes on when it is run again; with 2 where that will not help; and with 3
where the file is there and the walk could not promise that no number is missing, of which the log says more.
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
    """Give the checkpoint and how many bytes were written up to there, or the beginning."""
    text = place.read()
    if text is None or not part.exists():
        return None, 0
    noted = json.loads(text)
    return noted["checkpoint"], noted["size"]


def write_place(place: CheckpointFile, checkpoint: str, size: int) -> None:
    """Note the place; whoever reads it finds the old one or the new one."""
    place.write(json.dumps({"checkpoint": checkpoint, "size": size}))


def save(file: BinaryIO) -> None:
    """Wait until all that was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


async def export(file: BinaryIO, place: CheckpointFile, checkpoint: str | None) -> bool:
    """Write a line for each number. Say whether the walk can promise that none is missing."""
    async with MihuClient() as mihu, mihu.numbers.list().with_options(resume=checkpoint) as pager:
        async for page in pager.pages():
            save(file)
            write_place(place, pager.checkpoint(), file.tell())  # behind the page before, which is saved
            file.writelines(json.dumps(asdict(number), default=str).encode() + b"\n" for number in page.items)
        save(file)
        return pager.report.complete is True


def main(target: Path) -> int:
    """Run the export, or the rest of one, unless another run is at it."""
    try:
        with CheckpointFile(f"{target}.place") as place:
            return run(target, place)
    except CheckpointInUseError as error:
        logger.error("The export runs already: %s", error)  # noqa: TRY400 - the error says all
        return 1


def run(target: Path, place: CheckpointFile) -> int:
    """Run it while no other can. The client is made and closed within, where the event loop is."""
    part = Path(f"{target}.part")
    checkpoint, size = read_place(place, part)
    with part.open("r+b" if checkpoint else "wb") as file:
        file.truncate(size)  # what a crash left behind the place comes again
        file.seek(size)
        try:
            complete = asyncio.run(export(file, place, checkpoint))
        except UsageError as error:
            logger.error("The export cannot run: %s", error)  # noqa: TRY400 - the error says all
            return 2
        except MihuError as error:
            logger.error("The export goes on when it is run again. It stopped: %s", error)  # noqa: TRY400 - as above
            return 1
    part.replace(target)
    place.remove()
    return 0 if complete else 3


if __name__ == "__main__":
    logging.basicConfig()
    sys.exit(main(Path(sys.argv[1])))
