"""The ``mihu-async`` command. What it needs comes with the extra ``cli``, and is imported only when it runs."""

import sys

from mihu_async.extras import missing


def main() -> None:
    """Run the command, or say what to install."""
    try:
        from mihu_async.cli.run import run  # noqa: PLC0415 - not every installation has it
    except ModuleNotFoundError as error:
        sys.exit(missing("mihu-async", error, "cli"))
    if reconfigure := getattr(sys.stdout, "reconfigure", None):
        reconfigure(errors="backslashreplace")  # an accent must not end a purchase with an error
    sys.exit(run(sys.argv[1:]))
