"""How near to liquidation a stop may stand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.vocabulary import Side
from daemon.core.market.floor import decision_marks, floor_of, kept
from daemon.core.memory.surroundings import SpreadSample
from daemon.core.protecting.wanted import work_out
from daemon.core.state import Guarded, GuardState, Liquidation
from daemon.core.volatility import Volatility
from tests.builders import START_NS, a_position
from tests.unit.daemon.core.protecting.test_wanted import a_guarded, a_view, within

D = Decimal


def wild(guarded: Guarded, *, jump: str, spread: str | None = None) -> GuardState:
    """A market whose mark jumped by this share (a log return) a moment ago."""
    seen = Volatility(price=D(1000), at_ns=START_NS, samples=30, largest=D(jump))
    samples = (SpreadSample(bid=D(999), ask=None if spread is None else 999 + D(spread), at_ns=START_NS),)
    return replace(a_view(guarded), volatility={"XBTUSDT": seen}, spreads={"XBTUSDT": samples})


def at(view: GuardState, mark: Decimal) -> GuardState:
    """The same market with another mark."""
    return replace(view, marks={"XBTUSDT": replace(view.marks["XBTUSDT"], price=mark)})


@pytest.mark.parametrize(("quantity", "price"), [(100, "901.35"), (-100, "1098.35")])
def test_the_setting_is_the_least(quantity: int, price: str) -> None:
    """0.15 % of the liquidation price while nothing is known of the market."""
    guarded = a_guarded(quantity)
    floor = floor_of(a_view(guarded), guarded)
    assert floor is not None
    assert floor.price == D(price)


def test_spread_slippage_and_one_jump_count_where_they_are_more() -> None:
    """A jump of about 1 % (10.05...), 0.1 % slippage, a spread of 2: some 12 points before 900."""
    guarded = a_guarded()
    floor = floor_of(wild(guarded, jump="0.01", spread="2"), guarded)
    assert floor is not None
    assert D("11.8") < floor.distance < D("12.1")
    assert floor.distance == floor.needed
    calm = floor_of(wild(guarded, jump="0.0001"), guarded)
    assert calm is not None
    assert calm.distance == D("1.35")


def test_what_was_seen_takes_at_most_half_of_the_way_from_the_entry() -> None:
    """Leverage 100 after a jump of a percent: a stop nearer than that is better than closing at once."""
    guarded = a_guarded(liquidation=within("995"))
    floor = floor_of(wild(guarded, jump="0.01"), guarded)
    assert floor is not None
    assert floor.distance == D("2.5")
    assert floor.needed > D(10)


@pytest.mark.parametrize(("quantity", "line", "entry", "mark"), [(100, 900, 1080, 950), (-100, 1100, 920, 1050)])
def test_a_jump_never_moves_the_floor_past_the_mark(quantity: int, line: int, entry: int, mark: int) -> None:
    """A jump of 12 % past the middle of the room: half of what is left is kept, and nothing is closed for it."""
    guarded = a_guarded(quantity, liquidation=within(str(line)))
    guarded = replace(guarded, position=replace(guarded.position, entry_price=D(entry)))
    floor = floor_of(at(wild(guarded, jump="0.12"), D(mark)), guarded)
    assert floor is not None
    assert D("0.45") * abs(mark - line) < floor.distance <= D("0.5") * abs(mark - line)
    assert floor.needed > abs(mark - line)


def test_without_liquidation_there_is_no_floor() -> None:
    """Unknown, or not in range."""
    guarded = a_guarded(liquidation=Liquidation())
    assert floor_of(a_view(guarded), guarded) is None
    assert kept(Side.LONG, D(5), None) == D(5)


def test_a_trigger_is_moved_up_to_the_floor_never_down() -> None:
    """Toward the mark only."""
    guarded = a_guarded()
    floor = floor_of(a_view(guarded), guarded)
    assert kept(Side.LONG, D(900), floor) == D("901.35")
    assert kept(Side.LONG, D(950), floor) == D(950)
    assert a_position().side is Side.LONG


@pytest.mark.parametrize(("quantity", "line", "entry", "mark"), [(100, 900, 1080, 950), (-100, 1100, 920, 1050)])
def test_the_floor_stands_still_between_its_decision_marks(quantity: int, line: int, entry: int, mark: int) -> None:
    """The core has to hear of a mark that moves the floor, and of no other (P10)."""
    guarded = a_guarded(quantity, liquidation=within(str(line)))
    guarded = replace(guarded, position=replace(guarded.position, entry_price=D(entry)))

    def view(price: Decimal) -> GuardState:
        return at(wild(guarded, jump="0.12"), price)

    low, high = sorted(decision_marks(view(D(mark)), guarded))
    assert low <= mark <= high
    assert high - low == D(line) / 1000
    inside = [floor_of(view(price), guarded) for price in (low + D("0.01"), high - D("0.01"))]
    assert inside[0] == inside[1]
    assert floor_of(view(low - D("0.01")), guarded) != inside[0] != floor_of(view(high + D("0.01")), guarded)


def test_a_calm_market_has_no_decision_marks() -> None:
    """The setting is the floor: no mark moves it."""
    guarded = a_guarded()
    assert list(decision_marks(wild(guarded, jump="0.0001"), guarded)) == []


def test_where_the_way_from_the_mark_begins_to_count_is_a_decision_mark() -> None:
    """Far from liquidation one jump fits; nearer than twice of it the way counts."""
    guarded = a_guarded()
    state = wild(guarded, jump="0.01")
    floor = floor_of(state, guarded)
    assert floor is not None
    assert list(decision_marks(state, guarded)) == [900 + 2 * floor.needed]


@pytest.mark.parametrize(("quantity", "line"), [(100, "950"), (-100, "1050")])
def test_a_rules_trigger_goes_to_the_floor_where_the_market_jumps(quantity: int, line: str) -> None:
    """P2: one jump would carry the mark over the buffer: the stop asked for stands at the floor, or toward the mark."""
    guarded = a_guarded(quantity, liquidation=within(line))
    sign, calm, wild_view = (1 if quantity > 0 else -1), a_view(guarded), wild(guarded, jump="0.022")
    floor, before, wanted = floor_of(wild_view, guarded), work_out(calm, guarded), work_out(wild_view, guarded)
    assert floor is not None
    assert before.trigger is not None
    assert wanted.trigger is not None
    assert sign * (before.trigger - floor.price) < 0, "the buffer alone is nearer to liquidation"
    assert sign * (wanted.trigger - floor.price) >= 0
