"""The commands and their options."""

from cyclopts import App
from rich.console import Console

from mihu_async import __version__
from mihu_async.cli.demo import run
from mihu_async.cli.output import output_for

app: App = App(name="mihu-async", help="Mihu phone numbers and trunks.", version=__version__)


@app.command
async def demo(*, numbers: int = 250, trunks: int = 40, seed: int = 7) -> None:
    """Walk, buy, register and assign against a sandbox inside this process; no account, no network, no cost.

    Parameters
    ----------
    numbers
        How many purchased numbers the sandbox begins with.
    trunks
        How many external trunks it begins with.
    seed
        The same seed makes the same numbers.
    """
    await run(output_for(Console()), numbers=numbers, trunks=trunks, seed=seed)
