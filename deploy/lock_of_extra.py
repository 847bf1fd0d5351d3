"""Print the part of a lock file that some packages and everything below them need, hashes included.

Why: the lock of the runtime has no extras, the one for development has far too much. `pip-compile` writes behind each
package who asked for it, so the part that an extra needs can be read out of the lock, and nothing else is installed.

    python deploy/lock_of_extra.py requirements-dev.lock apprise pillow
"""

# ruff: noqa: INP001 - a script that installers run, no part of a package
from __future__ import annotations

import re
import sys
from pathlib import Path


def entries(lock: str) -> dict[str, str]:
    """Return each package's lines by its name."""
    found = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)
    return {re.split(r"[=\[ ]", each, maxsplit=1)[0]: each for each in found if "==" in each}


def parents(entry: str) -> set[str]:
    """Return who asked for a package."""
    words = re.sub(r"^[^#]*$", "", entry, flags=re.MULTILINE).replace("# via", "#")
    return set(re.findall(r"^ +# +([A-Za-z0-9._-]+)", words, flags=re.MULTILINE))


def part(lock: str, roots: list[str]) -> str:
    """Return the lines of these packages and of all that they need.

    Raises:
        KeyError: If a package is not in the lock.
    """
    known = entries(lock)
    wanted = {root: known[root] for root in roots}
    while more := {
        name: entry for name, entry in known.items() if name not in wanted and parents(entry) & wanted.keys()
    }:
        wanted |= more
    return "".join(entry for name, entry in known.items() if name in wanted)


if __name__ == "__main__":
    sys.stdout.write(part(Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2:]))
