"""The versions and the usage of the command: `python -m mihu_async`. With arguments, it is the command."""

import sys

from mihu_async.cli import main
from mihu_async.doctor.probes import versions

if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(", ".join(f"{name} {found}" for name, found in versions().items()), flush=True)
    main()
