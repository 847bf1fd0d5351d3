"""What more margin, more contracts, another mark and odd rows may do to a liquidation price; every kind and engine."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.vocabulary import ContractKind, Instrument, Position, PositionKey
from daemon.calc.row import answers
from daemon.core.margin.bracket import shown_price
from daemon.core.margin.contracts import value_sat
from daemon.core.margin.liquidation import room_percent
from daemon.core.margin.own_liquidation import BoundaryValues, Engine, boundary_values, own_price
from daemon.core.margin.requirements import fee_reserve_sat, initial_sat, maintenance_need_sat
from daemon.core.margin.what_if import AccountRows, margin_added, marks_moved
from tests.unit.daemon.core.margin_builders import a_margin, an_instrument

D = Decimal
FEE = D("0.0005")
RATIO = D("0.005")
ENGINES = st.sampled_from(Engine)
LARGEST = 10**12


@st.composite
def cases(draw: st.DrawFn) -> tuple[Instrument, Position]:
    """A contract of any kind and an open position in it, its margins by the rules of its engine."""
    instrument = an_instrument(
        draw(st.sampled_from(ContractKind)), funding_rate=draw(st.sampled_from([D(0), D("0.001")]))
    )
    entry = draw(st.decimals(min_value=100, max_value=100_000, places=1))
    quantity = draw(st.integers(1, 5_000)) * draw(st.sampled_from([1, -1])) * instrument.lot_size
    return instrument, a_row(instrument, quantity, entry, draw(ENGINES), draw(st.integers(1, 100)))


def a_row(instrument: Instrument, quantity: int, entry: Decimal, engine: Engine, leverage: int) -> Position:
    """A row as the venue would show it right after the entry."""
    cost = value_sat(instrument, quantity, entry)
    required = 1 / D(leverage)
    shared = engine is Engine.SHARED_CROSS
    initial = 0 if shared else initial_sat(abs(cost), required)
    reserve = 0 if shared else fee_reserve_sat(abs(cost), initial, 0, FEE)
    need = maintenance_need_sat(
        abs(cost),
        quantity,
        maintenance_ratio=RATIO,
        funding_rate=instrument.funding_rate,
        at_most=None if shared else required,
    )
    return Position(
        key=PositionKey(account=1, symbol=instrument.symbol),
        quantity=quantity,
        currency=instrument.settlement_currency,
        entry_price=entry,
        is_cross=engine is not Engine.ISOLATED,
        leverage=D(leverage),
        maintenance_margin_ratio=RATIO,
        initial_margin_ratio=required,
        commission=FEE,
        cost_sat=cost,
        unrealised_cost_sat=cost,
        initial_margin_sat=initial,
        fee_reserve_sat=reserve,
        margin_sat=need if shared else initial + reserve,
        maintenance_sat=need + reserve,
        locked_sat=need if shared else initial + reserve,
    )


def nearness(price: Decimal | None, position: Position) -> Decimal:
    """Greater is nearer to the mark; never liquidated is the farthest."""
    return D("-Infinity") if price is None else (1 if position.quantity > 0 else -1) * price


def balance_of(position: Position, wallet: int) -> Any:
    """The margin row of an account that holds this position alone."""
    return a_margin(wallet, maintenance=position.locked_sat, currency=position.currency)


@given(case=cases(), wallet=st.integers(0, LARGEST))
def test_bankruptcy_is_never_nearer_than_liquidation(case: tuple[Instrument, Position], wallet: int) -> None:
    """On every engine, kind and side, as shown and as worth."""
    instrument, position = case
    values = boundary_values(position, instrument, balance_of(position, wallet))
    assert isinstance(values, BoundaryValues)
    assert position.side is not None
    prices = [
        shown_price(instrument, position.side, abs(position.quantity), value)
        for value in (values.liquidation, values.bankruptcy)
    ]
    assert nearness(prices[0], position) >= nearness(prices[1], position)


@given(case=cases(), poor=st.integers(0, LARGEST), more=st.integers(0, LARGEST))
def test_more_money_never_brings_it_nearer(case: tuple[Instrument, Position], poor: int, more: int) -> None:
    """A larger balance for a cross position, added margin for an isolated one."""
    instrument, position = case
    richer = position
    if not position.is_cross:
        found = margin_added(position, instrument, balance_of(position, 10**18), more)
        assume(found is not None)
        assert found is not None
        richer = found[0]
    was = own_price(position, instrument, balance_of(position, poor)).price
    now = own_price(richer, instrument, balance_of(richer, poor + more)).price
    assert nearness(now, position) <= nearness(was, position)


@given(case=cases(), times=st.integers(2, 50), wallet=st.integers(0, LARGEST))
def test_more_contracts_never_take_it_farther(case: tuple[Instrument, Position], times: int, wallet: int) -> None:
    """The same balance, or the same margin of its own, behind more contracts at the same entry."""
    instrument, position = case
    assume(position.quantity != 0 and position.cost_sat)
    engine = Engine.ISOLATED if not position.is_cross else None
    grown = replace(
        position,
        quantity=position.quantity * times,
        cost_sat=position.cost_sat * times,
        unrealised_cost_sat=position.unrealised_cost_sat * times,
        maintenance_sat=position.maintenance_sat * times,
        fee_reserve_sat=position.fee_reserve_sat * times,
        initial_margin_sat=position.initial_margin_sat if engine else position.initial_margin_sat * times,
        margin_sat=position.margin_sat if engine else position.margin_sat * times,
        locked_sat=position.locked_sat if engine else position.locked_sat * times,
    )
    was = own_price(position, instrument, balance_of(position, wallet))
    now = own_price(grown, instrument, balance_of(grown, wallet))
    spare = position.margin_sat - position.maintenance_sat if engine else wallet - position.locked_sat
    assume(spare >= 0)
    assert nearness(now.price, position) >= nearness(was.price, position)


@given(case=cases(), wallet=st.integers(0, LARGEST), move=st.decimals(min_value="-0.5", max_value="0.5", places=3))
def test_the_price_does_not_follow_the_mark_and_the_room_does(
    case: tuple[Instrument, Position], wallet: int, move: Decimal
) -> None:
    """With one position the liquidation price stands still; the room grows with a mark that moves away from it."""
    instrument, position = case
    assert position.entry_price is not None
    assert position.side is not None
    rows = AccountRows(
        positions={instrument.symbol: position},
        instruments={instrument.symbol: instrument},
        margins={position.currency: balance_of(position, wallet)},
        marks={instrument.symbol: position.entry_price},
    )
    moved = marks_moved(rows, {instrument.symbol: position.entry_price * (1 + move)})
    after = moved.positions[instrument.symbol]
    was = own_price(position, instrument, rows.margins[position.currency]).price
    now = own_price(after, instrument, moved.margins[position.currency]).price
    assert was == now
    if was is not None:
        rooms = [room_percent(position.side, position.entry_price * (1 + by), was) for by in sorted((D(0), move))]
        assert rooms == sorted(rooms, reverse=position.quantity < 0)


SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["", "XBTUSD", "XBt", "1e5", "-0", "NaN", "2024-01-01T00:00:00Z", "x"]),
    st.lists(st.integers(), max_size=1),
)
COLUMNS = [
    *("symbol", "currency", "account", "currentQty", "crossMargin", "leverage", "isOpen", "strategy", "timestamp"),
    *("posCost", "unrealisedCost", "posInit", "posComm", "posCross", "posLoss", "posMargin", "posMaint", "maintMargin"),
    *("initMargin", "initMarginReq", "maintMarginReq", "commission", "markPrice", "markValue", "unrealisedPnl"),
    *("avgEntryPrice", "liquidationPrice", "bankruptPrice", "riskValue", "multiplier", "lotSize", "tickSize"),
    *("maxPrice", "isInverse", "isQuanto", "settlCurrency", "fundingRate", "takerFee", "typ"),
    *("walletBalance", "amount", "marginBalance", "availableMargin", "realisedPnl", "foreignRequirement"),
]
TABLES = st.dictionaries(st.sampled_from(COLUMNS), SCALARS, max_size=12)
WHOLE = {"symbol": "XBTUSD", "isInverse": True, "multiplier": -(10**8), "lotSize": 100, "tickSize": 0.5}
HELD = {
    "symbol": "XBTUSD",
    "account": 1,
    "currency": "XBt",
    "currentQty": 500,
    "posCost": -1_485_034,
    "posMargin": 22_360,
}


@given(position=TABLES, instrument=TABLES, margin=st.none() | TABLES, is_whole=st.booleans())
def test_whatever_a_row_holds_it_gets_its_line(
    position: dict[str, Any], instrument: dict[str, Any], margin: dict[str, Any] | None, *, is_whole: bool
) -> None:
    """P12: one answer with its line number, JSON all through, and no price that is not above zero or an end."""
    if is_whole:
        position, instrument = {**HELD, **position}, {**WHOLE, **instrument}
    line = json.dumps({"position": position, "instrument": instrument, "margin": margin}).encode()
    (answer,) = answers([line])
    assert answer["line"] == 1
    if "error" in answer:
        return
    price = answer["liquidation_price"]
    assert price is None or (isinstance(price, Decimal) and price.is_finite() and price >= 0)
    assert (price is None) is (answer["confidence"] is None)
    assert price is not None or answer["reason"]


@given(st.binary(max_size=200))
def test_bytes_that_are_no_row_are_told(line: bytes) -> None:
    """Whatever comes, nothing is raised."""
    for answer in answers([line]):
        assert "line" in answer
