"""`calc row` on rows of the embedded exchange, which works its prices out by code of its own."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.simulated.engine.exchange import Exchange, Refused
from connectors.simulated.engine.inputs import SetLeverage
from connectors.simulated.engine.switches import MarginEngine
from daemon.calc.row import Answer, answers
from tests.property.test_account_failure_exchange import (
    CURRENCY,
    LOTS,
    OURS,
    START_MS,
    along,
    an_exchange,
    replace_time,
)

D = Decimal
BALANCES = {"XBt": 500_000_000, "USDt": 50_000_000_000}


@st.composite
def exchanges(draw: st.DrawFn, engine: MarginEngine) -> Exchange:
    """One to three positions of any kind, some isolated at some leverage, after a move of up to 1.5 percent."""
    symbols = draw(st.lists(st.sampled_from(sorted(LOTS)), min_size=1, max_size=3, unique=True))
    held = {s: draw(st.sampled_from([1, -1])) * LOTS[s] * draw(st.integers(1, 40)) for s in symbols}
    exchange = an_exchange(held, BALANCES, engine)
    for symbol in symbols:
        leverage = draw(st.sampled_from([0, 1, 2, 5, 25, 50]))
        if leverage:
            try:
                exchange.apply(SetLeverage(account=OURS, symbol=symbol, leverage=D(leverage)), at_ms=START_MS)
            except Refused:
                continue
    exchange.apply(replace_time(along(D(draw(st.integers(-15, 15))) / 1000)), at_ms=START_MS + 1000)
    return exchange


def answered(exchange: Exchange, *, with_margin: bool) -> list[Answer]:
    """The answers to all open positions."""
    contracts = {row["symbol"]: row for row in exchange.instrument_rows()}
    margins = {row["currency"]: row for row in exchange.margin_rows(OURS)}
    lines = [
        {
            "instrument": contracts[row["symbol"]],
            "position": row,
            "margin": margins[CURRENCY[str(row["symbol"])]] if with_margin else None,
        }
        for row in exchange.position_rows(OURS)
        if row["currentQty"]
    ]
    return list(answers(json.dumps(line, default=str).encode() for line in lines))


@pytest.mark.parametrize("engine", list(MarginEngine))
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_row_with_its_margin_row_comes_out_to_the_tick(engine: MarginEngine, data: st.DataObject) -> None:
    """Both engines, all kinds and sides, isolated and cross, several positions at once."""
    for answer in answered(data.draw(exchanges(engine)), with_margin=True):
        assert answer["difference_ticks"] == 0, answer


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_without_it_a_legacy_row_names_the_venues_price_among_the_possible(data: st.DataObject) -> None:
    """Cross rows of the legacy engine: one tick off at most, and never outside of what is said to be possible."""
    for answer in answered(data.draw(exchanges(MarginEngine.LEGACY)), with_margin=False):
        ticks = answer["difference_ticks"]
        assert isinstance(ticks, int)
        if answer["margin_mode"] == "isolated":
            assert ticks == 0, answer
            continue
        assert answer["confidence"] == "derived"
        possible = answer.get("possible_liquidation_prices") or [answer["liquidation_price"]]
        assert min(possible) <= answer["reported_liquidation_price"] <= max(possible), answer  # type: ignore[call-overload]


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_without_it_a_cross_row_of_today_says_why_not(data: st.DataObject) -> None:
    """P12: no figure, and the reason."""
    for answer in answered(data.draw(exchanges(MarginEngine.NEW)), with_margin=False):
        if answer["margin_mode"] == "cross":
            assert (answer["liquidation_price"], answer["reason"]) == (None, "no_margin_row")
