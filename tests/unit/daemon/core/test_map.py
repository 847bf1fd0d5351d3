"""The map of the core names what is there."""

from __future__ import annotations

import re
from pathlib import Path

import daemon.core

FOLDER = Path(daemon.core.__file__).parent


def test_every_part_of_the_core_is_on_its_map() -> None:
    """A new package without a line of its own, or a line without a package, is found."""
    parts = {each.parent.name for each in FOLDER.glob("*/__init__.py")}
    assert set(re.findall(r"^    (\w+)  ", str(daemon.core.__doc__), flags=re.MULTILINE)) == parts


def test_what_the_map_names_beside_them_exists() -> None:
    """Modules in backticks are modules of the core."""
    named = set(re.findall(r"`(\w+)`", str(daemon.core.__doc__)))
    assert named - {each.stem for each in FOLDER.glob("*.py")} == set()
