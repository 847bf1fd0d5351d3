"""The judge of a demo run."""

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.vocabulary import Side
from daemon.demo.record import RunRecord, Verdict
from daemon.demo.verdict import first_crossing, judge
from tests.unit.daemon.demo.demo_builders import (
    START_MS,
    a_position,
    a_saved_run,
    a_stop,
    an_account,
    an_exit,
    prices,
)


def test_saved() -> None:
    """The guard got out at its trigger and the other account was liquidated: exit code 0, no reasons."""
    result = judge(a_saved_run())
    assert (result.verdict, result.verdict.value, result.reasons) == (Verdict.SAVED, 0, ())
    stop = result.stops[0]
    assert (stop.confirmed_after_ms, stop.crossed_tape_ms) == (1_000, START_MS + 3_000)


@pytest.mark.parametrize(
    ("run", "verdict", "words"),
    [
        (a_saved_run(unguarded=an_account("u")), Verdict.INCONCLUSIVE, "survived"),
        (
            a_saved_run(guarded=an_account("g", an_exit(5_000, is_liquidation=True))),
            Verdict.LIQUIDATED,
            "guarded account was liquidated: XBTUSD",
        ),
        (a_saved_run(stops=()), Verdict.COVER_LATE_OR_UNSAFE, "no stop of the guard"),
        (a_saved_run(stops=(a_stop(3_500),)), Verdict.COVER_LATE_OR_UNSAFE, "before the stop was confirmed"),
        (
            a_saved_run(guarded=an_account("g", an_exit(2_000, is_liquidation=False))),
            Verdict.COVER_LATE_OR_UNSAFE,
            "left before the mark crossed",
        ),
        (a_saved_run(unsafe=("buys 5 of a long",)), Verdict.COVER_LATE_OR_UNSAFE, "unsafe: buys 5"),
    ],
)
def test_each_way_to_fail(run: RunRecord, verdict: Verdict, words: str) -> None:
    """Each broken condition alone costs exit code 0 and is named."""
    result = judge(run)
    assert result.verdict is verdict
    assert any(words in reason for reason in result.reasons)


def test_a_jump_past_the_takeover_price_is_said_to_be_one() -> None:
    """Nothing was traded between stop and takeover, be it a jump or a halt: still exit code 10, but with the reason."""
    taken = an_account("g", an_exit(4_000, is_liquidation=True))
    marks, lasts = (100, 99, 98, 96.9, 96), (100, 99, 99, 99, 94)
    points = tuple(replace(point, last=last) for point, last in zip(prices(*marks), lasts, strict=True))
    jump = judge(a_saved_run(guarded=taken, stops=(a_stop(),), prices={"XBTUSD": points}))
    assert jump.verdict is Verdict.LIQUIDATED
    assert "no stop could fill" in jump.reasons[0]
    slide = judge(a_saved_run(guarded=taken, stops=(a_stop(),)))
    assert "no stop could fill" not in slide.reasons[0]


def test_liquidation_outranks_the_rest() -> None:
    """With several findings the liquidation names the verdict and all of them are listed."""
    result = judge(a_saved_run(guarded=an_account("g", an_exit(5_000, is_liquidation=True)), stops=()))
    assert result.verdict is Verdict.LIQUIDATED
    assert len(result.reasons) == 2


def test_a_raised_stop_counts_from_when_it_rested() -> None:
    """The trigger in force decides: a stop moved to 98 at 1.5 s is reached at 2 s, not at 3 s."""
    resting = [a_stop(500), a_stop(1_500, price="98")]
    crossed = first_crossing(a_position(), resting, prices(100, 99, 98, 97))
    assert crossed == START_MS + 2_000


def test_a_mark_through_the_first_trigger_before_it_rested_counts() -> None:
    """A dip before the confirmation and back is a crossing: a late stop cannot hide it."""
    crossed = first_crossing(a_position(), [a_stop(4_000)], prices(100, 96, 99, 99, 99))
    assert crossed == START_MS + 1_000


def test_short_crosses_upwards_and_prices_before_the_entry_do_not_count() -> None:
    """A short's trigger is reached from below, and only after the position was opened."""
    short = a_position(side=Side.SHORT, opened_tape_ms=START_MS + 2_000)
    crossed = first_crossing(short, [a_stop(price="103")], prices(104, 101, 101, Decimal(103).__float__()))
    assert crossed == START_MS + 3_000
