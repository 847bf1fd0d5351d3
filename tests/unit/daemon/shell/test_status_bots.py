"""What the status says of bots, for machines and for people."""

from __future__ import annotations

from config.policy import Policy
from daemon.shell.status import describe_state, headline
from daemon.shell.status_bots import bot_lines, describe_bots
from tests.driven import Driven
from tests.unit.daemon.core.test_bots import alive, policy, seconds_pass


def line(guard: Driven) -> str:
    """The one line."""
    (found,) = bot_lines(describe_bots(guard.state, now_ns=guard.now))
    return found


def test_unheard_alive_and_silent() -> None:
    """Each standing in its words."""
    assert line(Driven(policy()).up()) == "bot maker: unheard, never heard (silent after 30 s)"
    guard = alive()
    seconds_pass(guard, 5)
    assert line(guard) == "bot maker: alive, heard 5 s ago by call (silent after 30 s)"
    seconds_pass(guard, 30)
    assert "silent for" in line(guard)
    assert headline(guard.state).endswith("; silent: maker")


def test_one_that_must_be_alive_says_what_its_silence_holds_up() -> None:
    """P6, P12: people see why the switch is not fed."""
    guard = alive(must_be_alive=True)
    seconds_pass(guard, 31)
    assert line(guard).endswith("the dead man's switch is not fed, nobody's new exposure is let through")


def test_without_bots_there_is_nothing_to_say() -> None:
    """The status of before."""
    guard = Driven(Policy()).up()
    assert describe_state(guard.state, now_ns=guard.now)["bots"] == []
