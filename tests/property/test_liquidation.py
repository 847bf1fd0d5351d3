"""Bounds that liquidation arithmetic keeps for every contract, position and account."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from connectors.vocabulary import ContractKind, Instrument, Margin, Position, PositionKey, Side
from daemon.core.margin.account_failure import account_failure_move, common_move_price
from daemon.core.margin.contracts import (
    boundary_price,
    tick_down,
    tick_toward_mark,
    tick_up,
    unrealised_pnl_sat,
    value_per_lot,
    value_sat,
)
from daemon.core.margin.liquidation import LiquidationState, assess, room_percent
from daemon.core.margin.own_liquidation import own_bankruptcy_price, own_price

TICKS = st.sampled_from([Decimal(t) for t in ("0.00001", "0.01", "0.05", "0.1", "0.5", "1", "5")])
PRICES = st.decimals(min_value="0.5", max_value="900000", places=4)
SIDES = st.sampled_from(Side)


@st.composite
def instruments(draw: st.DrawFn, kinds: tuple[ContractKind, ...] = tuple(ContractKind)) -> Instrument:
    """A contract with figures of the venue's sizes."""
    kind = draw(st.sampled_from(kinds))
    inverse = kind is ContractKind.INVERSE
    return Instrument(
        symbol=draw(st.sampled_from(["A", "B", "C"])),
        kind=kind,
        settlement_currency="XBt",
        multiplier=-100_000_000 if inverse else draw(st.sampled_from([1, 10, 100, 20_000])),
        lot_size=draw(st.sampled_from([1, 100] if inverse else [1, 100, 1000])),
        tick_size=draw(TICKS),
        max_price=Decimal(1_000_000),
        max_order_quantity=10**9,
        initial_margin_ratio=Decimal("0.01"),
        maintenance_margin_ratio=Decimal("0.005"),
        taker_fee=Decimal("0.0005"),
        funding_rate=draw(st.decimals(min_value="-0.00375", max_value="0.00375", places=6)),
    )


@st.composite
def positions(draw: st.DrawFn, instrument: Instrument, *, is_cross: bool | None = None) -> Position:
    """An open position of whole lots with costs that fit its entry price."""
    lots = draw(st.integers(1, 10_000)) * draw(SIDES).sign
    entry = draw(PRICES)
    quantity = lots * instrument.lot_size
    cost = value_sat(instrument, quantity, entry)
    assume(cost)
    cross = draw(st.booleans()) if is_cross is None else is_cross
    maintenance = -(-abs(cost) // 200)
    margin = maintenance if cross else draw(st.integers(maintenance + 1, 2 * abs(cost) + maintenance + 1))
    return Position(
        key=PositionKey(account=1, symbol=instrument.symbol),
        quantity=quantity,
        currency="XBt",
        entry_price=entry,
        is_cross=cross,
        cost_sat=cost,
        unrealised_cost_sat=cost,
        margin_sat=margin,
        maintenance_sat=maintenance,
        locked_sat=maintenance,
    )


def a_margin(wallet: int, maintenance: int, initial: int = 0) -> Margin:
    """A margin row of one cross account at entry."""
    return Margin(
        account=1,
        currency="XBt",
        wallet_balance_sat=wallet,
        margin_balance_sat=wallet,
        available_sat=wallet - maintenance - initial,
        initial_margin_sat=initial,
        maintenance_margin_sat=maintenance,
    )


@given(price=PRICES, tick=TICKS, side=SIDES)
def test_ticks_bracket_every_price(price: Decimal, tick: Decimal, side: Side) -> None:
    """P3: rounding moves less than a tick, and toward the mark it never moves a trigger away from it."""
    down, up = tick_down(price, tick), tick_up(price, tick)
    assert down <= price <= up
    assert up - down in {0, tick}
    assert down % tick == up % tick == 0
    assert 0 <= side.sign * (tick_toward_mark(price, tick, side) - price) < tick


@given(instrument=instruments(), low=PRICES, high=PRICES)
def test_value_is_monotonic(instrument: Instrument, low: Decimal, high: Decimal) -> None:
    """One lot is worth less at a higher price if inverse, more otherwise; within half a unit of the exact worth."""
    low, high = sorted((low, high))
    difference = value_per_lot(instrument, high) - value_per_lot(instrument, low)
    assert difference <= 0 if instrument.kind is ContractKind.INVERSE else difference >= 0
    scale = Fraction(abs(instrument.multiplier) * instrument.lot_size)
    exact = scale / Fraction(low) if instrument.kind is ContractKind.INVERSE else scale * Fraction(low)
    assert abs(value_per_lot(instrument, low) - exact) <= Fraction(1, 2)


@given(st.data())
def test_a_boundary_is_rounded_against_the_holder(data: st.DataObject) -> None:
    """The exact price of a worth is never nearer to the mark than the boundary shown, and the loss there is smaller."""
    instrument = data.draw(instruments())
    position = data.draw(positions(instrument))
    value = data.draw(st.integers(1, 3 * abs(position.cost_sat)))
    side = Side.LONG if position.quantity > 0 else Side.SHORT
    price = boundary_price(instrument, side, abs(position.quantity), value)
    if price is None:
        assert instrument.kind is ContractKind.INVERSE
        return
    lots = Fraction(abs(position.quantity) * abs(instrument.multiplier))
    exact = lots / value if instrument.kind is ContractKind.INVERSE else Fraction(value) / lots
    assert side.sign * (Fraction(price) - exact) >= 0
    assume(price > 0)
    # One unit a lot is what rounding to a whole number may hide on top of the tick.
    beyond = boundary_price(instrument, side, abs(position.quantity), value + per_lot_unit(position, instrument, side))
    assert beyond is None or side.sign * (price - beyond) >= 0


def per_lot_unit(position: Position, instrument: Instrument, side: Side) -> int:
    """One minor unit for each lot, in the direction in which the holder has lost more."""
    losing = side.sign if instrument.kind is ContractKind.INVERSE else -side.sign
    return losing * abs(position.quantity) // instrument.lot_size


@given(st.data())
def test_at_our_price_the_equity_covers_maintenance_and_two_ticks_beyond_it_does_not(data: st.DataObject) -> None:
    """P2: the holder still has the maintenance at the price shown, within the rounding of a lot; beyond it no more."""
    instrument = data.draw(instruments())
    position = data.draw(positions(instrument))
    spare = data.draw(st.integers(1, 2 * abs(position.cost_sat)))
    margin = a_margin(spare + position.maintenance_sat, position.maintenance_sat)
    own = own_price(position, instrument, margin)
    side = position.side
    assume(own.price is not None and side is not None and instrument.tick_size < own.price < instrument.max_price)
    assert own.price is not None
    assert side is not None
    spare = spare if position.is_cross else position.margin_sat - position.maintenance_sat
    lots = abs(position.quantity) // instrument.lot_size
    assert equity(position, instrument, own.price, spare) >= -lots
    safer = own.price + side.sign * instrument.tick_size
    assert equity(position, instrument, safer, spare) >= -lots
    step = instrument.tick_size + price_of_a_unit(instrument, own.price)
    beyond = own.price - side.sign * 2 * step
    if beyond > 0:
        assert equity(position, instrument, beyond, spare) <= lots


def equity(position: Position, instrument: Instrument, price: Decimal, spare: int) -> int:
    """What is left above the maintenance at a price."""
    return spare + unrealised_pnl_sat(instrument, position.quantity, price, position.unrealised_cost_sat)


def price_of_a_unit(instrument: Instrument, price: Decimal) -> Decimal:
    """By how much the price moves for one minor unit of worth per lot, generously."""
    scale = abs(instrument.multiplier) * instrument.lot_size
    return 2 * price * price / scale if instrument.kind is ContractKind.INVERSE else Decimal(2) / scale


@given(st.data())
def test_more_balance_never_brings_liquidation_nearer(data: st.DataObject) -> None:
    """Monotonic in the money behind the position; bankruptcy is never nearer than liquidation."""
    instrument = data.draw(instruments())
    position = data.draw(positions(instrument, is_cross=True))
    wallets = st.integers(-3 * abs(position.cost_sat), 3 * abs(position.cost_sat))
    poor, rich = sorted((data.draw(wallets), data.draw(wallets)))
    nearer, farther = (
        own_price(position, instrument, a_margin(wallet, position.maintenance_sat)).price for wallet in (poor, rich)
    )
    sign = 1 if position.quantity > 0 else -1
    assert distance_end(nearer, sign) >= distance_end(farther, sign)
    bankrupt = own_bankruptcy_price(position, instrument, a_margin(poor, position.maintenance_sat))
    assert distance_end(nearer, sign) >= distance_end(bankrupt, sign)


def distance_end(price: Decimal | None, sign: int) -> Decimal:
    """The price with the side's sign, so that greater is nearer to the mark; never liquidated is the farthest."""
    return Decimal("-Infinity") if price is None else sign * price


@given(st.data())
def test_the_price_assessed_is_the_nearer_one_and_never_invented(data: st.DataObject) -> None:
    """P12: never raises; a price exists if and only if the state says so, and it is the venue's or ours."""
    instrument = data.draw(instruments())
    position = data.draw(positions(instrument))
    odd = st.one_of(st.none(), PRICES, st.sampled_from([Decimal(x) for x in ("0", "NaN", "-1", "Infinity", "1E+8")]))
    position = replace(position, liquidation_price=data.draw(odd))
    margin = data.draw(st.none() | st.builds(a_margin, st.integers(-(10**12), 10**12), st.integers(0, 10**9)))
    mark = data.draw(odd)
    found = assess(position, instrument, margin, mark)
    assert (found.liquidation_price is None) is (found.state is not LiquidationState.IN_RANGE)
    if found.liquidation_price is not None:
        assert found.liquidation_price in {position.liquidation_price, found.own.price}
        if mark is not None and mark.is_finite() and mark > 0 and position.side is not None:
            room = room_percent(position.side, mark, found.liquidation_price)
            shown = [p for p in (found.venue.price, found.own.price) if p is not None]
            rooms = [room_percent(position.side, mark, price) for price in shown]
            assert room == min((r for r in rooms if r >= 0), default=room)


def tick_cost(position: Position, instrument: Instrument, price: Decimal) -> Fraction:
    """What one tick is worth to a position around a price."""
    amount = Fraction(abs(position.quantity * instrument.multiplier)) * Fraction(instrument.tick_size)
    return amount / Fraction(price) ** 2 if instrument.kind is ContractKind.INVERSE else amount


@settings(derandomize=True)
@given(st.data())
def test_no_account_fails_before_the_common_move(data: st.DataObject) -> None:
    """P2: at the move found, worked out exactly, the account lives; a little beyond it, rounding aside, it does not."""
    contracts = [replace(data.draw(instruments()), symbol=symbol) for symbol in ("A", "B", "C")]
    held = [data.draw(positions(contract, is_cross=True)) for contract in contracts]
    marks = {contract.symbol: data.draw(PRICES) for contract in contracts}
    by_symbol = {contract.symbol: contract for contract in contracts}
    wallet = data.draw(st.integers(0, 4 * sum(abs(p.cost_sat) for p in held)))
    found = account_failure_move(held, by_symbol, a_margin(wallet, 0), marks)

    def spare(move: Decimal) -> int:
        at = {symbol: mark * (1 + move) for symbol, mark in marks.items()}
        pnl = sum(unrealised_pnl_sat(by_symbol[p.key.symbol], p.quantity, at[p.key.symbol], p.cost_sat) for p in held)
        return wallet + pnl - sum(p.maintenance_sat for p in held)

    def slack(move: Decimal) -> Fraction:
        """What rounding may hide: of lots, of each mark by half a tick, and of one price by a tick of the dearest.

        Ticks cost most at the lowest marks: here on the way up, at the end of the last stretch on the way down.
        """
        lowest = Decimal(1) if move > 0 else 1 + move - Decimal(1) / 128
        ticks = [tick_cost(p, by_symbol[p.key.symbol], marks[p.key.symbol] * lowest) for p in held]
        return (
            3 * sum(abs(p.quantity) // by_symbol[p.key.symbol].lot_size + 4 for p in held) + max(ticks) + sum(ticks) / 2
        )

    if found.down == found.up == 0:
        assert spare(Decimal(0)) <= slack(Decimal(0))
        return
    assert spare(Decimal(0)) > 0
    share = data.draw(st.decimals(min_value=0, max_value=1, places=3))
    for move, sign in ((found.down, -1), (found.up, 1)):
        if move is None:
            farthest = Decimal("-0.9") if sign < 0 else Decimal(50)
            assert spare(farthest * share) > 0
            continue
        assert sign * move >= 0
        assert spare(move) > 0
        assert spare(move * share) > 0
        if all(c.tick_size * 1000 < marks[c.symbol] * (1 + move - Decimal(1) / 128) for c in contracts):
            assert spare(move + sign * Decimal("1E-12")) <= slack(move) * Fraction(11, 10)


@given(st.data())
def test_a_common_move_price_is_never_beyond_the_move(data: st.DataObject) -> None:
    """Rounded toward the mark: a stop nearer than it is nearer than the failure of the account."""
    instrument = data.draw(instruments())
    position = data.draw(positions(instrument, is_cross=True))
    wallet = data.draw(st.integers(position.maintenance_sat, 2 * abs(position.cost_sat)))
    assert position.entry_price is not None
    marks = {instrument.symbol: position.entry_price}
    found = account_failure_move([position], {instrument.symbol: instrument}, a_margin(wallet, 0), marks)
    price = common_move_price(position, instrument, position.entry_price, found)
    alone = own_price(position, instrument, a_margin(wallet, position.maintenance_sat))
    if price is None or alone.price is None:
        return
    sign = 1 if position.quantity > 0 else -1
    # With one position the two questions are the same; only the cautious rounding differs.
    lots = abs(position.quantity) // instrument.lot_size
    spare = wallet - position.maintenance_sat
    assert equity(position, instrument, price, spare) >= -lots
    assert sign * (price - position.entry_price) < instrument.tick_size
