"""`seawall config explain KEY`: what it means, in what unit, within which bounds, and which keys it speaks to."""

from __future__ import annotations

import difflib
import sys
import textwrap
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin

import msgspec

from config.bounds import bounds_of
from config.catalogue import Key, find, is_enum, keys, titles
from config.compare import shown
from config.relations import related
from daemon.configure.show import effective, read
from daemon.exit_codes import CommandFailed, ExitCode

_WIDTH = 96
_MOST_SHOWN = 5


def explain(place: str, path: Path | None, *, as_json: bool) -> int:
    """Print what is known of a key, or the keys of a table.

    Raises:
        CommandFailed: If there is no such key.
    """
    key = find(place)
    if key is None:
        return _explain_table(place, as_json=as_json)
    facts = facts_of(key, place)
    if path is not None:
        facts |= _in_file(place, path)
    if as_json:
        sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")
    else:
        sys.stdout.write("\n".join(_words(facts)) + "\n")
    return ExitCode.OK


def facts_of(key: Key, place: str) -> dict[str, Any]:
    """Return what is known of a key, for people and machines alike."""
    bounds = bounds_of(key.place)
    return {
        "key": place,
        "meaning": key.meaning,
        "value": kind_words(key.hint),
        "unit": key.unit,
        "default": "none: it has to be written" if key.is_required else shown(key.place, key.default),
        "bounds": str(bounds) if str(bounds) != "any" or bounds.words else "",
        "says": list(bounds.words),
        "why": titles().get(key.table, ""),
        "with": [{"key": other, "how": words} for other, words in related(key.place)],
        "variable": "SEAWALL_SET_" + "__".join(part.upper().replace("-", "_") for part in place.split(".")),
    }


def kind_words(hint: Any) -> str:  # noqa: ANN401 - any annotation
    """Say what kind of value an annotation takes.

    Example:
        >>> kind_words(tuple[int, ...])
        'list of: whole number'
    """
    if get_origin(hint) is tuple:
        return f"list of: {kind_words(get_args(hint)[0])}"
    if get_origin(hint) is dict:
        return f"{{ NAME = {kind_words(get_args(hint)[1])} }}"
    if is_enum(hint):
        return ", ".join(f'"{member.value}"' for member in hint)
    plain = {"bool": "true or false", "int": "whole number", "float": "number", "Decimal": "number", "str": "text"}
    if isinstance(hint, type):
        return plain[hint.__name__]
    return kind_words(next(each for each in get_args(hint) if each is not NoneType))


def _in_file(place: str, path: Path) -> dict[str, Any]:
    """What the key has in a settings file, with the environment; nothing where no such bot or channel is there."""
    here = [each for each in effective(read(path)) if each.place == place]
    return {"here": f"{here[0].value} ({here[0].origin})"} if here else {}


def _words(facts: dict[str, Any]) -> list[str]:
    lines = [facts["key"], *_paragraph(facts["meaning"])]
    rows = {
        "value": facts["value"],
        "unit": facts["unit"],
        "default": facts["default"],
        "bounds": "; ".join(facts["says"]) or facts["bounds"],
        "here": facts.get("here", ""),
        "variable": facts["variable"],
    }
    lines += ["", *(f"  {name:<9} {text}" for name, text in rows.items() if text)]
    if facts["why"]:
        lines += ["", *_paragraph(facts["why"])]
    if facts["with"]:
        lines += ["", "  together with", *(f"    {each['key']}: {each['how']}" for each in facts["with"])]
    return lines


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="  ")


def _explain_table(place: str, *, as_json: bool) -> int:
    inside = [key for key in keys() if key.place.startswith(f"{place}.")]
    if not inside:
        raise CommandFailed(_unknown(place), ExitCode.USAGE)
    if as_json:
        rows = [facts_of(key, key.place) for key in inside]
        sys.stdout.write(msgspec.json.encode({"table": place, "keys": rows}).decode() + "\n")
        return ExitCode.OK
    lines = [f"[{place}]", *_paragraph(titles().get(place, ""))]
    width = max(len(key.place) for key in inside)
    lines += [f"  {key.place:<{width}}  {shown(key.place, key.default)}" for key in inside]
    sys.stdout.write("\n".join(lines) + "\n")
    return ExitCode.OK


def _unknown(place: str) -> str:
    known = [key.place for key in keys()]
    inside = [each for each in known if place in each]
    close = inside[:_MOST_SHOWN] or difflib.get_close_matches(place, known, n=3, cutoff=0.5)
    hint = f": did you mean {', '.join(close)}?" if close else ": `seawall config schema` lists all of them"
    return f"there is no setting {place}{hint}"
