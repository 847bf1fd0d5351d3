"""The embedded exchange under any sequence of inputs: money, quantities and determinism."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from connectors.simulated.engine.changes import Change
from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.inputs import (
    AmendOrder,
    CancelAll,
    CancelAllAfter,
    CancelOrders,
    Deposit,
    Input,
    Isolate,
    OpenAccount,
    PassTime,
    PlaceOrder,
    SetLeverage,
    SetPrices,
    SetRiskLimit,
    SymbolPrices,
    TransferMargin,
    decode,
    encode,
)
from connectors.simulated.engine.markets.liquidity import best
from connectors.simulated.engine.resting.orders import Side
from connectors.simulated.engine.switches import Switches

ACCOUNTS = (1, 2, 3)
BASE = {"XBTUSD": 50_000, "XBTUSDT": 50_000, "ETHUSD": 3_000, "XBTH27": 50_500}
LOTS = {"XBTUSD": 100, "XBTUSDT": 100, "ETHUSD": 1, "XBTH27": 100}
START_MS = 1_780_000_000_000
HOUR_MS = 3_600_000

symbols = st.sampled_from(sorted(BASE))
numbers = st.sampled_from(ACCOUNTS)
ratios = st.integers(600, 1600)  # thousandths of the base price


@dataclass(frozen=True)
class Timed:
    """An input and the protocol time that passes before it."""

    value: Input
    wait_ms: int


def at(symbol: str, ratio: int) -> Decimal:
    """Return a price on the grid of every contract."""
    return Decimal(BASE[symbol] * ratio // 1000)


@st.composite
def orders(draw: st.DrawFn) -> Input:
    """Orders of every kind, sensible and not."""
    symbol = draw(symbols)
    waits = draw(st.booleans())
    limited = draw(st.booleans())
    quantity = draw(st.none() | st.integers(-40_000, 40_000).map(lambda lots: lots * LOTS[symbol] // 10))
    flags = draw(st.sampled_from(["", "ReduceOnly", "Close", "ParticipateDoNotInitiate"]))
    source = draw(st.sampled_from(["", "MarkPrice", "LastPrice", "IndexPrice"])) if waits else ""
    touch = waits and draw(st.booleans())
    return PlaceOrder(
        account=draw(numbers),
        symbol=symbol,
        order_qty=quantity,
        side=draw(st.sampled_from([None, "Buy", "Sell"])),
        price=at(symbol, draw(ratios)) if limited else None,
        stop_px=at(symbol, draw(ratios)) if waits else None,
        ord_type=("LimitIfTouched" if limited else "MarketIfTouched") if touch else None,
        exec_inst=",".join(word for word in (flags, source) if word),
        time_in_force=draw(st.sampled_from([None, "FillOrKill", "ImmediateOrCancel"])),
        cl_ord_id=draw(st.sampled_from(["", "a", "b", "c"])),
    )


@st.composite
def steps(draw: st.DrawFn) -> Input:
    """Price steps: calm ones, crashes, halts, thin books, jumps over funding marks."""
    moved = draw(st.lists(symbols, min_size=1, max_size=4, unique=True))
    return SetPrices(
        tape_ms=draw(st.integers(0, 40)) * HOUR_MS,
        prices=tuple(
            SymbolPrices(
                symbol=symbol,
                mark=at(symbol, draw(ratios)) + Decimal("0.37"),
                index=at(symbol, draw(ratios)),
                last=at(symbol, draw(ratios)),
                half_spread=Decimal(draw(st.integers(0, 200))) / 10,
                depth=draw(st.integers(0, 100_000)),
                halted=draw(st.integers(0, 9)) == 0,
                funding_rate=draw(st.none() | st.integers(-300, 300).map(lambda r: Decimal(r) / 100_000)),
            )
            for symbol in moved
        ),
    )


@st.composite
def requests(draw: st.DrawFn) -> Input:
    """Everything a client can ask for besides new orders."""
    number, symbol = draw(numbers), draw(symbols)
    client_id = draw(st.sampled_from(["a", "b", "c"]))
    wanted: list[Input] = [
        AmendOrder(account=number, orig_cl_ord_id=client_id, price=at(symbol, draw(ratios))),
        AmendOrder(account=number, orig_cl_ord_id=client_id, stop_px=at(symbol, draw(ratios))),
        AmendOrder(account=number, orig_cl_ord_id=client_id, order_qty=draw(st.integers(-9, 9)) * 100),
        CancelOrders(account=number, cl_ord_ids=(client_id,)),
        CancelAll(account=number, symbol=draw(st.none() | symbols)),
        CancelAllAfter(account=number, timeout_ms=draw(st.integers(0, 3)) * 1000),
        SetLeverage(account=number, symbol=symbol, leverage=Decimal(draw(st.integers(0, 110)))),
        Isolate(account=number, symbol=symbol, enabled=draw(st.booleans())),
        TransferMargin(account=number, symbol=symbol, amount=draw(st.integers(-(10**7), 10**7))),
        SetRiskLimit(account=number, symbol=symbol, risk_limit=draw(st.integers(0, 10)) * 10**10),
        Deposit(account=number, currency="XBt", amount=draw(st.integers(-(10**8), 10**8))),
        PassTime(),
    ]
    return draw(st.sampled_from(wanted))


histories = st.lists(
    st.builds(Timed, value=st.one_of(orders(), steps(), steps(), requests()), wait_ms=st.integers(0, 2_000)),
    max_size=40,
)


def opening() -> list[Input]:
    """Return the inputs every history begins with."""
    first = SetPrices(
        tape_ms=0,
        prices=tuple(
            SymbolPrices(
                symbol=symbol,
                mark=Decimal(price),
                index=Decimal(price),
                last=Decimal(price),
                half_spread=Decimal(1),
                depth=1_000_000,
            )
            for symbol, price in BASE.items()
        ),
    )
    balances = {"XBt": 10**9, "USDt": 10**11}
    return [*(OpenAccount(account=number, balances=balances) for number in ACCOUNTS), first]


def play(history: list[Timed], switches: Switches, check: Any = None) -> tuple[Exchange, list[Change]]:
    """Apply a history to a new exchange; refusals are part of it."""
    exchange, now, changes = Exchange(switches=switches), START_MS, []
    for timed in [*(Timed(value, 0) for value in opening()), *history]:
        now += timed.wait_ms
        with suppress(Refused):
            exchange.apply(timed.value, at_ms=now)
        changes += exchange.take_changes()
        if check is not None:
            check(exchange)
    return exchange, changes


def check_rows(exchange: Exchange) -> None:
    """Check what must hold after every input."""
    assert exchange.money_is_conserved()
    check_books(exchange)
    due_ms = exchange.next_timer_ms()
    assert due_ms is None or due_ms > exchange.world.at_ms  # whatever was due has gone off
    for number in exchange.accounts():
        for row in exchange.order_rows(number):
            leaves, quantity, filled = row["leavesQty"], row["orderQty"], row["cumQty"]
            assert isinstance(filled, int)
            assert filled >= 0
            if row["ordStatus"] in {"New", "PartiallyFilled"}:
                if leaves is None:
                    continue  # a Close stop that has no size yet
                assert isinstance(leaves, int)
                assert isinstance(quantity, int)
                assert leaves > 0
                assert quantity == filled + leaves
            else:
                assert leaves == 0
                assert row["workingIndicator"] is False
        for row in exchange.margin_rows(number):
            assert int(str(row["walletBalance"])) >= 0
        for row in exchange.position_rows(number):
            assert (row["currentQty"] == 0) is (row["liquidationPrice"] is None)
            if row["currentQty"] == 0:
                assert row["posMargin"] == row["unrealisedCost"] == row["posCross"] == 0


def check_books(exchange: Exchange) -> None:
    """In no market does a bid reach an ask, displayed or not."""
    for market in exchange.world.markets.values():
        bid, ask = best(market, Side.SELL), best(market, Side.BUY)
        assert bid is None or ask is None or bid.price < ask.price
        lowest, highest = market.book.asks.best, market.book.bids.best
        assert lowest is None or highest is None or highest < lowest


@given(history=histories, liquidation_first=st.booleans())
def test_any_history_keeps_money_and_quantities(history: list[Timed], liquidation_first: bool) -> None:
    """Random orders, crashes, halts and settings: nothing is created, lost or left negative."""
    play(history, Switches(liquidation_first=liquidation_first), check_rows)


@given(history=histories)
def test_position_is_the_sum_of_its_fills(history: list[Timed]) -> None:
    """Whatever happened, the executions of an account add up to its positions."""
    exchange, _ = play(history, Switches())
    for number in ACCOUNTS:
        sums: defaultdict[object, int] = defaultdict(int)
        for row in exchange.execution_rows(number):
            if row["lastQty"] is not None and row["execType"] == "Trade":
                sums[row["symbol"]] += int(str(row["lastQty"])) * (1 if row["side"] == "Buy" else -1)
        for row in exchange.position_rows(number):
            assert row["currentQty"] == sums[row["symbol"]]


@given(history=histories)
def test_same_inputs_same_changes(history: list[Timed]) -> None:
    """Played again, also from its journalled form, a history gives the identical changes."""
    written = [Timed(decode(encode(timed.value)), timed.wait_ms) for timed in history]
    assert play(history, Switches())[1] == play(written, Switches())[1]


@given(history=histories)
def test_refused_inputs_change_nothing(history: list[Timed]) -> None:
    """A refusal leaves every row as it was, and at most tells that an amendment has failed."""
    exchange, now = Exchange(), START_MS
    for timed in [*(Timed(value, 0) for value in opening()), *history]:
        now += timed.wait_ms
        exchange.apply(PassTime(), at_ms=now)
        exchange.take_changes()
        before = [(exchange.order_rows(n), exchange.margin_rows(n)) for n in ACCOUNTS if exchange.has_account(n)]
        try:
            exchange.apply(timed.value, at_ms=now)
        except Refused:
            assert [c for c in exchange.take_changes() if c.row.get("execType") != "AmendReject"] == []
            assert before == [(exchange.order_rows(n), exchange.margin_rows(n)) for n in ACCOUNTS]
