"""Price bands: what of the flood of marks is worth telling."""

from __future__ import annotations

from decimal import Decimal

import pytest

from daemon.core.commands import SetBand
from daemon.shell.bands import REFRESH_AFTER_NS, Bands

AT_NS = 1_000_000_000_000


def a_band(low: str | None, high: str | None) -> SetBand:
    """A band of one symbol."""
    return SetBand(symbol="X", low=Decimal(low) if low else None, high=Decimal(high) if high else None)


def told(bands: Bands, price: float, at_ns: int = AT_NS) -> bool:
    """Let one mark arrive."""
    return bands.is_worth_telling("X", price, b"frame", at_ns)


def test_a_symbol_without_a_band_is_never_told() -> None:
    """Nothing depends on the price of a contract without a position."""
    assert not told(Bands(), 100.0)


def test_the_newest_mark_comes_with_the_first_band() -> None:
    """A position opens on a contract whose mark has not moved since the connection was made."""
    bands = Bands()
    told(bands, 100.0)
    assert bands.set_band(a_band(None, None)) == (100.0, b"frame")


@pytest.mark.parametrize(("price", "is_told"), [(95.0, True), (95.1, False), (104.9, False), (105.0, True)])
def test_inside_the_band_nothing_is_told(price: float, is_told: bool) -> None:
    """Bounds themselves are outside, so a mark that meets a trigger exactly is told."""
    bands = Bands()
    bands.set_band(a_band("95", "105"))
    told(bands, 100.0)
    assert told(bands, price, AT_NS + 1) is is_told


def test_a_new_band_that_excludes_the_newest_mark_tells_it_at_once() -> None:
    """The band moves past the price; waiting for the next frame could wait for ever."""
    bands = Bands()
    bands.set_band(a_band("95", "105"))
    told(bands, 100.0)
    assert bands.set_band(a_band("98", "105")) is None
    assert bands.set_band(a_band("101", "105")) == (100.0, b"frame")


def test_a_mark_inside_is_refreshed_slowly() -> None:
    """The core must be able to tell an unchanged mark from a dead one."""
    bands = Bands()
    bands.set_band(a_band(None, None))
    assert told(bands, 100.0)
    assert not told(bands, 100.0, AT_NS + REFRESH_AFTER_NS - 1)
    assert told(bands, 100.0, AT_NS + REFRESH_AFTER_NS)


def test_after_a_lost_stream_no_old_mark_is_told() -> None:
    """Marks of the last connection are not the newest any more; the first of the next is told whatever it is."""
    bands = Bands()
    bands.set_band(a_band("95", "105"))
    told(bands, 100.0)
    bands.forget_marks()
    assert bands.set_band(a_band("101", "105")) is None
    assert told(bands, 103.0, AT_NS + 1)


def test_a_cleared_band_is_silent() -> None:
    """The position is gone."""
    bands = Bands()
    bands.set_band(a_band("95", "105"))
    bands.clear_band("X")
    assert not told(bands, 1.0)
