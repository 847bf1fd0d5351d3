"""One TOML value to one typed value, or one sentence about what is wrong with it.

Why: the reader of a settings file collects every problem before it complains, so conversion must answer with words
rather than end the reading.
"""

from __future__ import annotations

import difflib
import re
from datetime import date, time
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import get_args, get_origin

_PLAIN_NUMBER = re.compile(r"-?\d{1,12}(\.\d{1,12})?")
_MEANT = {"yes": "true", "on": "true", "true": "true", "1": "true"} | dict.fromkeys(
    ("no", "off", "false", "0"), "false"
)
_LARGEST_EXPONENT = 30  # of ten; beyond it a whole number may take longer to write out than the machine lasts


class Unfit(Exception):
    """A value that cannot be what its field needs; the text says what is needed."""


def convert(value: object, wanted: object) -> object:
    """Return `value` as `wanted`: bool, int, float, Decimal, str, an Enum, a tuple or a dict of these, or one or None.

    Raises:
        Unfit: If it is of another kind.
    """
    if isinstance(wanted, UnionType):
        wanted = next(kind for kind in get_args(wanted) if kind is not NoneType)
    if get_origin(wanted) is tuple:
        return _several(value, get_args(wanted)[0])
    if get_origin(wanted) is dict:
        return _named(value, get_args(wanted)[1])
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        return _enum(value, wanted)
    if wanted is bool or isinstance(value, bool):
        return _exactly(value, wanted, bool, "must be true or false", "must not be true or false")
    if wanted is str:
        return _printable(_exactly(value, wanted, str, "must be text in quotes", ""))
    return _number(value, wanted)


def _several(value: object, wanted: object) -> tuple[object, ...]:
    """Read a list whose members are of one kind."""
    if not isinstance(value, list):
        raise Unfit(f"must be a list in brackets: {_list_of(value, wanted)}")
    return tuple(convert(each, wanted) for each in value)


def _list_of(value: object, wanted: object) -> str:
    """What a list looks like; of free text, which may be anything, nothing is repeated."""
    if isinstance(value, str) and isinstance(wanted, type) and issubclass(wanted, Enum):
        return f'["{_enum(value, wanted).value}"]'
    return '["...", "..."]' if wanted is str else "[ ... ]"


def _named(value: object, wanted: object) -> dict[str, object]:
    """Read an inline table whose values are of one kind."""
    if not isinstance(value, dict):
        raise Unfit("must be a table in braces: { NAME = value }")
    return {str(_printable(name)): convert(each, wanted) for name, each in value.items()}


def _exactly(value: object, wanted: object, kind: type, is_not: str, must_not: str) -> object:
    if wanted is not kind:
        raise Unfit(must_not)
    if not isinstance(value, kind):
        raise Unfit(f"{is_not}{_instead(value, kind)}")
    return value


def _instead(value: object, kind: type) -> str:
    """What to write, where that is plain."""
    if kind is str and isinstance(value, int | Decimal | date | time):
        return ": put quotes around it"
    word = str(value).lower()
    if kind is bool and word in _MEANT:
        return f": write {_MEANT[word]}"
    return ""


def _printable(value: object) -> object:
    """Refuse what no path, address or name may hold, a NUL above all."""
    if not str(value).isprintable():
        raise Unfit("must not hold control characters")
    return value


def _enum(value: object, wanted: type[Enum]) -> Enum:
    for member in wanted:
        if member.value == value:
            return member
    names = [str(member.value) for member in wanted]
    meant = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
    close = difflib.get_close_matches(meant.lower(), names, n=1) if isinstance(meant, str) else []
    known = ", ".join(f'"{name}"' for name in names)
    hint = f': did you mean "{close[0]}"?' if close else ""
    raise Unfit(f"must be one of {known}{hint}")


def _number(value: object, wanted: object) -> object:
    """Numbers come from the TOML reader as int or Decimal, so nothing was rounded on the way."""
    if isinstance(value, list | dict):
        raise Unfit("must be a number")
    if not isinstance(value, int | Decimal):
        hint = f": write {value}" if isinstance(value, str) and _PLAIN_NUMBER.fullmatch(value) else ""
        raise Unfit(f"must be a number without quotes{hint}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise Unfit("must be a finite number")
    if Decimal(value).adjusted() > _LARGEST_EXPONENT:
        raise Unfit("is too large a number")
    if wanted is int:
        if value != int(value):
            raise Unfit("must be a whole number")
        return int(value)
    return float(value) if wanted is float else Decimal(value)
