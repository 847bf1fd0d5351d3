"""Contracts that appear while the exchange runs, and those that are listed only."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.inputs import (
    ListContracts,
    OpenAccount,
    PlaceOrder,
    SetLeverage,
    SetPrices,
    decode,
    encode,
)
from connectors.simulated.listing.opening import venue_catalogue
from tests.unit.connectors.simulated.engine.desk import ALICE, START_MS, TAPE_MS, XBT, Desk, prices

TABLE = venue_catalogue().table
EVERYTHING = ListContracts(contracts=venue_catalogue().contracts_at(START_MS), indices=TABLE.indices)


def opened() -> Exchange:
    """Return an exchange that lists everything, with a funded account and prices of some."""
    exchange = Exchange(contracts=())
    exchange.apply(EVERYTHING, at_ms=START_MS)
    exchange.apply(OpenAccount(account=ALICE, balances={"XBt": XBT, "USDt": 10_000_000_000}), at_ms=START_MS)
    rows = (
        prices("XBTUSD", 50_000),
        prices("SOLUSDT", 80, half_spread="0.01"),
        prices("SOL_USDT", 80, half_spread="0.01"),
        prices("XBTU26-XBTZ26", -300, depth=0),
    )
    exchange.apply(SetPrices(tape_ms=TAPE_MS, prices=rows), at_ms=START_MS)
    return exchange


def test_a_new_contract_is_published_and_can_be_traded() -> None:
    """Its row is an insert, its index rows and first prints come along, orders are taken once it has a price."""
    desk = Desk()
    solana = next(one for one in TABLE.contracts if one.symbol == "SOLUSDT")
    behind = tuple(one for one in TABLE.indices if "SOL" in one.symbol)
    desk.apply(ListContracts(contracts=(solana,), indices=behind))
    changes = desk.exchange.take_changes()
    assert {change.row["symbol"] for change in changes if change.table == "instrument"} == {
        "SOLUSDT",
        *(one.symbol for one in behind),
    }
    assert {change.row["price"] for change in changes if change.table == "trade"} >= {Decimal("0.0003")}
    desk.move(prices("SOLUSDT", 80, half_spread="0.01"))
    assert desk.place(100, symbol="SOLUSDT")["ordStatus"] == "Filled"
    assert desk.exchange.money_is_conserved()


def test_as_many_trades_of_the_busiest_are_kept_as_one_may_ask_for() -> None:
    """A thousand trades and quotes of XBTUSD, a hundred of a contract that moves every other second."""
    exchange = opened()
    for number in range(1_100):
        rows = (prices("XBTUSD", 50_000 + number), prices("SOLUSDT", 80 + Decimal(number) / 100, half_spread="0.01"))
        exchange.apply(SetPrices(tape_ms=TAPE_MS + number, prices=rows), at_ms=START_MS + number)
    kept = [
        len(read(symbol)) for symbol in ("XBTUSD", "SOLUSDT") for read in (exchange.trade_rows, exchange.quote_rows)
    ]
    assert kept == [1_000, 1_000, 100, 100]


def test_listing_again_changes_nothing() -> None:
    """What is there stays as it is, prices and history included."""
    exchange = opened()
    before = exchange.save()
    exchange.apply(EVERYTHING, at_ms=START_MS)
    assert exchange.save() == before


def test_the_input_survives_the_journal() -> None:
    """Written and read back it lists the same contracts and indices."""
    assert decode(encode(EVERYTHING)) == EVERYTHING


def test_a_snapshot_carries_everything_listed() -> None:
    """The document of an exchange with all contracts reads back to the same document."""
    document = opened().save()
    assert Exchange.load(document).save() == document


@pytest.mark.parametrize("symbol", ["SOL_USDT", "XBTU26-XBTZ26", "sol_usdt"])
def test_spot_and_spreads_are_not_traded(symbol: str) -> None:
    """They are listed and quoted; orders and settings are refused with the venue's text."""
    exchange = opened()
    with pytest.raises(Refused, match="Market is not open"):
        exchange.apply(PlaceOrder(account=ALICE, symbol=symbol, order_qty=1_000_000), at_ms=START_MS)
    with pytest.raises(Refused, match="Market is not open"):
        exchange.apply(SetLeverage(account=ALICE, symbol=symbol, leverage=Decimal(2)), at_ms=START_MS)
    assert exchange.money_is_conserved()


def test_prices_of_a_spread_may_be_below_zero_and_no_others() -> None:
    """The row shows the negative price; a contract's price has to be above zero."""
    exchange = opened()
    (row,) = (row for row in exchange.instrument_rows() if row["symbol"] == "XBTU26-XBTZ26")
    assert (row["lastPrice"], row["markPrice"], row["minPrice"]) == (-300, None, -1_000_000)
    assert (row["nearLegSymbol"], row["farLegSymbol"], row["hasLiquidity"]) == ("XBTU26", "XBTZ26", False)
    with pytest.raises(Refused, match="Invalid price"):
        exchange.apply(SetPrices(tape_ms=TAPE_MS, prices=(prices("SOLUSDT", -1),)), at_ms=START_MS)
