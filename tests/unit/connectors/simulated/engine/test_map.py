"""The map of the engine names what is there."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.simulated import engine

FOLDER = Path(engine.__file__).parent


def test_every_part_of_the_engine_is_on_its_map() -> None:
    """A new package without a line of its own, or a line without a package, is found."""
    parts = {each.parent.name for each in FOLDER.glob("*/__init__.py")}
    assert set(re.findall(r"^    (\w+)  ", str(engine.__doc__), flags=re.MULTILINE)) == parts
