"""What the status says of stop rules, shadows and take-profit orders."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from config.modes import RuleMode
from config.policy import MaxLossPolicy, Policy, StopPolicy, TakeProfitPolicy, TrailingPolicy
from daemon.shell.status import describe_state
from daemon.shell.status_rules import rule_lines
from tests.unit.daemon.core.protecting.test_take_profit import ladder

D = Decimal


def test_who_speaks_what_shadows_would_do_and_what_is_taken() -> None:
    """A trader reads the rule and its reason in one line; machines read the same figures."""
    stop = StopPolicy(
        max_loss=MaxLossPolicy(mode=RuleMode.ON, equity_percent=D("0.3")),
        trailing=TrailingPolicy(mode=RuleMode.SHADOW),
    )
    guard = ladder(policy=Policy(stop=stop, take_profit=TakeProfitPolicy(mode=RuleMode.ON)))
    told = msgspec.json.decode(msgspec.json.encode(describe_state(guard.state, now_ns=guard.now)))["positions"][0]
    assert (told["stop_rule"], told["stop_reason"]) == ("max_loss", "0.3 % of 1 USDT equity")
    assert told["shadows"] == [{"rule": "trailing", "price": "960.0", "has_fired": False}]
    assert told["take_profit"][0] == {"price": "1020.0", "quantity": 25}
    assert told["stop_given"] is None
    assert list(rule_lines(told)) == [
        "XBTUSDT: stop by max_loss: 0.3 % of 1 USDT equity",
        "XBTUSDT: trailing in shadow: a stop at 960.0",
        "XBTUSDT: takes profit: 25 at 1020.0, 25 at 1040.0, 50 at 1080.0",
    ]


def test_an_older_daemon_says_nothing_of_rules() -> None:
    """A status without these fields is shown all the same."""
    assert list(rule_lines({"symbol": "XBTUSD"})) == []
