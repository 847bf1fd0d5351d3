"""Choices of the embedded exchange by name: `--switch NAME=VALUE`, and the list of them.

Why: every point where the real venue's behaviour is not known can be set from outside without a word
of Python. Names, types and defaults are those of the settings themselves, and so are the texts: the
comment or the line of the docstring beside a field. So a new field needs nothing here.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
import textwrap
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, get_type_hints

import msgspec

from connectors.simulated.engine.switches import Switches
from connectors.simulated.server.settings import ExchangeSettings, RateLimits
from daemon.arguments import whole_number
from daemon.exit_codes import CommandFailed, ExitCode

_ON = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_HAVE_OPTIONS = frozenset(
    ("port", "control_port", "seed", "scenario", "pick_day", "start_paused", "clock", "accounts", "rows", "is_on")
)
_PARTS: dict[str, type] = {"switches": Switches, "limits": RateLimits, "": ExchangeSettings}
_FIELD = re.compile(r"    (?P<name>\w+): [^#]*(?:#\s*(?P<text>.*))?$")
_IN_DOCSTRING = re.compile(r"^ {4}(\w+): (.+(?:\n {8}.+)*)", flags=re.MULTILINE)
_WIDTH = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One thing that can be chosen.

    Attributes:
        name: As it is set.
        part: Field of the exchange's settings it belongs to, empty for the settings themselves.
        kind: Type of its values.
        default: What it is otherwise.
        text: What it means.
    """

    name: str
    part: str
    kind: type
    default: object
    text: str

    @property
    def values(self) -> str:
        """The values it takes."""
        if self.kind is bool:
            return "on, off"
        if issubclass(self.kind, Enum):
            return ", ".join(str(member.value) for member in self.kind)
        return "a whole number" if self.kind is int else "a number" if self.kind is Decimal else "a text"

    def read(self, text: str) -> object:
        """Return the value that a text names.

        Raises:
            ArgumentTypeError, KeyError, ValueError: If it names none.
        """
        if self.kind is bool:
            return _ON[text.lower()]
        return whole_number(text) if self.kind is int else self.kind(text)


def choices() -> Iterator[Choice]:
    """Yield all choices, those of the engine first."""
    for part, kind in _PARTS.items():
        texts = _texts(kind)
        defaults = kind()
        for name, hint in get_type_hints(kind).items():
            is_single = isinstance(hint, type) and issubclass(hint, bool | int | Decimal | str | Enum)
            if is_single and name not in _HAVE_OPTIONS:
                default = getattr(defaults, name)
                text = texts.get(name) or (inspect.getdoc(hint) if issubclass(hint, Enum) else "") or ""
                yield Choice(name=name, part=part, kind=hint, default=default, text=text)


def with_switches(settings: ExchangeSettings, wanted: Sequence[str]) -> ExchangeSettings:
    """Return the settings with what `NAME=VALUE` texts choose.

    Raises:
        CommandFailed: If one of them names no choice, or a value that it does not take.
    """
    for text in wanted:
        name, sign, value = text.partition("=")
        found = [one for one in choices() if one.name == name and sign]
        if not found:
            raise CommandFailed(
                f"--switch {text}: no such choice; `seawall exchange switches` lists all, as NAME=VALUE", ExitCode.USAGE
            )
        for one in found:
            settings = _with(settings, one, value)
    return settings


def write_switches() -> int:
    """Write the list of all choices."""
    for one in choices():
        shown = {True: "on", False: "off"}.get(one.default) if isinstance(one.default, bool) else one.default
        default = one.default.value if isinstance(one.default, Enum) else shown
        sys.stdout.write(f"{one.name}={default}    ({one.values})\n")
        for line in textwrap.wrap(one.text, _WIDTH, initial_indent="    ", subsequent_indent="    "):
            sys.stdout.write(f"{line}\n")
    return ExitCode.OK


def _with(settings: ExchangeSettings, one: Choice, text: str) -> ExchangeSettings:
    try:
        value = one.read(text)
    except (ArgumentTypeError, InvalidOperation, KeyError, ValueError) as error:
        raise CommandFailed(f"--switch {one.name}={text}: takes {one.values}", ExitCode.USAGE) from error
    if not one.part:
        return dataclasses.replace(settings, **{one.name: value})  # type: ignore[arg-type]
    part: Any = getattr(settings, one.part)
    replace = msgspec.structs.replace if isinstance(part, msgspec.Struct) else dataclasses.replace
    return dataclasses.replace(settings, **{one.part: replace(part, **{one.name: value})})


def _texts(kind: type) -> dict[str, str]:
    """Return what stands beside each field: in the docstring, above it or behind it."""
    texts = {name: " ".join(text.split()) for name, text in _IN_DOCSTRING.findall(inspect.getdoc(kind) or "")}
    above: list[str] = []
    for line in inspect.getsource(kind).splitlines():
        field = _FIELD.match(line)
        if line.strip().startswith("#"):
            above.append(line.strip("# "))
        elif field:
            behind = [field["text"]] if field["text"] else []
            if above or behind:
                texts[field["name"]] = " ".join([*above, *behind])
            above = []
    return texts
