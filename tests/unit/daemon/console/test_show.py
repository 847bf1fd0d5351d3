"""One question, one table: who needs no stop is no alarm, and ages and silences are words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from daemon.console import show as shown
from daemon.console.show import show
from tests.unit.daemon.shell.test_status_proofs import covered, described

PROOF = {"symbol": "XBTUSD", "quantity": 5, "covered_since": None, "cover": "stop", "stops": [], "protection": None}


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Ask a guard that answers this; return what the person sees."""

    def asked(question: str, answer: dict[str, Any]) -> str:
        monkeypatch.setattr(shown, "call", lambda *_args: (200, answer))
        show(argparse.Namespace(socket=Path("s"), question=question, as_json=False))
        return capsys.readouterr().out

    return asked


def test_a_position_that_needs_no_stop_is_no_alarm(ask: Any) -> None:
    """P12: an alarm that means nothing hides the one that does."""
    free = {**PROOF, "symbol": "ETHUSD", "cover": "nothing", "degraded": []}
    said = ask("protection", {"mode": "guarding", "protection": [free, {**PROOF, "degraded": ["uncovered"]}]})
    assert "ETHUSD +5: needs no stop" in said
    assert "XBTUSD +5: NO CONFIRMED STOP" in said
    assert "degraded: uncovered" in said


def test_what_bears_out_is_a_table_as_everywhere(ask: Any) -> None:
    """P12: each order of the proof and each witness in a row, as described by a real core; no JSON to read at night."""
    guard = covered()
    (position,) = described(guard)["positions"]
    said = ask("protection", {"mode": "guarding", "protection": [position]})
    first, *rows = said.splitlines()
    assert first.startswith("XBTUSDT +100: covered since ")
    assert [row.split() for row in rows] == [
        ["stage:", "proved"],
        ["covered", "by", "whose", "side", "at", "contracts", "seen", "by", "ago"],
        ["sw-7-XBTUSDT-L-s1", "ours", "sell", "918.0", "100", "stream", "3", "s"],
        ["of", "the", "position", "says", "is", "ago"],
        ["quantity", "stream", "100", "3", "s"],
        ["liquidation", "price", "stream", "900", "3", "s"],
    ]
    assert not set("{}[]") & set(said)


def test_a_stop_that_proves_nothing_is_told_apart(ask: Any) -> None:
    """P12: another stop rests, say on the wrong side: it is named, and not taken for protection."""
    wrong = {"client_order_id": "b-1", "stop_price": "990.0", "quantity": 5, "ours": False}
    naked = {"stage": "late", "naked_for_s": 3.0, "proof": [], "fields": {"quantity": {"stream": None}}}
    row = {**PROOF, "stops": [wrong], "protection": naked, "degraded": []}
    said = ask("protection", {"mode": "guarding", "protection": [row]}).splitlines()
    assert said == [
        "XBTUSD +5: NO CONFIRMED STOP",
        "  stage: late, naked for 3 s",
        "  rests, and proves nothing: stop at 990.0 for 5 contracts, somebody else's: b-1",
    ]


def test_alerts_say_how_old_they_are_and_who_took_them(ask: Any) -> None:
    """And a silence is a sentence, with its end and why; words of others cannot steer the terminal."""
    group = {"level": "warn", "key": "sight", "text": "no\x1b[2J data", "for_s": 90.4}
    taken = {**group, "key": "rule", "is_acknowledged": True, "acknowledged_by": "ada"}
    silence = {"name": "s1", "who": "ada", "left_s": 3_700.0, "comment": "reload", "state": "budget_*"}
    said = ask("alerts", {"alerts": [group, taken], "silences": [silence], "deliveries": {"told": 2}})
    assert "warn for 1 min 30 s sight: no?[2J data" in said
    assert "rule (acknowledged by ada): " in said
    assert "silenced as s1 by ada for 1 h 1 min more: state budget_*; reload" in said


def test_how_channels_fare_is_a_line_for_each(ask: Any) -> None:
    """P10: what a channel does not do stands out, with its last problem; a count of nothing is not shown."""
    well = {"kind": "webhook", "failing": False, "waiting": 0, "delivered": 4, "lost": 0, "handed_over": 0}
    dead = {**well, "failing": True, "waiting": 3, "delivered": 0, "handed_over": 7, "problem": "x: 503"}
    dead["problem_ago_s"] = 61.0
    channels = {"phone": well, "pager": dead}
    figures = {"raised": 9, "told": 4, "saved": True, "channels": channels, "heartbeat": {"problem": "y: 404"}}
    said = ask("alerts", {"alerts": [], "silences": [], "deliveries": figures}).splitlines()
    assert said[1:] == [
        "deliveries: raised 9, told 4",
        "channel phone (webhook): waiting 0, delivered 4",
        "channel pager (webhook): DOES NOT DELIVER, waiting 3, delivered 0, handed over 7; 1 min 1 s ago: x: 503",
        "the outside heartbeat is not heard: y: 404",
    ]
    figures = {"told": 4, "saved": False}
    said = ask("alerts", {"alerts": [], "silences": [], "deliveries": figures})
    assert "deliveries: told 4, not saved: a restart would forget what waits" in said
