"""The live view: the gravest first, each position with its bar, and blind never looks like safe."""

from __future__ import annotations

from typing import Any

import pytest

from config.policy import Policy
from daemon.console.paint import Paint, width_of
from daemon.console.view import lines_of
from daemon.console.watch import Seen, frame
from daemon.core.operator_requests import FreezeAsked, PauseAsked
from daemon.shell.status import describe_state
from tests.builders import SECOND, a_position
from tests.driven import Driven
from tests.unit.daemon.core.restraint.test_latches import ask

PAINT = Paint(is_plain_text=True)
FACTS = {"version": "1", "process": 1, "venue": "testnet", "uptime_s": 75.0}


def status_of(guard: Driven) -> dict[str, Any]:
    """What the API would answer."""
    return {**FACTS, **describe_state(guard.state, now_ns=guard.now)}


def covered() -> Driven:
    """A guard whose long rests a stop."""
    guard = Driven(Policy()).up([a_position()])
    guard.rest()
    guard.wait(SECOND)
    return guard


def view(status: dict[str, Any], **more: Any) -> str:
    """The lines as one text."""
    return "\n".join(lines_of(status, PAINT, width=120, **more))


def test_a_covered_position_shows_its_way_to_the_end() -> None:
    """Mark, liquidation, tier, a bar with the stop in it, and the stop's price."""
    words = view(status_of(covered()))
    assert words.startswith(" GUARDING  account 7 on testnet, up 1 min 15 s")
    assert "XBTUSDT   mark 1000" in words
    bar = next(line for line in words.splitlines() if "room" in line)
    assert bar.count("|") == 1
    assert "stop " in bar
    assert "(1 resting)" in bar


def test_a_naked_position_cannot_be_overlooked() -> None:
    """No confirmed stop: said in so many words."""
    assert " NO CONFIRMED STOP" in view(status_of(Driven(Policy()).up([a_position()])))


def test_what_holds_stands_above_the_positions() -> None:
    """A pause, a latch and a degraded state come before any figure."""
    guard = covered()
    ask(guard, PauseAsked(seconds=600))
    ask(guard, FreezeAsked(), "r-2")
    lines = lines_of(status_of(guard), PAINT, width=120)
    where = {word: next(i for i, line in enumerate(lines) if word in line) for word in ("PAUSED", "FREEZE", "XBTUSDT")}
    assert where["PAUSED"] < where["FREEZE"] < where["XBTUSDT"]


def test_a_guard_that_does_not_answer_is_said_first() -> None:
    """P12: what was known is marked as a memory; nothing at all is said to be nothing."""
    lines = lines_of(status_of(covered()), PAINT, width=120, problem="no daemon answers")
    assert lines[:2] == [" NO ANSWER: no daemon answers ", "what follows is the last that was known"]
    assert lines_of({}, PAINT, width=80, problem="x") == [" NO ANSWER: x ", "nothing was heard yet"]
    assert "nothing is guarded" in view({**FACTS, "mode": "waiting_for_venue"})


@pytest.mark.parametrize(("columns", "rows"), [(20, 5), (80, 24), (200, 60)])
def test_a_frame_fits_its_window_and_clears_nothing(columns: int, rows: int, tmp_path: Any) -> None:
    """However small the window: no line too many, none too wide, and the screen is never cleared first."""
    seen = Seen(tmp_path / "s")
    seen.status = status_of(covered())
    drawn = frame(seen, Paint(has_colour=True), columns=columns, rows=rows)
    assert drawn.startswith("\x1b[H")
    assert "\x1b[2J" not in drawn
    lines = drawn.removeprefix("\x1b[H").removesuffix("\x1b[J").split("\r\n")
    assert len(lines) == rows
    assert all(width_of(line.removesuffix("\x1b[K")) <= columns for line in lines)


def test_in_a_small_window_two_hundred_positions_hide_neither_the_naked_one_nor_the_alert() -> None:
    """60 columns, 15 rows: how many are without a stop, the newest alert, and the naked one before the others."""
    status = status_of(covered())
    row = status["positions"][0]
    rows = [{**row, "symbol": f"A{number:03}", "room_percent": str(50 - number / 10)} for number in range(200)]
    rows[150] = {**rows[150], "symbol": "NAKED", "covered_since": None, "cover": "stop", "stops": []}
    status["positions"] = rows
    lines = lines_of(status, PAINT, width=60, alerts=({"level": "critical", "text": "no stop holds"},))
    shown = "\n".join(lines[:14])
    assert "200 open positions,  1 WITHOUT A CONFIRMED STOP" in shown
    assert "[critical] no stop holds" in shown
    at = [shown.find(name) for name in ("NAKED", "A199", "A198")]
    assert at == sorted(at)
    assert -1 not in at
