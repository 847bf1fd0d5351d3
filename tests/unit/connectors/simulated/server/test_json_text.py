"""JSON of the exchange: whole numbers without fractions, digits kept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.server.json_text import NotJson, dump, load


def test_decimals_are_plain_numbers() -> None:
    """Whole prices have no `.0`, others no zeros at the end, as floats have none; small ones may use an exponent."""
    value = {"a": Decimal("100.0"), "b": Decimal("43772.50"), "c": Decimal("1E-7"), "d": [(Decimal(-0), 1)], "e": None}
    assert dump(value) == b'{"a":100,"b":43772.5,"c":1E-7,"d":[[0,1]],"e":null}'


def test_numbers_come_in_with_all_their_digits() -> None:
    """Float noise of a client is kept for the engine to judge."""
    assert load(b'{"price":44047.299999999996}') == {"price": Decimal("44047.299999999996")}


@pytest.mark.parametrize("raw", [b"", b"{", b"nope", b"\xff\xfe", b"[" * 100_000, b'{"a":NaN}', b"Infinity"])
def test_junk_is_one_error(raw: bytes) -> None:
    """Whatever is no JSON, however deep or odd, is `NotJson` and nothing else."""
    with pytest.raises(NotJson):
        load(raw)


@pytest.mark.parametrize("number", ["1e999999999", "1e-999999999", "-1e401", "0e999999999", "1e99999999999999999999"])
def test_numbers_that_would_take_a_gigabyte_to_write_out_are_refused(number: str) -> None:
    """A few bytes of exponent must not stop the exchange for everyone."""
    with pytest.raises(NotJson):
        load(f'{{"a":{number}}}')
