"""`seawall config show` and `schema`: every value that counts, with where it comes from; never a secret."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import msgspec

from config.compare import LEFT_OUT, shown, values
from config.load import Loaded, SettingsError, load
from config.schema import schema
from config.tables import TABLES
from daemon.exit_codes import CommandFailed, ExitCode

_WIDTH = 58
"""Where the origins begin, if the values leave room."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Effective:
    """One value that counts."""

    place: str
    value: str
    """As a settings file writes it, or "left out"."""
    origin: str
    """"line 12", the name of a variable, or "default"."""


def effective(loaded: Loaded) -> tuple[Effective, ...]:
    """Return every value with its origin, in the order of the profiles.

    Example:
        >>> from config.model import Settings
        >>> from config.venue import Environment, venue_settings
        >>> settings = Settings(venue=venue_settings(Environment.TESTNET))
        >>> effective(Loaded(settings=settings, lines={"venue.environment": 2}, variables={}))[0]
        Effective(place='venue.environment', value='"testnet"', origin='line 2')
    """
    found = values(loaded.settings)
    return tuple(
        Effective(place=place, value=shown(place, found[place]), origin=_origin(place, loaded))
        for place in sorted(found, key=lambda each: TABLES.index(each.partition(".")[0]))
    )


def _origin(place: str, loaded: Loaded) -> str:
    """A variable may have set the table around a value; a line may hold an inline table."""
    parts = place.split(".")
    around = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    for each in around:
        if each in loaded.variables:
            return loaded.variables[each]
    line = loaded.lines.get(place)
    return "default" if line is None else f"line {line}"


def show(path: Path, *, only_set: bool, as_json: bool) -> int:
    """Print what counts."""
    found = effective(read(path))
    if only_set:
        found = tuple(each for each in found if each.origin != "default")
    if as_json:
        rows = {each.place: {"value": each.value, "origin": each.origin} for each in found}
        sys.stdout.write(msgspec.json.encode({"file": str(path), "settings": rows}).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_toml(path, found)) + "\n")
    return ExitCode.OK


def show_schema() -> int:
    """Print the JSON Schema."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n")
    return ExitCode.OK


def read(path: Path) -> Loaded:
    """Read a settings file and the environment, and keep where each value came from.

    Raises:
        CommandFailed: With all problems.
    """
    try:
        return load(path, os.environ)
    except SettingsError as error:
        raise CommandFailed("\n".join(error.problems), ExitCode.BAD_INPUT) from error


def _toml(path: Path, found: tuple[Effective, ...]) -> Iterator[str]:
    yield f"# {path}, and what the environment sets; lines without an origin are defaults"
    for table, rows in groupby(found, key=lambda each: each.place.rpartition(".")[0]):
        yield ""
        yield f"[{table}]"
        for each in rows:
            name = each.place.rpartition(".")[2]
            is_known = each.origin == "default" and table == "venue"  # what the environment of the venue implies
            sign = "# " if is_known else ""
            line = f"# {name} is left out" if each.value == LEFT_OUT else f"{sign}{name} = {each.value}"
            yield line if each.origin == "default" else f"{line:<{_WIDTH}}  # {each.origin}"
