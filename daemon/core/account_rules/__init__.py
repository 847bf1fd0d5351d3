"""The account rules: each looks at the whole account and names what breaks it. The rulebook acts on that.

A new rule is a file here that ends in a `Rule`, a settings table (`config/account_rules.py`), a line in `RULES`, a
heading in the runbook.
"""

from __future__ import annotations

from typing import Final

from daemon.core.account_rules import (
    adl_rank,
    averaging_down,
    daily_loss,
    drawdown,
    funding_cost,
    insurance_fund,
    isolated_only,
    leverage_cap,
    liquidation_feed,
    margin_used,
    naked,
    quiet_hours,
    risk_per_trade,
    total_exposure,
    trades_per_hour,
)
from daemon.core.account_rules.verdict import Rule

RULES: Final[tuple[Rule, ...]] = (
    leverage_cap.RULE,
    isolated_only.RULE,
    risk_per_trade.RULE,
    total_exposure.RULE,
    daily_loss.RULE,
    drawdown.RULE,
    margin_used.RULE,
    funding_cost.RULE,
    adl_rank.RULE,
    naked.RULE,
    averaging_down.RULE,
    trades_per_hour.RULE,
    quiet_hours.RULE,
    insurance_fund.RULE,
    liquidation_feed.RULE,
)
