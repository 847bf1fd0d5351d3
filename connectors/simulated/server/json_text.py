"""JSON as the venue writes and reads it.

Why: prices are `Decimal` inside and plain numbers on the wire; whole ones go without a fraction
(`100`, never `100.0`), because clients in the wild parse such columns as integers. Numbers that
come in keep every digit they were sent with; an exponent that no price or quantity has is refused,
because `1e999999999` is eleven bytes to send and a gigabyte to write out.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

_LARGEST_EXPONENT = 400


class NotJson(ValueError):
    """The text is not one JSON value (or nests deeper, or counts further, than anyone needs)."""


def _number(digits: str) -> Decimal:
    try:
        number = Decimal(digits)
    except InvalidOperation as error:  # an exponent beyond what Decimal itself takes
        raise NotJson("number out of range") from error
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise NotJson("number out of range")
    return number


_AS_IT_IS = frozenset({str, int, bool, type(None)})  # most cells; a look at their type is all they cost
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=_number)


def dump(value: object) -> bytes:
    """Return the value as JSON, decimals as plain numbers."""
    return _ENCODER.encode(plain(value))


def load(raw: bytes | str) -> Any:  # noqa: ANN401 - any JSON value; callers check what they need
    """Return the JSON value, fractions as `Decimal`.

    Raises:
        NotJson: If the text is not JSON.
    """
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotJson(str(error)) from error


def plain(value: object) -> object:
    """Return the value with whole decimals as integers, others without zeros at the end, all the way down."""
    if isinstance(value, Decimal):
        short = value.normalize()  # floats, which is what the venue has, have no such zeros
        return int(value) if short == short.to_integral_value() else short
    if isinstance(value, dict):
        return {key: cell if type(cell) in _AS_IT_IS else plain(cell) for key, cell in value.items()}
    if isinstance(value, list | tuple):
        return [cell if type(cell) in _AS_IT_IS else plain(cell) for cell in value]
    return value
