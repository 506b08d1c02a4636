"""The ``mihu-async`` command. Its dependencies come with the extra ``cli``, and are imported only when it runs."""

import sys

from mihu_async.extras import missing


def main() -> None:
    """Run the command, or name the extra to install."""
    try:
        from mihu_async.cli.run import run  # noqa: PLC0415 - not every installation has it
    except ModuleNotFoundError as error:
        sys.exit(missing("mihu-async", error, "cli"))
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="backslashreplace")  # an unencodable character must not fail a purchase
    sys.exit(run(sys.argv[1:]))
