"""A policy over small histories, end to end: what is promised, by number, after the run."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from config.modes import Action, RuleMode
from config.policy import Policy
from connectors.vocabulary import Side
from daemon.backtest.cadence import EXACT
from daemon.backtest.figures import figures, shadow_words
from daemon.backtest.history import load_history
from daemon.backtest.plan import MINUTE_MS, Lane, Plan
from daemon.backtest.play import play
from daemon.backtest.record import Cause, Ending, RunRecord
from daemon.backtest.summary import as_object, summary_lines
from tests.unit.daemon.backtest.histories import CRASH, closes_along, write_candles

TEN = Decimal(10)
LONG, SHORT = Lane(side=Side.LONG, leverage=TEN), Lane(side=Side.SHORT, leverage=TEN)


def played(path: Path, plan: Plan) -> RunRecord:
    """Play a plan over a file."""
    return play(load_history(path, since=None, until=None, seed=plan.seed), plan)


@pytest.fixture(scope="module")
def crash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour with a fall of an eighth."""
    return write_candles(tmp_path_factory.mktemp("candles") / "crash.csv", CRASH)


@pytest.fixture(scope="module")
def lived(crash: Path) -> RunRecord:
    """That hour under the defaults, a long and a short."""
    return played(crash, Plan(lanes=(LONG, SHORT)))


def test_the_liquidation_of_the_unguarded_account_is_avoided(lived: RunRecord) -> None:
    """P2: the same position, the same instant; one is liquidated, the other one is out before."""
    long_one = lived.lanes[0].rounds[0]
    assert long_one.unguarded.exit is not None
    assert long_one.guarded.exit is not None
    assert long_one.unguarded.exit.ending is Ending.LIQUIDATED
    assert long_one.guarded.exit.ending is Ending.STOPPED
    assert long_one.guarded.exit.rule == "liquidation_buffer"
    assert long_one.guarded.exit.at_ms < long_one.unguarded.exit.at_ms
    assert long_one.guarded.entry_price == long_one.unguarded.entry_price
    assert long_one.guarded.result_sat > long_one.unguarded.result_sat
    assert long_one.liquidation_price is not None
    assert long_one.guarded.exit.price > long_one.liquidation_price


def test_positions_are_covered_soon_and_then_always(lived: RunRecord) -> None:
    """P2: confirmed resting within a second of the entry, and for all of the time after it."""
    found = figures(lived.lanes)
    assert found.slowest_ms is not None
    assert found.slowest_ms < 1_000
    assert found.never_covered == 0
    assert found.covered_share > 0.999


def test_no_order_of_the_guard_could_add_danger(lived: RunRecord) -> None:
    """P1: reduce-only or close, triggered by the mark; nothing had to be held back before the wire."""
    found = figures(lived.lanes)
    assert found.unsafe == ()
    assert found.held_back == 0
    assert found.guarded_liquidations == 0


def test_one_stop_was_placed_for_each_position(lived: RunRecord) -> None:
    """P4: as many orders as rounds, and all were taken."""
    for lane in lived.lanes:
        assert lane.requests["POST /api/v1/order"] == len(lane.rounds)
        assert not lane.refused_requests


def test_the_same_inputs_give_the_same_bytes(crash: Path, lived: RunRecord) -> None:
    """Figures, alerts and pictures repeat; another seed is another way inside the candles."""
    again = played(crash, Plan(lanes=(LONG, SHORT)))
    assert again == lived
    assert as_object(again) == as_object(lived)
    assert played(crash, Plan(lanes=(LONG,), seed=2)).prices != lived.prices


def test_the_exact_cadence_comes_to_the_same_end(crash: Path, lived: RunRecord) -> None:
    """Skipping quiet seconds changes no exit by more than latency may."""
    exact = played(crash, Plan(lanes=(LONG,), cadence=EXACT)).lanes[0].rounds[0]
    fast = lived.lanes[0].rounds[0]
    assert exact.guarded.exit is not None
    assert fast.guarded.exit is not None
    assert exact.guarded.exit.ending is fast.guarded.exit.ending
    assert exact.guarded.exit.at_ms == fast.guarded.exit.at_ms
    assert exact.unguarded == fast.unguarded


def test_what_was_lost_is_put_back_in_before_the_next_round(crash: Path) -> None:
    """Every round begins with the same equity, so profits are counted without what was put in."""
    record = played(crash, Plan(lanes=(LONG,), again_after_ms=5 * MINUTE_MS))
    lane = record.lanes[0]
    assert len(lane.rounds) == 2
    guarded = sum(one.guarded.result_sat for one in lane.rounds)
    assert abs(lane.equity[-1][1] - guarded) <= 2
    assert lane.rounds[1].opened_ms >= lane.rounds[0].ended_ms + 5 * MINUTE_MS


def test_the_bot_closes_when_its_time_is_over_and_enters_anew(tmp_path: Path) -> None:
    """Calm prices, a quarter of an hour each: nobody is forced out, both accounts do the same again and again."""
    path = write_candles(tmp_path / "calm.csv", closes_along((30, 8000.0), (30, 8010.0)))
    rounds = played(path, Plan(lanes=(SHORT,), hold_ms=15 * MINUTE_MS)).lanes[0].rounds
    assert len(rounds) == 4
    for one in rounds[:-1]:
        assert one.guarded.exit is not None
        assert one.unguarded.exit is not None
        assert {one.guarded.exit.ending, one.unguarded.exit.ending} == {Ending.CLOSED}
        assert abs(one.guarded.result_sat - one.unguarded.result_sat) < 100_000


def test_a_cross_position_is_kept_from_taking_the_account_with_it(crash: Path) -> None:
    """P2 in cross margin: all of the unguarded equity is gone, the guarded account keeps a part."""
    lane = replace(LONG, is_cross=True)
    one = played(crash, Plan(lanes=(lane,))).lanes[0].rounds[0]
    assert one.unguarded.exit is not None
    assert one.unguarded.exit.ending is Ending.LIQUIDATED
    assert one.unguarded.result_sat < -90_000_000
    assert one.guarded.result_sat > one.unguarded.result_sat


def test_a_stop_before_the_price_comes_back_is_a_whipsaw(tmp_path: Path) -> None:
    """Down to the stop and no further, then up: holding on did better, and the report says what that cost."""
    closes = closes_along((15, 8000.0), (10, 7430.0), (20, 8000.0), (5, 8000.0))
    record = played(write_candles(tmp_path / "a.csv", closes), Plan(lanes=(LONG,)))
    found = figures(record.lanes)
    assert (found.unguarded_liquidations, found.whipsaws) == (0, 1)
    assert found.whipsaw_cost_sat > 0
    assert "1 whipsaw(s)" in "\n".join(summary_lines(record))


def test_a_gap_beyond_everything_is_named_unpreventable(tmp_path: Path) -> None:
    """A halt, and trading resumes a quarter lower: nothing was traded where a stop could have filled."""
    closes = closes_along((40, 8000.0), (30, 8000.0), (1, 6000.0), (30, 6000.0))
    path = write_candles(tmp_path / "a.csv", closes, silent=range(40, 70), jumps=(70,))
    record = played(path, Plan(lanes=(LONG,)))
    one = record.lanes[0].rounds[0]
    assert one.guarded.exit is not None
    assert one.guarded.exit.ending is Ending.LIQUIDATED
    assert one.cause is Cause.NOTHING_TRADED
    assert "no stop could fill" in "\n".join(summary_lines(record))


def test_an_entry_that_the_exchange_refuses_is_named(crash: Path) -> None:
    """A cross position of a hundred times the equity cannot pay for its own entry."""
    record = played(crash, Plan(lanes=(replace(LONG, leverage=Decimal(100), is_cross=True),)))
    assert record.lanes[0].rounds == ()
    assert "long 100x cross could not be entered every time; the exchange said: " in "\n".join(summary_lines(record))


def test_an_observer_sends_nothing(crash: Path) -> None:
    """P12: the report says that nobody acted."""
    record = played(crash, Plan(lanes=(LONG,), policy=Policy(observe=True)))
    assert all(not name.startswith(("POST /api/v1/order", "PUT")) for name in record.lanes[0].requests)
    assert summary_lines(record)[2].startswith("Observing only")


def test_a_rule_in_shadow_says_what_it_would_have_made(crash: Path) -> None:
    """A maximum loss in shadow would have been out earlier; its gain over the real exit is shown."""
    policy = Policy()
    stop = replace(policy.stop, max_loss=replace(policy.stop.max_loss, mode=RuleMode.SHADOW))
    record = played(crash, Plan(lanes=(LONG,), policy=replace(policy, stop=stop)))
    word = next(word for word in shadow_words(record) if word.rule == "max_loss")
    assert word.what == "fire"
    assert word.would_sat is not None
    assert word.was_sat is not None
    assert word.was_sat < word.would_sat < 0


def test_an_account_rule_in_shadow_says_what_its_flatten_would_have_made(crash: Path) -> None:
    """A kill switch in shadow: flattening at the mark of that moment, beside what the round made."""
    policy = Policy()
    daily = replace(
        policy.account.daily_loss, mode=RuleMode.SHADOW, action=Action.FLATTEN, equity_percent=Decimal("0.5")
    )
    record = played(
        crash, Plan(lanes=(LONG,), policy=replace(policy, account=replace(policy.account, daily_loss=daily)))
    )
    [word] = [word for word in shadow_words(record) if word.rule == "daily_loss"]
    assert word.what == "flatten"
    assert word.price is not None
    assert word.price > record.lanes[0].rounds[0].guarded.entry_price * 0.98
    assert word.would_sat is not None
    assert word.was_sat is not None
    assert word.was_sat < word.would_sat < 0
    assert "daily_loss would flatten at 7," in "\n".join(summary_lines(record))


def test_a_history_too_short_for_a_position_says_that_nothing_was_tried(tmp_path: Path) -> None:
    """Four minutes, before the first entry: no verdict about an account that held nothing."""
    record = played(write_candles(tmp_path / "a.csv", closes_along((4, 8000.0))), Plan(lanes=(LONG,)))
    text = summary_lines(record)
    assert text[2].startswith("Nothing was tried")
    assert "100.00" not in "\n".join(text)


def test_what_the_book_could_not_take_is_named(lived: RunRecord) -> None:
    """The guard closed a part and the liquidator the rest, or a part lives on: the round counts, and says so."""
    lane = lived.lanes[0]
    guarded = replace(lane.rounds[0].guarded, exit=None, closed_by_guard=1_000, liquidated=14_000)
    one = replace(lane.rounds[0], guarded=guarded, cause=Cause.THIN_BOOK)
    record = replace(lived, lanes=(replace(lane, rounds=(one,)),))
    found = figures(record.lanes)
    assert (found.guarded_liquidations, found.thin_books, found.avoided) == (1, 1, 0)
    text = "\n".join(summary_lines(record))
    assert "1 where the book could not take all of the position, 0 otherwise" in text
    assert "closed 1000 of" in text


def test_own_positions_are_opened_at_their_time(crash: Path) -> None:
    """One entry at the minute named, in contracts, closed by the bot when its time is over."""
    start_ms = load_history(crash, since=None, until=None, seed=1).start_ms
    lane = Lane(
        side=Side.SHORT,
        leverage=Decimal(5),
        contracts=1_000,
        at_ms=start_ms + 12 * MINUTE_MS,
        until_ms=start_ms + 40 * MINUTE_MS,
    )
    [one] = played(crash, Plan(lanes=(lane,))).lanes[0].rounds
    assert one.quantity == -1_000
    assert 0 <= one.opened_ms - start_ms - 12 * MINUTE_MS < MINUTE_MS
    assert one.guarded.exit is not None
    assert one.guarded.exit.ending is Ending.CLOSED


def test_kinds_of_position_played_together_end_as_each_alone(crash: Path) -> None:
    """Large positions whose stops fire in the same fall: nobody takes the book of another, to the last contract."""
    lanes = (replace(LONG, is_cross=True, leverage=Decimal(25)), replace(LONG, is_cross=True), LONG)
    together = played(crash, Plan(lanes=lanes)).lanes
    for number, lane in enumerate(lanes):
        [alone] = played(crash, Plan(lanes=(lane,))).lanes
        rounds = tuple(replace(one, lane=number) for one in alone.rounds)
        assert together[number] == replace(alone, rounds=rounds)


@pytest.mark.real_day
@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("bitmex-xbtusd-1m-2020-03.csv.gz", "2020-03-12T10:00", "2020-03-12T12:00"),
        ("bitmex-xbtusd-1m-2021-05.csv.gz", "2021-05-19T11:30", "2021-05-19T13:30"),
    ],
)
def test_the_worst_hours_on_record_liquidate_no_guarded_position(
    real_data: Path, name: str, since: str, until: str
) -> None:
    """P2 on 2020-03-12 and 2021-05-19: all liquidations of the unguarded accounts are avoided."""
    history = load_history(real_data / "candles" / name, since=since, until=until, seed=1)
    lanes = tuple(Lane(side=Side.LONG, leverage=Decimal(x), is_cross=c) for x in (10, 20) for c in (False, True))
    found = figures(play(history, Plan(lanes=lanes)).lanes)
    assert found.unguarded_liquidations >= 4
    assert found.guarded_liquidations == 0
    assert found.avoided == found.unguarded_liquidations
