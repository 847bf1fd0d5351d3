"""Client order ids: derived, recognisable, short enough (P4)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.vocabulary import OrderSide, Side
from daemon.core import ids

accounts = st.integers(1, 99_999_999)
symbols = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", min_size=1, max_size=40)


@given(accounts, symbols, st.sampled_from(Side), st.sampled_from(ids.Purpose), st.integers(1, 999_999))
def test_an_id_says_what_it_is_for_and_fits(
    account: int, symbol: str, side: Side, purpose: ids.Purpose, number: int
) -> None:
    """P4: at most 36 characters, read back exactly, ours and nobody else's."""
    series = ids.series(account, symbol, side, purpose)
    name = f"{series}{number}"
    assert len(name) <= ids.LONGEST
    assert ids.parse(account, name) == (series, number)
    assert ids.is_ours(account, name)
    assert not ids.is_ours(account + 1, name)
    assert ids.is_stop(account, name) is (purpose is ids.Purpose.STOP)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_not(text: str) -> None:
    """Whatever the venue sends, parsing never raises."""
    assert ids.parse(7, text) is None or ids.is_ours(7, text)


def test_long_symbols_stay_distinct() -> None:
    """Two symbols that begin alike."""
    one = ids.series(7, "A" * 40 + "1", Side.LONG, ids.Purpose.STOP)
    other = ids.series(7, "A" * 40 + "2", Side.LONG, ids.Purpose.STOP)
    assert one != other


def test_a_duplicate_is_probed_with_the_next_fifteen() -> None:
    """The id itself and fifteen more."""
    assert ids.probes("sw-7-X-L-s", 3) == tuple(f"sw-7-X-L-s{n}" for n in range(3, 19))


def test_what_closes_a_side() -> None:
    """Longs are sold, shorts bought."""
    assert ids.closing_side(Side.LONG) is OrderSide.SELL
    assert ids.closing_side(Side.SHORT) is OrderSide.BUY
