"""Can what is asked for come to pass? Impossible wishes, disappointing ones, and a rehearsal that sends nothing."""

from __future__ import annotations

from collections.abc import Iterator

from config.advice import advice_on
from config.impossible import ContractFacts, below_a_tick, impossible
from config.model import Settings
from daemon.backtest.rehearsal import PRICE, TICK_SIZE, rehearse
from daemon.backtest.venue import SYMBOL
from daemon.checks.findings import Finding, advice, ok, problem
from daemon.core.errors import InvariantBroken
from daemon.exit_codes import ExitCode

_USUAL = ContractFacts(symbol=SYMBOL, tick_size=TICK_SIZE, price=PRICE)


def wishes(settings: Settings, now_ns: int) -> Iterator[Finding]:
    """Yield what is to be said of the policy."""
    yield from policy_problems(settings)
    yield from policy_advice(settings, now_ns)
    yield rehearsal(settings)


def policy_problems(settings: Settings) -> Iterator[Finding]:
    """Name what cannot work."""
    found = (
        *impossible(settings.policy, settings.venue),
        *below_a_tick(settings.policy, _USUAL),
    )
    yield from (problem("policy", text, ExitCode.BAD_INPUT) for text in found)


def policy_advice(settings: Settings, now_ns: int) -> list[Finding]:
    """Name what cannot come to pass, or undoes another part of the policy."""
    return [advice("policy", text) for text in advice_on(settings.policy, now_ns=now_ns)]


def rehearsal(settings: Settings) -> Finding:
    """Let the guard cover a position on an exchange inside this process."""
    try:
        found = rehearse(settings.policy)
    except InvariantBroken as error:
        return problem("rehearsal", f"the guard contradicts itself under this policy: {error}", ExitCode.BROKEN)
    if found.problem:
        text = f"under this policy a position would not be guarded: {found.problem}"
        return problem("rehearsal", text, ExitCode.BAD_INPUT)
    return ok("rehearsal", f"{found.words}; nothing was sent")
