"""Where positions are liquidated: venue's price, ours, and the account's common failure, kept up to date."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.vocabulary import Position
from daemon.core import events as e
from daemon.core.commands import AmendStop, PlaceStop, ReduceAtMarket
from daemon.core.degraded import Degraded
from daemon.core.draft import Draft
from daemon.core.margin.account_failure import account_failure_move, common_move_price
from daemon.core.margin.own_liquidation import own_price
from daemon.core.market import room
from daemon.core.market.room import COMMON_EVERY_NS
from daemon.core.state import Standing
from tests.builders import SECOND, a_margin, a_position, an_instrument
from tests.driven import MS, Driven

D = Decimal


def a_cross(quantity: int = 100, symbol: str = "XBTUSDT", **changes: Any) -> Position:
    """A cross position from 1000 with its cost and maintenance; the venue's price is far away."""
    cost = 1_000 * quantity
    base = {
        "is_cross": True,
        "liquidation_price": D(805 if quantity > 0 else 1195),
        "cost_sat": cost,
        "unrealised_cost_sat": cost,
        "margin_sat": 500,
        "maintenance_sat": 500,
        "locked_sat": 500,
    }
    return a_position(quantity, symbol, **(base | changes))


def connected(*symbols: str, references: dict[str, str] | None = None, wallet: int = 20_000) -> Driven:
    """A started guard that knows these contracts at 1000 and a small balance."""
    guard = Driven()
    guard.start()
    names = references or {}
    guard.connect(
        instruments=[an_instrument(s, **({"reference_symbol": names[s]} if s in names else {})) for s in symbols]
    )
    guard.give(e.MarginSeen(at_ns=guard.now, margin=a_margin(wallet_balance_sat=wallet, margin_balance_sat=wallet)))
    return guard


# ---------------------------------------------------------------------- one position


def test_the_venues_price_stands_where_we_have_no_figure() -> None:
    """No cost in the row: ours abstains, and both are shown."""
    guard = Driven().up([a_position()])
    found = guard.guarded().liquidation
    assert (found.standing, found.price, found.disagrees) == (Standing.IN_RANGE, D(900), False)
    assert found.text == "venue 900, ours none"


def test_without_the_contract_nothing_is_known_and_its_coming_mends_that() -> None:
    """P12: the row came first: unknown; the contract's figures bring the stop in the same step."""
    guard = Driven().up()
    guard.give(e.MarkSeen(at_ns=guard.now, symbol="NEWUSDT", price=D(1000)))
    guard.position(a_position(symbol="NEWUSDT"))
    assert guard.guarded("NEWUSDT").liquidation.standing is Standing.UNKNOWN
    guard.wait(3 * SECOND)
    assert guard.alerts(Degraded.LIQUIDATION_UNKNOWN.value)
    commands = guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=an_instrument("NEWUSDT")))
    assert guard.guarded("NEWUSDT").liquidation.price == 900
    assert guard.only(PlaceStop, commands).stop_price == 918


def test_a_price_that_the_mark_has_passed_is_better_than_none() -> None:
    """Liquidation may be under way: the stated price is used all the same."""
    guard = Driven().up()
    guard.position(a_position())
    guard.rest()
    guard.mark(899)
    guard.position(a_position(liquidation_price=D(901)))
    assert guard.guarded().liquidation.price == 901


@pytest.mark.parametrize("price", [D("NaN"), D(0), D(-1), D("Infinity"), D(1_000_000), None])
def test_nonsense_is_no_price(price: Decimal | None) -> None:
    """P12: whatever the row holds, nothing is raised and nothing is invented."""
    guard = Driven().up()
    guard.position(a_position(liquidation_price=price))
    assert guard.guarded().liquidation.price is None
    assert guard.guarded().liquidation.standing is Standing.UNKNOWN


@pytest.mark.parametrize(("quantity", "venue"), [(100, "950"), (100, "850"), (-100, "1050"), (-100, "1150")])
def test_a_difference_is_said_whichever_is_the_nearer(quantity: int, venue: str) -> None:
    """P12: the nearer counts, and a difference beyond tolerance is a named state with an alert, either way round."""
    guard = Driven().up()
    row = a_cross(quantity, is_cross=False, liquidation_price=D(venue), margin_sat=10_000)
    guard.position(row)
    found = guard.guarded().liquidation
    assert found.disagrees
    assert found.price is not None
    nearest = max if quantity > 0 else min
    assert found.price == nearest(found.price, D(venue))
    guard.wait(3 * SECOND)
    assert guard.alerts(Degraded.LIQUIDATION_DISAGREES.value)


def test_the_beginning_of_a_disagreement_is_kept_while_it_lasts() -> None:
    """P12: figures that keep changing and keep differing do not start the patience anew."""
    guard = Driven().up()
    row = a_cross(is_cross=False, liquidation_price=D(950), margin_sat=10_000)
    guard.position(row)
    since_ns = guard.guarded().disagrees_ns
    guard.now += SECOND
    guard.position(replace(row, liquidation_price=D(951)))
    assert guard.guarded().disagrees_ns == since_ns > 0
    ours = own_price(row, an_instrument(), None).price
    guard.position(replace(row, liquidation_price=ours))
    assert guard.guarded().disagrees_ns == 0


# ---------------------------------------------------------------------- a figure that one source alone names


def a_lonely_row(**changes: Any) -> Position:
    """An isolated long whose figure of ours is about 905; what the venue says is given."""
    return a_cross(is_cross=False, margin_sat=10_000, **changes)


def test_one_lying_read_closes_nothing_and_loosens_nothing() -> None:
    """A REST row with a price right below the mark, far from ours and the stream's: the stop stays, nothing is sold."""
    ours = own_price(a_lonely_row(), an_instrument(), None).price
    assert ours is not None
    true_row = a_lonely_row(liquidation_price=ours)
    guard = Driven().up()
    guard.mark(970)
    guard.position(true_row)
    guard.rest()
    stop = guard.guarded().ratchet
    guard.wait(31 * SECOND)
    guard.mark(970)
    guard.picture([a_lonely_row(liquidation_price=D(965))])
    found = guard.guarded().liquidation
    assert (found.price, found.alone, found.disagrees) == (ours, D(965), True)
    guard.wait(3 * SECOND)
    assert not [c for c in guard.all if isinstance(c, ReduceAtMarket)]
    assert guard.guarded().ratchet == stop
    assert guard.alerts(Degraded.LIQUIDATION_DISAGREES.value)
    assert "nobody else says 965" in guard.alerts(Degraded.LIQUIDATION_DISAGREES.value)[0].text


def test_a_lone_figure_with_room_moves_the_stop() -> None:
    """The nearer one counts for the stop, whoever says so: nothing is closed by it."""
    guard = Driven().up()
    guard.position(a_lonely_row(liquidation_price=D(950)))
    found = guard.guarded().liquidation
    assert (found.price, found.is_sure) == (D(950), False)
    assert guard.guarded().ruled == 969


def test_a_near_price_that_the_other_channel_repeats_is_acted_on() -> None:
    """The stream says that liquidation is right below the mark; a read asked for then says so too: reduce."""
    guard = Driven().up()
    guard.mark(970)
    guard.position(a_lonely_row(liquidation_price=D(965)))
    guard.wait(4 * SECOND)
    assert not [c for c in guard.all if isinstance(c, ReduceAtMarket)]
    guard.mark(970)
    guard.picture([a_lonely_row(liquidation_price=D(965))])
    assert guard.guarded().liquidation.is_sure
    guard.wait(300 * MS)
    guard.picture([a_lonely_row(liquidation_price=D(965))])
    assert [c for c in guard.all if isinstance(c, ReduceAtMarket)]


def test_a_lone_figure_without_any_of_ours_waits_for_its_second_word() -> None:
    """No cost in the row, so ours abstains: a first row right at the mark closes nothing unless a read bears it out."""
    guard = Driven().up()
    guard.mark(970)
    guard.position(a_position(liquidation_price=D(965)))
    assert not [c for c in guard.all if isinstance(c, ReduceAtMarket)]
    guard.mark(970)
    guard.picture([a_position(liquidation_price=D(900))])
    guard.wait(SECOND)
    assert not [c for c in guard.all if isinstance(c, ReduceAtMarket)]


@pytest.mark.parametrize(
    ("quantity", "after_s", "is_asked"), [(100, 10, True), (100, 25, False), (0, 10, False)], ids=["new", "old", "flat"]
)
def test_a_second_word_is_not_asked_for_without_end(quantity: int, after_s: int, is_asked: bool) -> None:
    """P8: what no read bears out for long is left to the slow cycle, and of a flat position nothing is asked."""
    guard = Driven().up()
    guard.position(a_lonely_row())
    draft = Draft(guard.state, guard.now + after_s * SECOND)
    doubted = replace(draft.positions["XBTUSDT"].liquidation, alone=D(850), disagrees=True)
    position = replace(draft.positions["XBTUSDT"].position, quantity=quantity)
    draft.change("XBTUSDT", liquidation=doubted, disagrees_ns=guard.now, position=position)
    room.seek_second_word(draft, "XBTUSDT")
    assert (draft.pictures.wanted_ns > guard.state.pictures.wanted_ns) is is_asked


CELLS = [
    # What the venue shows, whether ours can be worked out, and what comes of it: standing, price, degraded state.
    (D(905), True, (Standing.IN_RANGE, D(905), None)),
    (D(900), False, (Standing.IN_RANGE, D(900), None)),
    (D(850), True, (Standing.IN_RANGE, D(905), Degraded.LIQUIDATION_DISAGREES)),
    (D(950), True, (Standing.IN_RANGE, D(950), Degraded.LIQUIDATION_DISAGREES)),
    *(
        (shown, True, (Standing.IN_RANGE, D(905), Degraded.LIQUIDATION_DISAGREES))
        for shown in (None, D(0), D(-1), D("NaN"), D("Infinity"), D(100_000_000), D(1_000_000), D("0.1"), D(1001))
    ),
    *(
        (shown, False, (Standing.UNKNOWN, None, Degraded.LIQUIDATION_UNKNOWN))
        for shown in (None, D(0), D(-1), D("NaN"), D("Infinity"), D(100_000_000), D(1_000_000), D("0.1"))
    ),
]


@pytest.mark.parametrize(("shown", "is_whole", "result"), CELLS, ids=[f"{c[0]}-{c[1]}" for c in CELLS])
def test_two_opinions_end_to_end(
    shown: Decimal | None, is_whole: bool, result: tuple[Standing, Decimal | None, Degraded | None]
) -> None:
    """P12: every cell of the table through `step`: the nearer counts, and what nobody confirms is never safe."""
    guard = Driven().up()
    row = a_lonely_row(liquidation_price=shown) if is_whole else a_position(liquidation_price=shown)
    guard.position(row)
    found = guard.guarded().liquidation
    standing, price, state = result
    assert (found.standing, found.price) == (standing, price)
    guard.wait(4 * SECOND)
    for name in (Degraded.LIQUIDATION_DISAGREES, Degraded.LIQUIDATION_UNKNOWN):
        assert bool(guard.alerts(name.value)) is (name is state)
        assert (name in guard.guarded().degraded) is (name is state)


@pytest.mark.parametrize("shown", [None, D(0), D("0.1")])
def test_a_confirmed_end_of_the_range_is_no_alarm(shown: Decimal | None) -> None:
    """Margin for the whole cost: both say that nothing in range liquidates it, and nobody is woken."""
    guard = Driven().up()
    guard.position(a_cross(is_cross=False, margin_sat=100_500, liquidation_price=shown))
    assert guard.guarded().liquidation.standing is Standing.NOT_IN_RANGE
    guard.wait(4 * SECOND)
    assert guard.guarded().degraded == ()


# ---------------------------------------------------------------------- the common failure


def test_two_cross_positions_fail_together_and_one_does_not() -> None:
    """P2: the second one draws both nearer; when it goes flat, the first stands alone again."""
    guard = connected("XBTUSDT", "ETHUSDT")
    guard.position(a_cross())
    alone = guard.guarded().liquidation.price
    assert guard.guarded().common_price is None
    guard.position(a_cross(symbol="ETHUSDT"))
    together = guard.guarded().liquidation.price
    assert alone is not None
    assert together is not None
    assert together > alone
    assert "account fails at" in guard.guarded().liquidation.text
    guard.position(a_position(0, "ETHUSDT", is_cross=True))
    assert guard.guarded().common_price is None
    assert guard.guarded().liquidation.price == alone


def test_a_hedge_of_another_underlying_hides_nothing() -> None:
    """P2: two XBT longs against an ETH short: the common move is harmless, XBT alone kills; the stops stand nearer."""
    references = {"XBTUSDT": ".BXBT", "XBTM26": ".BXBT", "ETHUSDT": ".BETH"}
    guard = connected(*references, references=references)
    rows = [a_cross(), a_cross(symbol="XBTM26"), a_cross(-200, "ETHUSDT")]
    for row in rows:
        guard.position(row)
    marks = dict.fromkeys(references, D(1000))
    margin = guard.state.margins["USDt"]
    whole = account_failure_move(rows, guard.state.instruments, margin, marks)
    assert whole.down is None
    xbt = account_failure_move(rows, guard.state.instruments, margin, marks, moving={"XBTUSDT", "XBTM26"})
    price = common_move_price(rows[0], guard.state.instruments["XBTUSDT"], D(1000), xbt)
    assert price is not None
    assert guard.guarded().common_price == guard.guarded("XBTM26").common_price == price
    assert guard.guarded().liquidation.price == price
    assert guard.guarded("ETHUSDT").common_price is None


def test_the_nearer_of_whole_and_underlying_counts() -> None:
    """P2: all long: everything falling is worse than XBT falling alone."""
    references = {"XBTUSDT": ".BXBT", "XBTM26": ".BXBT", "ETHUSDT": ".BETH"}
    guard = connected(*references, references=references)
    rows = [a_cross(), a_cross(symbol="XBTM26"), a_cross(symbol="ETHUSDT")]
    for row in rows:
        guard.position(row)
    marks = dict.fromkeys(references, D(1000))
    whole = account_failure_move(rows, guard.state.instruments, guard.state.margins["USDt"], marks)
    price = common_move_price(rows[0], guard.state.instruments["XBTUSDT"], D(1000), whole)
    assert {guard.guarded(symbol).common_price for symbol in references} == {price}


def test_a_lost_balance_draws_the_stops_nearer() -> None:
    """P2: a margin row alone moves both stops."""
    guard = connected("XBTUSDT", "ETHUSDT")
    guard.wait(3 * SECOND)
    for symbol in ("XBTUSDT", "ETHUSDT"):
        guard.rest(guard.only(PlaceStop, guard.position(a_cross(symbol=symbol))))
    guard.wait(2 * SECOND)
    before = guard.guarded().common_price
    poorer = a_margin(wallet_balance_sat=12_000, margin_balance_sat=12_000, timestamp_ns=guard.now)
    commands = guard.give(e.MarginSeen(at_ns=guard.now, margin=poorer))
    after = guard.guarded().common_price
    assert before is not None
    assert after is not None
    assert after > before
    assert guard.guarded("ETHUSDT").common_price == after
    # The stop of XBTUSDT is being amended already, since the second position appeared.
    assert guard.only(AmendStop, commands).key.symbol == "ETHUSDT"


def test_without_a_margin_row_there_is_no_common_failure() -> None:
    """P12: the balance is not known: the single prices are all there is."""
    guard = Driven()
    guard.start()
    for symbol in ("XBTUSDT", "ETHUSDT"):
        guard.give(e.InstrumentSeen(at_ns=guard.now, instrument=an_instrument(symbol)))
        guard.mark(1000, symbol)
        guard.position(a_cross(symbol=symbol))
    assert guard.guarded().common_price is None
    assert guard.guarded().liquidation.price == 805


def test_many_positions_share_one_computation() -> None:
    """Six cross positions: rows that come in a burst wait a quarter of a second for one common answer."""
    symbols = [f"S{n}USDT" for n in range(6)]
    guard = connected(*symbols, wallet=60_000)
    for symbol in symbols:
        guard.now += MS
        guard.position(a_cross(symbol=symbol))
    five = guard.guarded(symbols[0]).common_price
    assert guard.guarded(symbols[5]).common_price is None
    guard.wait(COMMON_EVERY_NS)
    six = guard.guarded(symbols[0]).common_price
    assert five is not None
    assert six is not None
    assert six > five
    assert guard.guarded(symbols[5]).common_price == six
    assert guard.state.stale_currencies == {}
