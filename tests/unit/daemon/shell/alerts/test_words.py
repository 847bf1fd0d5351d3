"""An alert in words, as a person reads it at three in the morning."""

from __future__ import annotations

import msgspec

from daemon.shell.alerts.words import LONGEST_TEXT, LONGEST_TITLE, text_of, title_of
from tests.unit.daemon.shell.alerts.test_waiting import an_alert


def test_the_text_says_what_happened_what_was_done_what_comes_and_what_to_do() -> None:
    """P10: in that order, then the figures, the account and the time."""
    alert = msgspec.structs.replace(
        an_alert("one", at=1_795_390_205 * 10**9),
        text="XBTUSD: 1.4 % left to liquidation.",
        did="It moved the stop to 63,000 USD.",
        will="It closes a third of the position below 0.75 %.",
        you_can="Add margin, or close a part.",
        facts={"mark_price": "63900.5", "room_percent": "1.4"},
        count=7,
    )
    places = [
        text_of(alert).index(words)
        for words in (
            "1.4 % left",
            "The guard did: It moved",
            "Next it will: It closes",
            "You can: Add margin",
            "mark price: 63900.5",
            "account 1, 2026-11-22 23:30:05 UTC, 7 facts in one, one",
        )
    ]
    assert places == sorted(places)


def test_the_title_names_the_grade_and_the_matter() -> None:
    """A title of its own counts; else it is made of symbol, topic and state; what is over says so."""
    assert title_of(an_alert("one")) == "[WARNING] XBTUSD tier warn"
    assert title_of(an_alert("one", level="emergency")) == "[EMERGENCY] XBTUSD tier warn"
    assert title_of(an_alert("one", over=True)).startswith("[RESOLVED] ")
    over = msgspec.structs.replace(an_alert("one", over=True), title="OVER: near liquidation, XBTUSD")
    assert title_of(over) == "OVER: near liquidation, XBTUSD"
    graded = msgspec.structs.replace(an_alert("one", level="warn"), title="WARN: near liquidation, XBTUSD")
    assert title_of(graded) == "WARN: near liquidation, XBTUSD", "nobody needs to be told twice"
    assert title_of(msgspec.structs.replace(an_alert("one"), title="Close to liquidation")) == (
        "[WARNING] Close to liquidation"
    )


def test_words_are_bounded() -> None:
    """A chat that refuses long messages must not refuse this one."""
    long = msgspec.structs.replace(an_alert("one"), title="x" * 999, text="y" * 9_999)
    assert len(title_of(long)) == LONGEST_TITLE
    assert len(text_of(long)) == LONGEST_TEXT
