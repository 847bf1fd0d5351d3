"""The engine as a whole: changes, refreshes, reads, recovery by replay."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.inputs import (
    CancelAllAfter,
    Input,
    OpenAccount,
    PassTime,
    PlaceOrder,
    SetPrices,
    decode,
    encode,
)
from tests.unit.connectors.simulated.engine.desk import (
    ALICE,
    BOB,
    OPENING,
    START_MS,
    TAPE_MS,
    XBT,
    Desk,
    prices,
    tables,
)


def test_prices_alone_move_public_rows_only() -> None:
    """With a position open a step logs no private row; refresh logs position and margin, marked."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    assert tables(desk.move(prices(mark=50_100))) == []
    desk.exchange.refresh(ALICE, at_ms=desk.at_ms)
    refreshed = desk.exchange.take_changes()
    assert [(change.table, change.is_refresh) for change in refreshed] == [("position", True), ("margin", True)]
    assert refreshed[0].row["markPrice"] == 50_100
    desk.exchange.refresh(BOB, at_ms=desk.at_ms)
    assert desk.exchange.take_changes() == []


def test_a_fill_is_logged_in_order() -> None:
    """Market order: order and execution, the public trade, then position and margin once."""
    desk = Desk()
    desk.place(1000, ord_type="Market")
    names = [change.table for change in desk.exchange.take_changes()]
    assert names == ["order", "execution", "order", "execution", "trade", "position", "margin"]


def test_changes_are_snapshots() -> None:
    """A row logged earlier does not change when the order does."""
    desk = Desk()
    placed = desk.place(100, price=40_000)
    first = desk.exchange.take_changes()[0]
    desk.cancel(placed["orderID"])
    assert first.row["ordStatus"] == "New"


def test_time_never_runs_backwards() -> None:
    """An input stamped earlier than the one before counts as simultaneous."""
    desk = Desk()
    desk.exchange.apply(PassTime(), at_ms=START_MS + 5_000)
    row = desk.exchange.apply(CancelAllAfter(account=ALICE, timeout_ms=1_000), at_ms=START_MS)
    assert isinstance(row, dict)
    assert str(row["now"]).endswith(":45.000Z")


def test_unknown_accounts_and_symbols_are_refused() -> None:
    """Reads and requests of what is not there."""
    desk = Desk()
    assert not desk.exchange.has_account(99)
    with pytest.raises(Refused, match="Invalid account"):
        desk.exchange.order_rows(99)
    with pytest.raises(Refused, match="Invalid symbol"):
        desk.exchange.trade_rows("NOPE")
    with pytest.raises(Refused, match="Invalid account"):
        desk.apply(OpenAccount(account=ALICE, balances={"XBt": 1}))
    with pytest.raises(Refused, match="Invalid currency"):
        desk.apply(OpenAccount(account=9, balances={"DOGe": 1}))


def test_symbols_are_taken_in_any_case() -> None:
    """A lower-case symbol names the same contract."""
    assert Desk().place(100, symbol="xbtusd", ord_type="Market")["symbol"] == "XBTUSD"


def test_journal_restores_the_state() -> None:
    """Inputs written as JSON lines and read back rebuild the exchange, ids included."""
    inputs: list[Input] = [
        OpenAccount(account=ALICE, balances={"XBt": XBT}),
        SetPrices(tape_ms=TAPE_MS, prices=OPENING),
        PlaceOrder(account=ALICE, symbol="XBTUSD", order_qty=1000),
        PlaceOrder(account=ALICE, symbol="XBTUSD", side="Sell", exec_inst="Close", stop_px=prices(mark=49_000).mark),
        SetPrices(tape_ms=TAPE_MS + 1, prices=(prices(mark=48_900),)),
    ]
    first, second = Exchange(), Exchange()
    for number, value in enumerate(inputs):
        first.apply(value, at_ms=START_MS + number)
        second.apply(decode(encode(value)), at_ms=START_MS + number)
    assert first.take_changes() == second.take_changes()
    assert first.order_rows(ALICE)[1]["ordStatus"] == "Filled"


def test_prices_that_make_no_sense_are_refused() -> None:
    """A mark of zero or an unknown contract changes nothing."""
    desk = Desk()
    with pytest.raises(Refused):
        desk.apply(SetPrices(tape_ms=TAPE_MS + 1, prices=(prices(mark=0),)))
    with pytest.raises(Refused):
        desk.apply(SetPrices(tape_ms=TAPE_MS + 1, prices=(prices(mark=51_000), prices("NOPE"))))
    row = next(r for r in desk.exchange.instrument_rows() if r["symbol"] == "XBTUSD")
    assert row["markPrice"] == 50_000


def test_mark_index_and_last_are_kept_apart() -> None:
    """Three different prices show in three different columns, and the index in its own row."""
    desk = Desk()
    changes = desk.move(prices(mark=50_001, last=50_002, index=50_003))
    rows = {change.row["symbol"]: change.row for change in changes if change.table == "instrument"}
    shown = rows["XBTUSD"]
    assert (shown["markPrice"], shown["lastPrice"], shown["indicativeSettlePrice"]) == (50_001, 50_002, 50_003)
    assert rows[".BXBT"]["markPrice"] == 50_003


def test_a_refused_request_leaves_no_position_row() -> None:
    """Neither an order nor a setting that is refused changes anything that is saved."""
    desk = Desk()
    before = desk.exchange.save()
    desk.refusal(lambda: desk.place(150, symbol="XBTUSDT", ord_type="Market"))
    desk.refusal(lambda: desk.leverage(1_000, symbol="ETHUSD"))
    assert desk.exchange.position_rows(ALICE) == []
    assert desk.exchange.save() == before


@pytest.mark.parametrize(
    "figures",
    [{"thinning": "NaN"}, {"low": "Infinity"}, {"half_spread": "1E+400"}, {"funding_rate": "7"}, {"limit_up": "NaN"}],
)
def test_figures_that_no_market_has_are_refused(figures: dict[str, str]) -> None:
    """A number that is none would stand in every sum from then on; nothing has changed."""
    desk = Desk()
    before = desk.exchange.save()
    step = prices(**{name: Decimal(figure) for name, figure in figures.items()})
    desk.refusal(lambda: desk.apply(SetPrices(tape_ms=TAPE_MS + 1, prices=(step,))))
    assert desk.exchange.save() == before
