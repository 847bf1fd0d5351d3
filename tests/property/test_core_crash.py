"""A falling market: the stop gets the position out, and nothing is done twice (P1, P2)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.core.commands import AmendStop, PlaceStop, ReduceAtMarket
from tests.builders import SECOND, START_NS
from tests.model_faults import Faults
from tests.model_venue import MS, ModelVenue


def fall(venue: ModelVenue, *, sign: int, step: int, every_ms: int) -> None:
    """Let the mark of XBTUSDT go against a position, step by step, by 300."""
    for number in range(1, 300 // step):
        price = Decimal(1000 - sign * step * number)
        venue.at(venue.now + number * every_ms * MS, lambda price=price: venue.set_mark("XBTUSDT", price))


@given(
    st.sampled_from([1, -1]),
    st.sampled_from([20, 50, 100, 200]),
    st.sampled_from([1, 2, 5]),
    st.sampled_from([20, 50, 100]),
)
def test_a_steady_fall_is_survived_by_the_stop_alone(sign: int, distance: int, step: int, every_ms: int) -> None:
    """P2: whatever the leverage, one stop is placed, it fires, the position is flat, and nothing was liquidated."""
    venue = ModelVenue(1, Faults())
    venue.start()
    venue.run_until(START_NS + 2 * SECOND)
    venue.set_position("XBTUSDT", 100 * sign, distance)
    venue.run_until(START_NS + 3 * SECOND)
    fall(venue, sign=sign, step=step, every_ms=every_ms)
    venue.run_until(START_NS + 40 * SECOND)
    assert venue.liquidations == 0
    assert venue.positions["XBTUSDT"].quantity == 0
    sent = [c for c in venue.guards[0].commands if isinstance(c, (PlaceStop, AmendStop, ReduceAtMarket))]
    assert [type(c) for c in sent] == [PlaceStop]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("distance", [100, 200])
def test_a_stuck_stop_is_helped_before_liquidation(sign: int, distance: int) -> None:
    """P2: the venue does not fire; the guard reduces at the market in time."""
    venue = ModelVenue(1, Faults())
    venue.start()
    venue.run_until(START_NS + 2 * SECOND)
    venue.set_position("XBTUSDT", 100 * sign, distance)
    venue.stuck_until = START_NS + 1000 * SECOND
    fall(venue, sign=sign, step=2, every_ms=1000)
    venue.run_until(START_NS + 160 * SECOND)
    assert venue.liquidations == 0
    assert venue.positions["XBTUSDT"].quantity == 0
    reductions = [c for c in venue.guards[0].commands if isinstance(c, ReduceAtMarket)]
    assert len(reductions) == 1


@given(st.sampled_from([1, -1]), st.integers(885, 917))
def test_a_bot_that_opens_under_water_is_taken_out(sign: int, mark: int) -> None:
    """P2: the mark is already beyond the trigger when the position opens: reduced at the market at once."""
    venue = ModelVenue(1, Faults())
    venue.start()
    venue.run_until(START_NS + 2 * SECOND)
    venue.set_mark("XBTUSDT", Decimal(1000 - sign * (1000 - mark)))
    venue.set_position("XBTUSDT", 100 * sign, 120)
    venue.run_until(START_NS + 3 * SECOND)
    beyond = mark <= 898 if sign > 0 else 2000 - mark >= Decimal("1097.5")
    assert venue.liquidations == 0
    if beyond:
        assert venue.positions["XBTUSDT"].quantity == 0
    else:
        assert venue.positions["XBTUSDT"].quantity == 100 * sign
        assert venue.guards[0].state.positions["XBTUSDT"].covered_ns
