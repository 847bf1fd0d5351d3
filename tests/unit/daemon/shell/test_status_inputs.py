"""What the status says of the lesser inputs."""

from __future__ import annotations

from decimal import Decimal

from connectors.vocabulary import Insurance, Quote, Wallet
from daemon.core import events as e
from daemon.shell.status_inputs import describe_inputs, missing_lines
from tests.builders import ACCOUNT, a_position
from tests.driven import Driven


def test_each_input_is_shown() -> None:
    """Movements, fund, spread and liquidations of what is held; nothing is made up for what is not known."""
    guard = Driven().up([a_position()])
    unknown = {"missing": {}, "transfers_sat": {}, "insurance": {}}
    assert describe_inputs(guard.state) == {
        **unknown,
        "spreads": {"XBTUSDT": None},
        "liquidated_in_an_hour": {"XBTUSDT": 0},
    }
    wallet = Wallet(account=ACCOUNT, currency="USDt", transfers_sat=None)
    guard.give(e.WalletSeen(at_ns=guard.now, wallet=wallet))
    for stamp, balance in enumerate((200, 150)):
        fund = Insurance(currency="USDt", balance_sat=balance, timestamp_ns=stamp)
        guard.give(e.InsuranceSeen(at_ns=guard.now, insurance=fund))
    quote = Quote(symbol="XBTUSDT", bid=Decimal(999), ask=Decimal("999.50"))
    guard.give(e.SpreadSeen(at_ns=guard.now, quote=quote))
    described = describe_inputs(guard.state)
    assert described["transfers_sat"] == {"USDt": None}
    assert described["insurance"] == {"USDt": {"balance_sat": 150, "drawdown_percent": "25.00"}}
    assert described["spreads"] == {"XBTUSDT": "0.50"}


def test_a_missing_topic_has_a_line() -> None:
    """P12: never silence."""
    guard = Driven().up()
    guard.give(e.TopicSeen(at_ns=guard.now, topic="wallet", problem="refused: no rights"))
    assert missing_lines(describe_inputs(guard.state)) == ["missing: wallet (refused: no rights)"]
