"""What a fault is: a name, where it bites, and typed parameters.

Why: a fault comes as text from a scenario, the control API or the command line. It is read here, once,
against its kind; whatever does not fit is refused with the reason and what to write instead.

Units: each parameter's name or meaning says its own (`_ms`, `_s`, `percent`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import assert_never

from connectors.simulated.engine.refusals import Refused

Raw = str | int | bool  # as it stands in an input; decimals are texts
Value = str | int | bool | Decimal
_LARGEST = Decimal("1e15")
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Place(Enum):
    """Where a fault bites."""

    REST = "rest"  # a request or its answer
    KEYS = "keys"  # a signed request or a sign-in
    STREAM = "stream"  # a frame, a subscription or a socket
    ENGINE = "engine"  # an order, a timer, the insurance fund
    TAPE = "tape"  # prices and liquidity


SCOPES: Mapping[Place, frozenset[str]] = {
    Place.REST: frozenset({"account", "verb", "path", "operation"}),
    Place.KEYS: frozenset({"account", "verb", "path", "operation"}),
    Place.STREAM: frozenset({"account", "table", "symbol"}),
    Place.ENGINE: frozenset({"account", "symbol"}),
    Place.TAPE: frozenset({"symbol"}),
}


class Sort(Enum):
    """What a parameter's value is."""

    WHOLE = "whole number"
    NUMBER = "number"
    WORD = "text"
    FLAG = "true or false"


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One knob of a fault; `choices`, `least` and `most` bound it."""

    name: str
    sort: Sort
    default: Value
    meaning: str
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 10**12

    def read(self, raw: Raw) -> Value:
        """Return the value that a text or a plain value stands for.

        Raises:
            Refused: If it is none of this parameter's.
        """
        match self.sort:
            case Sort.WHOLE | Sort.NUMBER:
                return self._number(raw)
            case Sort.FLAG:
                return self._flag(raw)
            case Sort.WORD:
                return self._word(raw)
            case _:
                assert_never(self.sort)

    def _number(self, raw: Raw) -> Value:
        if raw == "" and self.default == "":
            return ""  # an optional number that was not given
        try:
            number = Decimal(str(raw))
        except InvalidOperation:
            raise self._refused(raw) from None
        if isinstance(raw, bool) or not number.is_finite() or abs(number) > _LARGEST:
            raise self._refused(raw)
        if not self.least <= number <= self.most:
            raise Refused(f"{self.name} must be from {self.least} to {self.most}, not {raw}")
        if self.sort is Sort.NUMBER:
            return number
        if number != number.to_integral_value():
            raise self._refused(raw)
        return int(number)

    def _flag(self, raw: Raw) -> bool:
        found = raw if isinstance(raw, bool) else _FLAGS.get(str(raw).lower())
        if found is None:
            raise self._refused(raw)
        return found

    def _word(self, raw: Raw) -> str:
        text = str(raw)
        if self.choices and text not in self.choices:
            raise Refused(f"{self.name} must be one of {', '.join(self.choices)}, not {text!r}")
        return text

    def _refused(self, raw: Raw) -> Refused:
        return Refused(f"{self.name} must be a {self.sort.value}, not {raw!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FaultKind:
    """One row of the catalogue.

    Attributes:
        name: What it is called everywhere.
        place: Where it bites.
        meaning: One line for people.
        parameters: Its knobs.
        count: How often it bites unless told otherwise; None for as long as it is set.
        is_act: It happens when it is set, and is over.
        is_for_all: It cannot be limited to some.
    """

    name: str
    place: Place
    meaning: str
    parameters: tuple[Parameter, ...] = ()
    count: int | None = None
    is_act: bool = False
    is_for_all: bool = False

    @property
    def scopes(self) -> frozenset[str]:
        """What it can be limited to."""
        return frozenset() if self.is_for_all else SCOPES[self.place]

    def read(self, raw: Mapping[str, Raw]) -> dict[str, Value]:
        """Return all parameters, the defaults of those not given included.

        Raises:
            Refused: If one is unknown or its value cannot be.
        """
        known = {one.name: one for one in self.parameters}
        for name in raw:
            if name not in known:
                takes = ", ".join(known) or "no parameters"
                raise Refused(f"fault {self.name} has no parameter {name!r}; it takes {takes}")
        return {one.name: one.read(raw[one.name]) if one.name in raw else one.default for one in known.values()}


def whole(name: str, default: Value, meaning: str, *, least: int = 0, most: int = 10**12) -> Parameter:
    """Return a parameter that is a whole number; the default "" makes it optional."""
    return Parameter(name=name, sort=Sort.WHOLE, default=default, meaning=meaning, least=least, most=most)


def number(name: str, default: str, meaning: str, *, least: int = 0, most: int = 10**12) -> Parameter:
    """Return a parameter that is a decimal number; the default "" makes it optional."""
    value = Decimal(default) if default else ""
    return Parameter(name=name, sort=Sort.NUMBER, default=value, meaning=meaning, least=least, most=most)


def word(name: str, default: str, meaning: str, *choices: str) -> Parameter:
    """Return a parameter that is a text, one of the choices if there are any."""
    return Parameter(name=name, sort=Sort.WORD, default=default, meaning=meaning, choices=choices)


def flag(name: str, meaning: str, *, default: bool) -> Parameter:
    """Return a parameter that is true or false."""
    return Parameter(name=name, sort=Sort.FLAG, default=default, meaning=meaning)
