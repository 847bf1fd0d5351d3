"""The leverage cap: what a position is worth over the margin that backs it.

An isolated position is backed by its own margin and its unrealised profit; a cross position by the whole equity of its
settlement currency. So a loss raises the leverage, though nobody touched the setting.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from typing import Final

from config.account_rules import LeverageCapPolicy
from daemon.core.account_rules.verdict import (
    CLEAR_AT,
    AccountView,
    Held,
    Level,
    Rule,
    Verdict,
    lacks,
    money,
    plain,
    standing,
    unknown,
)
from daemon.core.margin.contracts import value_sign
from daemon.core.memory.rule_facts import Remedy, RemedyKind

_HUNDREDTH: Final = Decimal("0.01")


def judge(view: AccountView, policy: LeverageCapPolicy) -> tuple[Verdict, ...]:
    """Name the positions above their cap."""
    found = (_judge(view, held, _cap(policy, held.symbol)) for held in view.held)
    return tuple(each for each in found if each is not None)


RULE: Final = Rule(name="leverage_cap", judge=judge)


def _cap(policy: LeverageCapPolicy, symbol: str) -> Decimal:
    return policy.most if policy.by_symbol is None else policy.by_symbol.get(symbol, policy.most)


def _judge(view: AccountView, held: Held, cap: Decimal) -> Verdict | None:
    missing = lacks(view, held, equity=held.guarded.position.is_cross)
    if missing or held.worth_sat is None:
        return unknown(missing, held.symbol)
    backing = backing_sat(view, held)
    if backing > 0 and held.worth_sat <= cap * backing * CLEAR_AT:
        return None
    leverage = Decimal(held.worth_sat) / max(1, backing)
    level = standing(leverage, cap, at_limit=False)
    return None if level is None else _verdict(held, level, leverage, cap, backing)


def backing_sat(view: AccountView, held: Held) -> int:
    """The margin behind a position whose contract and mark (and equity, if cross) are known."""
    position = held.guarded.position
    if position.is_cross or held.instrument is None or held.worth_sat is None:
        return view.equities.get(held.currency, 0)
    worth = value_sign(held.instrument.kind, position.quantity) * held.worth_sat
    return position.margin_sat + worth - position.unrealised_cost_sat


def _verdict(held: Held, level: Level, leverage: Decimal, cap: Decimal, backing: int) -> Verdict:
    position = held.guarded.position
    shown = f"{leverage:.1f}" if backing > 0 else "boundless"
    what = (
        f"the equity of the account, {money(backing, held.currency)}"
        if position.is_cross
        else (f"its margin, {money(backing, held.currency)}")
    )
    # A leverage above 0 isolates a cross position on this venue, so only isolated ones are corrected.
    setting = max(Decimal(1), (cap * CLEAR_AT).quantize(_HUNDREDTH, ROUND_FLOOR))
    can_lower = not position.is_cross and position.leverage > setting
    return Verdict(
        level=level,
        subject=held.symbol,
        scope=(held.symbol,),
        text=f"{held.symbol} has an effective leverage of {shown} ({money(held.worth_sat or 0, held.currency)} over"
        f" {what}), the cap is {plain(cap)}",
        advice="reduce it" if position.is_cross else "reduce it, add margin or lower its leverage",
        facts=(("leverage", f"{leverage:.2f}"), ("limit", cap), ("backing", backing)),
        remedy=Remedy(kind=RemedyKind.LOWER_LEVERAGE, symbol=held.symbol, leverage=setting) if can_lower else None,
    )
