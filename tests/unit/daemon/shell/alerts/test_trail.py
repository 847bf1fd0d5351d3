"""What charts are drawn from: the last hour of each position, bounded, and what was done meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import msgspec

from config.policy import Policy
from daemon.core.state import Guarded, GuardState, Mark, initial_state
from daemon.shell.alerts import trail as trail_module
from daemon.shell.alerts.trail import Trail
from tests.fakes import START_NS, a_long
from tests.unit.daemon.shell.alerts.test_waiting import an_alert

SECOND = 10**9


def a_state(at_s: int, mark: str, *, quantity: int = 1000) -> GuardState:
    """A position of XBTUSD with a stop, some seconds after the start."""
    position = replace(a_long(), quantity=quantity)
    guarded = Guarded(position=position, taken_ns=START_NS, ratchet=Decimal(58_000))
    now_ns = START_NS + at_s * SECOND
    return replace(
        initial_state(1, Policy()),
        now_ns=now_ns,
        positions={position.key: guarded},
        marks={"XBTUSD": Mark(price=Decimal(mark), at_ns=now_ns)},
    )


def test_a_chart_shows_price_stop_and_what_was_done() -> None:
    """Three samples and an alert between them; after its end the price goes on and the stop does not."""
    trail = Trail()
    trail.sample(a_state(0, "60000"))
    trail.sample(a_state(5, "58500.5"))
    done = msgspec.structs.replace(an_alert("one", at=START_NS + 6 * SECOND), did="The stop was filled.")
    trail.note(done)
    trail.sample(a_state(10, "57900", quantity=0))
    chart = trail.chart(done)
    assert chart is not None
    tracks = {track.name: track.prices for track in chart.tracks}
    assert tracks["mark"] == (60_000.0, 58_500.5, 57_900.0)
    assert tracks["stop"] == (58_000.0, 58_000.0, None)
    assert tracks["entry"] == (60_000.0, 60_000.0, None)
    assert [mark.text for mark in chart.marks] == ["The stop was filled."]


def test_what_has_no_position_has_no_chart() -> None:
    """An alert about the account, or about a symbol that was never held."""
    trail = Trail()
    trail.sample(a_state(0, "60000", quantity=0))
    assert trail.chart(an_alert("one")) is None
    assert trail.chart(msgspec.structs.replace(an_alert("one"), symbol="")) is None


def test_the_trail_is_bounded() -> None:
    """An hour, and no more symbols than anybody holds: memory does not grow over years."""
    trail = Trail()
    for number in range(trail_module.MOST_SAMPLES + 50):
        trail.sample(a_state(number * 5, "60000"))
    for number in range(500):
        trail.note(msgspec.structs.replace(an_alert("one"), symbol=f"S{number}"))
    chart = trail.chart(an_alert("one"))
    assert chart is not None
    assert len(chart.times_s) == trail_module.MOST_SAMPLES
    assert len(trail._lines) == trail_module.MOST_SYMBOLS


def test_time_that_stands_still_adds_nothing() -> None:
    """No event came since the last sample: the picture keeps a rising time axis."""
    trail = Trail()
    trail.sample(a_state(0, "60000"))
    trail.sample(a_state(0, "60000"))
    chart = trail.chart(an_alert("one"))
    assert chart is not None
    assert len(chart.times_s) == 1


async def test_a_chart_goes_on_to_the_moment_it_is_asked_for() -> None:
    """The slow cycle may have looked seconds ago: what the newest state knows is in the picture."""
    trail, states = Trail(), [a_state(0, "60000")]
    sampling = asyncio.create_task(trail.run(lambda: states[-1]))
    await asyncio.sleep(0)
    states.append(a_state(3, "58000"))
    chart = trail.chart(an_alert("one"))
    sampling.cancel()
    assert chart is not None
    assert chart.tracks[0].prices == (60_000.0, 58_000.0)
