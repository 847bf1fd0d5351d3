"""JSON as the venue writes and reads it.

Why: prices are `Decimal` inside and plain numbers on the wire; whole ones go without a fraction
(`100`, never `100.0`), because clients in the wild parse such columns as integers. Numbers that
come in keep every digit they were sent with.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class NotJson(ValueError):
    """The text is not one JSON value (or nests deeper than anyone needs)."""


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
    """Return the value with whole decimals as integers, through lists and dictionaries."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, dict):
        return {key: plain(cell) for key, cell in value.items()}
    if isinstance(value, list | tuple):
        return [plain(cell) for cell in value]
    return value
