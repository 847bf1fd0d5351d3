"""Where whole accounts fail: our prediction against the embedded exchange's own liquidator, written apart from it.

Random accounts of several cross positions are set up on the exchange, its rows are read by the BitMEX parsers, and the
marks go along the common move: one cent of the dearest mark before the predicted place all positions are there, at it
they are taken over.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from connectors.bitmex.protocol.parse import parse_instrument, parse_margin, parse_position
from connectors.simulated.engine.contracts import ETHUSD, XBTH27, XBTUSD, XBTUSDT
from connectors.simulated.engine.exchange import Exchange
from connectors.simulated.engine.inputs import OpenAccount, SetPosition, SetPrices, SymbolPrices
from connectors.simulated.engine.switches import MarginEngine, Switches
from daemon.core.margin.account_failure import account_failure_moves
from daemon.core.margin.exact_failure import exact_failure_move
from daemon.core.margin.own_liquidation import consistent_margin, own_price
from daemon.core.margin.what_if import AccountRows

D = Decimal
LINEAR_XBT = replace(XBTUSDT, symbol="XBTXBT", settl_currency="XBt", multiplier=100)
"""A linear contract settled in the coin, as ETHXBT once was."""
SECOND_USDT = replace(XBTUSDT, symbol="XBTUSDTZ", lot_size=1000)
CONTRACTS = (XBTUSD, XBTH27, ETHUSD, XBTUSDT, LINEAR_XBT, SECOND_USDT)
LOTS = {contract.symbol: contract.lot_size for contract in CONTRACTS}
CURRENCY = {contract.symbol: contract.settl_currency for contract in CONTRACTS}
MARKS = {
    "XBTUSD": D(50_000),
    "XBTH27": D(50_500),
    "ETHUSD": D(3_000),
    "XBTUSDT": D(50_000),
    "XBTXBT": D(50_000),
    "XBTUSDTZ": D(50_250),
}
CENT = D("0.01")
START_MS = 1_780_000_000_000
OURS = 1
Held = dict[str, int]


def along(move: Decimal) -> SetPrices:
    """All marks moved alike and rounded to a cent, as marks are."""
    steps = []
    for symbol, mark in MARKS.items():
        moved = (mark * (1 + move) / CENT).to_integral_value() * CENT
        steps.append(
            SymbolPrices(symbol=symbol, mark=moved, index=moved, last=moved, half_spread=D("0.5"), depth=10**9)
        )
    return SetPrices(tape_ms=0, prices=tuple(steps))


def an_exchange(held: Held, balances: dict[str, int], engine: MarginEngine = MarginEngine.NEW) -> Exchange:
    """An exchange at the present marks where one account holds all this in cross margin."""
    exchange = Exchange(contracts=CONTRACTS, switches=Switches(margin_engine=engine, liquidation_delay_ms=0))
    exchange.apply(OpenAccount(account=OURS, balances=balances), at_ms=START_MS)
    exchange.apply(along(D(0)), at_ms=START_MS)
    for symbol, quantity in held.items():
        exchange.apply(SetPosition(account=OURS, symbol=symbol, quantity=quantity), at_ms=START_MS)
    return exchange


def exact(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it comes off the wire: numbers with a point as decimals."""
    return {name: D(repr(cell)) if isinstance(cell, float) else cell for name, cell in row.items()}


def rows_of(exchange: Exchange) -> AccountRows:
    """The account as the guard reads it."""
    positions = [parse_position(exact(dict(row))) for row in exchange.position_rows(OURS)]
    contracts = [parse_instrument(exact(dict(row))) for row in exchange.instrument_rows()]
    margins = {str(row["currency"]): parse_margin(exact(dict(row))) for row in exchange.margin_rows(OURS)}
    return AccountRows(
        positions={position.key.symbol: position for position in positions if position.quantity},
        instruments={contract.symbol: contract for contract in contracts if contract is not None},
        margins={name: consistent_margin(margin, positions) for name, margin in margins.items()},
        marks=MARKS,
    )


def survives(held: Held, balances: dict[str, int], move: Decimal, engine: MarginEngine = MarginEngine.NEW) -> set[str]:
    """The symbols still held as they were after the marks went to a move at once."""
    exchange = an_exchange(held, balances, engine)
    exchange.apply(replace_time(along(move)), at_ms=START_MS + 1000)
    now = {row["symbol"]: row["currentQty"] for row in exchange.position_rows(OURS)}
    return {symbol for symbol, quantity in held.items() if now.get(symbol) == quantity}


def replace_time(step: SetPrices) -> SetPrices:
    """A second later on the tape."""
    return SetPrices(tape_ms=1000, prices=step.prices)


@st.composite
def accounts(draw: st.DrawFn, currency: str) -> tuple[Held, dict[str, int]]:
    """Two to four cross positions of a currency, long and short, and a balance of a few to fifty percent of them."""
    symbols = draw(st.lists(st.sampled_from([s for s in LOTS if CURRENCY[s] == currency]), min_size=2, unique=True))
    held = {}
    for symbol in sorted(symbols):
        worth = draw(st.integers(1_000, 200_000))
        lots = max(1, worth // LOTS[symbol] if symbol in {"XBTUSD", "XBTH27"} else worth // 5_000)
        held[symbol] = draw(st.sampled_from([1, -1])) * lots * LOTS[symbol]
    unit = 100_000_000 if currency == "XBt" else 1_000_000_000
    return held, {currency: draw(st.integers(unit // 10, unit))}


@pytest.mark.parametrize("currency", ["XBt", "USDt"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_an_account_fails_at_the_predicted_move(currency: str, data: st.DataObject) -> None:
    """P2: within a cent of the dearest mark; and at no move up to the quick, cautious prediction."""
    held, balances = data.draw(accounts(currency))
    rows = rows_of(an_exchange(held, balances))
    assume(survives(held, balances, D(0)) == set(held))
    quick = account_failure_moves(rows.held(currency), rows.instruments, rows.margins[currency], MARKS).whole
    found = exact_failure_move(rows, currency, mark_tick=CENT)
    assert found.reason is None
    for cautious, move, sign in ((quick.down, found.down, -1), (quick.up, found.up, 1)):
        if cautious is None or move is None or abs(move) > D("0.9") or not move:
            event("no failure in range")
            continue
        event("fails")
        assert survives(held, balances, move) == set()
        assert survives(held, balances, move - sign * CENT / max(MARKS.values())) == set(held)
        # The quick one knows nothing of marks being rounded to a cent.
        safe = cautious - sign * min(abs(cautious), CENT / min(MARKS.values()))
        for tenth in range(1, 11):
            assert survives(held, balances, safe * tenth / 10) == set(held)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_positions_of_the_legacy_engine_fail_at_their_own_prices(data: st.DataObject) -> None:
    """Each by itself: all marks but one held, it goes at the price we work out and not one tick before."""
    held, balances = data.draw(accounts("XBt"))
    exchange = an_exchange(held, balances, MarginEngine.LEGACY)
    assume(survives(held, balances, D(0), MarginEngine.LEGACY) == set(held))
    rows = rows_of(exchange)
    symbol = data.draw(st.sampled_from(sorted(held)))
    position, contract = rows.positions[symbol], rows.instruments[symbol]
    assert position.liquidation_price is not None
    price = own_price(position, contract, rows.margins["XBt"]).price
    if price is None:
        assert not 0 < position.liquidation_price < contract.max_price
        return
    assert abs(price - position.liquidation_price) <= contract.tick_size


def test_a_hedge_in_one_currency_does_not_back_the_other() -> None:
    """A linear long in USDt fails although the inverse short in XBt, of the same coin, wins as much."""
    held = {"XBTUSDT": 400_000, "XBTUSD": -200_000}
    balances = {"USDt": 4_000_000_000, "XBt": 100_000_000}
    rows = rows_of(an_exchange(held, balances))
    found = exact_failure_move(rows, "USDt", mark_tick=CENT)
    assert found.down is not None
    assert survives(held, balances, found.down) == {"XBTUSD"}
    assert survives(held, balances, found.down + CENT / 50_000) == set(held)
