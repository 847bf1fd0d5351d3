"""The common move of all marks at which a cross account fails."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.vocabulary import ContractKind, Instrument, Margin, Position, PositionKey
from daemon.core.margin.account_failure import (
    FailureMove,
    FailureMoves,
    account_failure_move,
    account_failure_moves,
    common_move_price,
)
from daemon.core.margin.own_liquidation import NotComputable, consistent_margin, own_price
from tests.unit.daemon.core.margin_builders import a_margin, a_position, an_instrument

D = Decimal
XBTUSD = an_instrument()
XBTM26 = an_instrument(symbol="XBTM26", tick_size=D("0.5"))
ETHUSD = an_instrument(ContractKind.QUANTO)
ETHUSDT = an_instrument(ContractKind.LINEAR)
INSTRUMENTS = {i.symbol: i for i in (XBTUSD, XBTM26, ETHUSD, ETHUSDT)}
MARKS = {"XBTUSD": D(50_000), "XBTM26": D(50_000), "ETHUSD": D(2000), "ETHUSDT": D(2000)}
NEAR = D("0.00002")


def cross(instrument: Instrument, quantity: int, maintenance: int, **changes: Any) -> Position:
    """A cross position entered at the present mark."""
    return a_position(
        instrument,
        quantity,
        **{
            "is_cross": True,
            "entry_price": MARKS[instrument.symbol],
            "maintenance_sat": maintenance,
            "margin_sat": maintenance,
            "locked_sat": maintenance,
            **changes,
        },
    )


def failure(*positions: Position, wallet: int = 20_000_000, marks: Any = MARKS, **changes: Any) -> FailureMove:
    """The moves for an XBt account."""
    return account_failure_move(positions, INSTRUMENTS, a_margin(wallet), marks, **changes)


def test_one_inverse_long() -> None:
    """2 XBT of cost, 0.19 to lose: the mark may fall to 1/1.095 of itself, and no rise hurts."""
    found = failure(cross(XBTUSD, 100_000, 1_000_000))
    assert found.down == pytest.approx(1 / D("1.095") - 1, abs=NEAR)
    assert found.up is None


def test_one_inverse_short() -> None:
    """The mirror: a rise to 1/0.905."""
    found = failure(cross(XBTUSD, -100_000, 1_000_000))
    assert found.up == pytest.approx(1 / D("0.905") - 1, abs=NEAR)
    assert found.down is None


@pytest.mark.parametrize("quantity", [4000, -4000])
def test_one_linear_position(quantity: int) -> None:
    """80 USDT of cost, 19 to lose: 23.75 percent, down for a long and up for a short."""
    margin = a_margin(20_000_000, currency="USDt")
    found = account_failure_move([cross(ETHUSDT, quantity, 1_000_000)], INSTRUMENTS, margin, MARKS)
    move = found.down if quantity > 0 else found.up
    assert move is not None
    assert abs(move) == pytest.approx(D("0.2375"), abs=NEAR)
    assert None in {found.down, found.up}


def test_two_correlated_longs_fail_before_either_price_alone() -> None:
    """P2: each liquidation price holds the other mark still; moving together the account fails much earlier."""
    longs = [cross(XBTUSD, 100_000, 1_000_000), cross(ETHUSD, 1000, 1_000_000)]
    margin = consistent_margin(a_margin(20_000_000), longs)
    alone = own_price(longs[0], XBTUSD, margin).price
    together = common_move_price(longs[0], XBTUSD, MARKS["XBTUSD"], failure(*longs))
    assert alone is not None
    assert together is not None
    assert together > alone + 1000


def test_a_hedge_only_fails_when_one_leg_moves_alone() -> None:
    """Long perpetual, short future of the same index: together harmless; one leg alone is asked for by `moving`."""
    legs = cross(XBTUSD, 100_000, 1_000_000), cross(XBTM26, -100_000, 1_000_000)
    assert failure(*legs) == FailureMove()
    alone = failure(*legs, moving={"XBTUSD"})
    assert alone.down == pytest.approx(1 / D("1.09") - 1, abs=NEAR)
    assert alone.up is None


def test_a_short_squeezed_between_two_curves_fails_both_ways() -> None:
    """An inverse long against a linear short of the same worth: convex, so large moves either way kill it."""
    linear = replace(ETHUSD, symbol="XBTQ", multiplier=100)
    marks = {**MARKS, "XBTQ": D(50_000)}
    short = a_position(linear, -40, is_cross=True, entry_price=D(50_000), maintenance_sat=1_000_000)
    long = cross(XBTUSD, 100_000, 1_000_000)
    found = account_failure_move([long, short], {**INSTRUMENTS, "XBTQ": linear}, a_margin(20_000_000), marks)
    assert found.down is not None
    assert found.up is not None
    assert -1 < found.down < 0 < found.up


def test_a_dip_between_two_safe_ends_is_found() -> None:
    """An inverse short against a linear long fails only for moves of a middle size: the near edge counts."""
    linear = replace(ETHUSD, symbol="XBTQ", multiplier=100)
    marks = {**MARKS, "XBTQ": D(50_000)}
    # Worth 2 XBT short inverse and 0.5 XBT long linear: together lowest where y is two.
    long = a_position(linear, 10, is_cross=True, entry_price=D(50_000), maintenance_sat=1_000_000)
    short = cross(XBTUSD, -100_000, 1_000_000)
    found = account_failure_move([long, short], {**INSTRUMENTS, "XBTQ": linear}, a_margin(51_500_000), marks)
    # The account's spare money is 2/y + 0.5y - 2.5 + 0.495: a hair below zero around y = 2.
    assert found.up == pytest.approx(D("0.8634"), abs=D("0.0002"))
    assert found.down is None


def test_isolated_margin_does_not_back_the_account() -> None:
    """Margin assigned to an isolated position is taken off the wallet, and its profit does not count."""
    isolated = a_position(XBTM26, 100_000, cost_sat=-1, margin_sat=10_000_000, unrealised_pnl_sat=10**12)
    found = failure(cross(XBTUSD, 100_000, 1_000_000), isolated, wallet=30_000_000)
    assert found.down == pytest.approx(1 / D("1.095") - 1, abs=NEAR)


def test_an_account_that_already_fails_has_no_move_left() -> None:
    """The wallet is below the maintenance: zero both ways, and the price is the mark itself."""
    position = cross(XBTUSD, 100_000, 1_000_000)
    found = failure(position, wallet=900_000)
    assert (found.down, found.up) == (D(0), D(0))
    assert common_move_price(position, XBTUSD, D(50_000), found) == D(50_000)


def test_nothing_open_cannot_fail() -> None:
    """Flat rows, other currencies and other accounts take no part."""
    rows = a_position(XBTUSD, 0), cross(ETHUSDT, 4000, 10**12), cross(XBTUSD, 100, 10**12, account=2)
    assert failure(*rows) == FailureMove()


@pytest.mark.parametrize(
    ("position", "margin", "marks", "reason"),
    [
        (cross(XBTUSD, 100, 1), a_margin(1, is_multi_asset=True), MARKS, NotComputable.MULTI_ASSET),
        (cross(XBTUSD, 100, 1), a_margin(1), {}, NotComputable.NO_MARK),
        (cross(XBTUSD, 100, 1), a_margin(1), {"XBTUSD": D("NaN")}, NotComputable.NO_MARK),
        (cross(XBTUSD, 100, 1, entry_price=None), a_margin(1), MARKS, NotComputable.MISSING_FIELDS),
        (cross(XBTUSD, 100, 1, fee_reserve_sat=1), a_margin(1), MARKS, NotComputable.LEGACY_ENGINE),
        (cross(XBTUSD, 100, 0, is_cross=False), a_margin(1), MARKS, NotComputable.MISSING_FIELDS),
        (
            replace(cross(XBTUSD, 100, 1), key=PositionKey(account=1, symbol="XBTUSD", strategy="Short")),
            a_margin(1),
            MARKS,
            NotComputable.HEDGE_MODE,
        ),
        (
            replace(cross(XBTUSD, 100, 1), key=PositionKey(account=1, symbol="NEWUSD")),
            a_margin(1),
            MARKS,
            NotComputable.UNUSABLE_CONTRACT,
        ),
    ],
)
def test_what_cannot_be_computed_says_why(
    position: Position, margin: Margin, marks: dict[str, Decimal], reason: NotComputable
) -> None:
    """P12: each obstacle has its name; nothing is raised."""
    assert account_failure_move([position], INSTRUMENTS, margin, marks) == FailureMove(reason=reason)


@pytest.mark.parametrize(
    ("quantity", "failing", "price"),
    [
        (100, FailureMove(down=D("-0.0000013")), "50000.0"),  # 49999.935 toward the mark
        (-100, FailureMove(up=D("0.0000013")), "50000.0"),
        (100, FailureMove(down=D("-0.1")), "45000"),
        (100, FailureMove(up=D("0.1")), None),
        (-100, FailureMove(down=D("-0.1")), None),
        (-100, FailureMove(up=D(30)), None),  # above the highest price
        (100, FailureMove(down=D("-0.999999")), None),  # below the lowest
        (0, FailureMove(down=D("-0.1"), up=D("0.1")), None),
        (100, FailureMove(reason=NotComputable.NO_MARK), None),
    ],
)
def test_a_move_as_a_price(quantity: int, failing: FailureMove, price: str | None) -> None:
    """The move that hurts the position, on the tick toward the mark; None where no price in range."""
    position = a_position(XBTUSD, quantity)
    assert common_move_price(position, XBTUSD, D(50_000), failing) == (None if price is None else D(price))


LONG_XBT, MORE_XBT = cross(XBTUSD, 100_000, 1_000_000), cross(XBTM26, 50_000, 500_000)
SHORT_ETH = cross(ETHUSD, -1500, 1_500_000)
BY_INDEX = {
    i.symbol: replace(i, reference_symbol=".BXBT" if i.symbol.startswith("XBT") else ".BETH")
    for i in INSTRUMENTS.values()
}


def moves(*positions: Position, instruments: Any = BY_INDEX, marks: Any = MARKS) -> FailureMoves:
    """All the moves of an XBt account whose contracts name their index."""
    return account_failure_moves(positions, instruments, a_margin(20_000_000), marks)


def test_an_underlying_that_moves_alone_fails_where_the_common_move_hedges() -> None:
    """P2: two XBT longs against an ETH short of the same worth: together nearly harmless, XBT alone is not."""
    found = moves(LONG_XBT, MORE_XBT, SHORT_ETH)
    alone = found.groups[".BXBT"].down
    assert set(found.groups) == {".BXBT"}
    assert alone is not None
    assert (
        alone
        == account_failure_move(
            [LONG_XBT, MORE_XBT, SHORT_ETH], BY_INDEX, a_margin(20_000_000), MARKS, moving={"XBTUSD", "XBTM26"}
        ).down
    )
    assert found.whole.down is None or found.whole.down < 2 * alone


@pytest.mark.parametrize(
    ("positions", "instruments"),
    [
        ((LONG_XBT, MORE_XBT), BY_INDEX),
        ((LONG_XBT, SHORT_ETH), BY_INDEX),
        ((LONG_XBT, MORE_XBT, SHORT_ETH), {s: replace(i, reference_symbol="") for s, i in INSTRUMENTS.items()}),
    ],
    ids=["one underlying is the whole", "one position each", "indices not known"],
)
def test_where_a_group_tells_nothing_new_there_is_none(positions: Any, instruments: Any) -> None:
    """The whole says it, the single liquidation price says it, or nobody knows which contracts belong together."""
    found = moves(*positions, instruments=instruments)
    assert found.groups == {}
    assert found.whole == account_failure_move(positions, instruments, a_margin(20_000_000), MARKS)


def test_an_obstacle_holds_for_the_groups_too() -> None:
    """P12: one mark is missing: no move of any kind is claimed."""
    found = moves(LONG_XBT, MORE_XBT, SHORT_ETH, marks={"XBTUSD": D(50_000), "XBTM26": D(50_000)})
    assert found == FailureMoves(whole=FailureMove(reason=NotComputable.NO_MARK), groups={})
