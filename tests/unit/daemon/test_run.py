"""What a start says before it guards."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from structlog.testing import capture_logs

from config.model import Settings
from config.policy import Policy, SwitchPolicy
from config.venue import Environment, venue_settings
from daemon.run import warn_of_what_cannot_work

SETTINGS = Settings(venue=venue_settings(Environment.TESTNET))


def test_a_start_under_a_policy_that_cannot_work_says_so_and_goes_on() -> None:
    """Nobody ran the check: the log has what it would have said; the defaults need no word."""
    with capture_logs() as lines:
        warn_of_what_cannot_work(SETTINGS)
        assert lines == []
        warn_of_what_cannot_work(replace(SETTINGS, policy=Policy(switch=SwitchPolicy(timeout_s=Decimal(13)))))
    (line,) = lines
    assert (line["log_level"], line["event"]) == ("warning", "the policy cannot work")
    assert line["problem"].startswith("switch.timeout_s = 13 is shorter than two feeds")
