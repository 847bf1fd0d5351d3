"""Commands and events in a few words."""

from __future__ import annotations

from dataclasses import replace

from daemon.core.events import OrderSeen, RequestRefused, Source
from daemon.core.reasons import Reason
from daemon.journal.words import event_words, meanings, speaker
from tests.fakes import START_NS, a_resting_stop


def test_every_reason_has_its_meaning() -> None:
    """The sentence that stands in the code is the one that people read."""
    assert set(meanings()) == {reason.value for reason in Reason}
    assert all(len(meaning) > 20 for meaning in meanings().values())


def test_the_text_of_an_order_cannot_steer_a_terminal() -> None:
    """Whoever places an order writes its text: line ends and escapes do not get through, nor does a long one."""
    order = replace(a_resting_stop("mm-1"), text="a\n\x1b[2Jb" + "x" * 500)
    words = event_words(OrderSeen(at_ns=START_NS, order=order, source=Source.STREAM))
    assert words.isprintable()
    assert "a ?[2Jb" in words
    assert len(words) <= 160


def test_our_own_refusal_is_not_the_exchanges() -> None:
    """The choke point held it back: the exchange never saw it."""
    refused = RequestRefused(at_ns=START_NS, command_id=1, reason="it would add", is_own=True)
    assert (speaker(refused), event_words(refused)) == ("guard", "held back by our own check: it would add")
