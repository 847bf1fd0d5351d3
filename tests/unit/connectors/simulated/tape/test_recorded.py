"""Recordings as the market: levels, prints and marks of each step."""

from __future__ import annotations

import json
from decimal import Decimal
from math import inf
from pathlib import Path

import pytest

from connectors.simulated.engine.contracts import XBTUSD
from connectors.simulated.engine.inputs import Print, SymbolPrices
from connectors.simulated.engine.markets.liquidity import is_book
from connectors.simulated.tape.market import MARK_BOUND
from connectors.simulated.tape.recorded import GRAIN_MS, LEVELS, RecordedTape
from connectors.simulated.tape.recording import RecordingError
from connectors.simulated.tape.tape import Step

LISTED = {"XBTUSD": XBTUSD}
START_S = 1_600_000_000


def _level(number: int, side: str, size: int, price: float) -> dict[str, object]:
    return {"symbol": "XBTUSD", "id": number, "side": side, "size": size, "price": price}


def _frame(second: float, table: str, action: str, *rows: dict[str, object]) -> str:
    return f"{START_S + second:.3f}: " + json.dumps({"table": table, "action": action, "data": rows})


def _tape(folder: Path, *lines: str, factor: float = 1.0) -> RecordedTape:
    path = folder / "session.txt"
    path.write_text("\n".join(lines))
    return RecordedTape(path, LISTED, factor=factor)


def _prices(tape: RecordedTape) -> list[SymbolPrices]:
    return [one for step in tape.steps() for one in step.prices]


BOOK = _frame(0, "orderBookL2", "partial", _level(1, "Buy", 300, 100.0), _level(2, "Sell", 200, 100.5))


def test_a_partial_gives_the_levels_best_first(tmp_path: Path) -> None:
    """Both sides, nearest the touch first; before any trade the bid is the last price."""
    more = _frame(0.01, "orderBookL2", "insert", _level(3, "Buy", 100, 99.5), _level(4, "Sell", 100, 101))
    (price,) = _prices(_tape(tmp_path, BOOK, more))
    assert price.bids == ((Decimal(100), 300), (Decimal("99.5"), 100))
    assert price.asks == ((Decimal("100.5"), 200), (Decimal(101), 100))
    assert price.last == Decimal(100)


def test_deltas_move_levels_by_id(tmp_path: Path) -> None:
    """An update without a price keeps the one its id had; a delete takes the level away."""
    update = _frame(1, "orderBookL2", "update", {"symbol": "XBTUSD", "id": 1, "side": "Buy", "size": 700})
    delete = _frame(2, "orderBookL2", "delete", {"symbol": "XBTUSD", "id": 2, "side": "Sell"})
    _, updated, deleted = _prices(_tape(tmp_path, BOOK, update, delete))
    assert updated.bids == ((Decimal(100), 700),)
    assert deleted.asks == ()


def test_a_second_partial_replaces_the_book(tmp_path: Path) -> None:
    """Rows of the first one do not linger."""
    again = _frame(1, "orderBookL2", "partial", _level(9, "Buy", 100, 98))
    *_, last = _prices(_tape(tmp_path, BOOK, again))
    assert (last.bids, last.asks) == (((Decimal(98), 100),), ())


def test_a_crossed_book_is_not_shown(tmp_path: Path) -> None:
    """In the middle of a burst the levels of before stay."""
    crossing = _frame(1, "orderBookL2", "insert", _level(5, "Buy", 100, 102))
    first, crossed = _prices(_tape(tmp_path, BOOK, crossing))
    assert (crossed.bids, crossed.asks) == (first.bids, first.asks)


def test_trades_of_a_step_are_kept_apart_and_in_order(tmp_path: Path) -> None:
    """Prints of one step come once; the last of them is the last price, all of them the extremes."""
    rows = [
        {"symbol": "XBTUSD", "side": side, "size": 100, "price": price} for side, price in (("Buy", 101), ("Sell", 99))
    ]
    traded = _frame(1, "trade", "insert", *rows)
    later = _frame(2, "orderBookL2", "update", {"symbol": "XBTUSD", "id": 1, "side": "Buy", "size": 100})
    _, price, after = _prices(_tape(tmp_path, BOOK, traded, later))
    assert price.trades == (
        Print(side="Buy", size=100, price=Decimal(101)),
        Print(side="Sell", size=100, price=Decimal(99)),
    )
    assert (price.last, price.low, price.high) == (Decimal(99), Decimal(99), Decimal(101))
    assert after.trades == ()


def test_levels_are_whole_lots_on_the_tick(tmp_path: Path) -> None:
    """Older recordings have smaller lots and finer ticks; a level never gets better by rounding."""
    odd = _frame(0, "orderBookL2", "partial", _level(1, "Buy", 318, 100.07), _level(2, "Sell", 99, 100.5))
    (price,) = _prices(_tape(tmp_path, odd))
    assert (price.bids, price.asks) == (((Decimal("100.0"), 300),), ())


def test_recorded_marks_win_over_smoothed_ones(tmp_path: Path) -> None:
    """An instrument frame brings mark, index and funding rate along."""
    row = {"symbol": "XBTUSD", "markPrice": 103.25, "indicativeSettlePrice": 103.5, "fundingRate": 0.0002}
    *_, price = _prices(_tape(tmp_path, BOOK, _frame(1, "instrument", "update", row)))
    assert (price.mark, price.index, price.funding_rate) == (Decimal("103.25"), Decimal("103.5"), Decimal("0.0002"))


def test_frames_that_came_together_are_one_step(tmp_path: Path) -> None:
    """And a step lasts until the next, divided by the factor."""
    soon = _frame(GRAIN_MS / 2000, "orderBookL2", "insert", _level(3, "Buy", 100, 99))
    later = _frame(3, "orderBookL2", "insert", _level(4, "Buy", 100, 98))
    steps = list(_tape(tmp_path, BOOK, soon, later, factor=2.0).steps())
    assert [step.real_ms for step in steps] == [(3_000 - GRAIN_MS // 2) // 2, 0]
    assert [step.real_ms for step in _tape(tmp_path, BOOK, later, factor=inf).steps()] == [0, 0]


def test_nothing_listed_is_an_error_at_once(tmp_path: Path) -> None:
    """A recording of contracts of another day names the way out."""
    other = _frame(0, "trade", "insert", {"symbol": "XBTM21", "side": "Buy", "size": 1, "price": 100})
    with pytest.raises(RecordingError, match="--instruments"):
        _tape(tmp_path, other)


def _checked(step: Step) -> None:
    for one in step.prices:
        assert len(one.bids) <= LEVELS
        assert len(one.asks) <= LEVELS
        assert not one.bids or not one.asks or one.bids[0][0] < one.asks[0][0]
        assert all(size % XBTUSD.lot_size == 0 and size > 0 for _, size in one.bids + one.asks)
        assert abs(one.mark / one.last - 1) <= Decimal(MARK_BOUND) + Decimal("0.0001")
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.last <= one.high


def test_a_real_session_plays_and_resumes(real_data: Path) -> None:
    """30 seconds of 2021: books are never crossed, marks stay near, and any step can be the first."""
    tape = RecordedTape(real_data / "ws" / "bitmex-ws-public-2021-07-22.txt.gz", LISTED)
    steps = list(tape.steps())
    for step in steps:
        _checked(step)
    assert len(steps) > 100
    assert list(tape.steps(57)) == steps[57:]
    assert 20_000 < sum(step.real_ms for step in steps) < 32_000


def test_levels_on_one_tick_of_today_are_one(tmp_path: Path) -> None:
    """The tick has grown since: what rounds to one price stands there together, what rounds to nothing is left out."""
    ten = {
        "symbol": "XBTUSD",
        "bids": [[100.04, 100], [100.03, 200], [99.58, 100], [0.02, 900]],
        "asks": [[100.61, 100], [100.69, 300]],
    }
    orders = [_level(3, "Buy", 100, 100.01), _level(4, "Buy", 100, 100.03), _level(5, "Sell", 100, 100.9)]
    for frame in (_frame(0, "orderBook10", "update", ten), _frame(0, "orderBookL2", "partial", *orders)):
        (price,) = _prices(_tape(tmp_path, frame))
        assert is_book(price.bids, price.asks)
    (price,) = _prices(_tape(tmp_path, _frame(0, "orderBook10", "update", ten)))
    assert price.bids == ((Decimal(100), 300), (Decimal("99.5"), 100))
    assert price.asks == ((Decimal("100.7"), 400),)
