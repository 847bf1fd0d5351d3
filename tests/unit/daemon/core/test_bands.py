"""Bands: inside, no decision can change."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from daemon.core.commands import ClearBand, SetBand, SetTimer
from tests.builders import SECOND, a_position
from tests.driven import Driven


def guarding(quantity: int = 100) -> Driven:
    """A covered position."""
    guard = Driven().up()
    guard.position(a_position(quantity))
    guard.rest()
    return guard


def test_the_band_of_a_calm_long_reaches_down_to_the_watch_tier() -> None:
    """900 / 0.95 = 947.4, one tick on the cautious side; nothing above can change anything."""
    guard = guarding()
    band = guard.state.bands["XBTUSDT"]
    assert band.low is not None
    assert Decimal("947.86") < band.low < Decimal("947.88")
    assert band.high is None


def test_a_first_price_is_asked_for() -> None:
    """No mark is known yet: an open band still reports the first price."""
    guard = Driven()
    guard.start()
    guard.position(a_position())
    band = guard.only(SetBand)
    assert (band.low, band.high) == (None, None)


def test_the_band_goes_with_the_position() -> None:
    """Flat: nothing depends on the mark any more."""
    guard = guarding()
    assert guard.only(ClearBand, guard.position(a_position(0))).symbol == "XBTUSDT"


@given(
    st.sampled_from([100, -100]),
    st.lists(st.decimals(901, 1099, places=1), min_size=1, max_size=8),
    st.decimals("0.001", "0.999", places=3),
)
def test_no_mark_inside_a_band_changes_anything(quantity: int, path: list[Decimal], share: Decimal) -> None:
    """A mark strictly inside the band leads to no command but a timer, and to no other tier."""
    guard = guarding(quantity)
    for price in path:
        guard.mark(price)
    guard.wait(SECOND)
    band, tier = guard.state.bands["XBTUSDT"], guard.guarded().tier
    low, high = band.low or Decimal(901), band.high or Decimal(1099)
    if low >= high:
        return
    commands = guard.mark(low + (high - low) * share)
    assert [c for c in commands if not isinstance(c, (SetTimer, SetBand))] == []
    assert guard.guarded().tier is tier
