"""A book of alerts with a state behind it: facts are raised, time passes, and what people hear is kept."""

from __future__ import annotations

from decimal import Decimal

from config.alerting import AlertingPolicy
from config.policy import Policy, Tier
from daemon.core.altered import altered
from daemon.core.commands import Notify, RaiseAlert, Severity
from daemon.core.draft import Draft
from daemon.core.operator_requests import AcknowledgeAsked, SilenceAsked, UnsilenceAsked
from daemon.core.people import asked
from daemon.core.people.settle import settle
from daemon.core.reasons import Reason
from daemon.core.state import Guarded, GuardState, Mark, initial_state
from tests.builders import ACCOUNT, SECOND, START_NS, a_margin, a_position, an_instrument

_OF_TIER = {
    Tier.CALM: Severity.NOTE,
    Tier.WATCH: Severity.NOTE,
    Tier.WARN: Severity.WARNING,
    Tier.CRITICAL: Severity.CRITICAL,
    Tier.EMERGENCY: Severity.CRITICAL,
}


class Listener:
    """What one person hears."""

    def __init__(self, **alerting: object) -> None:
        policy = Policy(alerting=AlertingPolicy(**alerting))  # type: ignore[arg-type]  # names are checked
        self.state: GuardState = altered(initial_state(ACCOUNT, policy), margins={"USDt": a_margin()})
        self.now = START_NS
        self.heard: list[Notify] = []

    # ------------------------------------------------------------ the world

    def tier(self, tier: Tier, *symbols: str, quantity: int = 100) -> list[Notify]:
        """Positions come into a tier, and that is raised."""
        for symbol in symbols:
            guarded = Guarded(position=a_position(quantity, symbol), taken_ns=self.now, tier=tier)
            self.state = altered(
                self.state,
                positions={**self.state.positions, symbol: guarded},
                instruments={**self.state.instruments, symbol: an_instrument(symbol)},
                marks={**self.state.marks, symbol: Mark(price=Decimal(1000), at_ns=self.now)},
            )
        return self.say(*[alert("tier", tier.value, symbol, _OF_TIER[tier]) for symbol in symbols])

    def degrade(self, name: str, severity: Severity = Severity.CRITICAL) -> list[Notify]:
        """The account comes into a degraded state."""
        self.state = altered(self.state, degraded={**self.state.degraded, name: self.now})
        return self.say(alert("degraded", name, severity=severity))

    def recover(self, name: str) -> list[Notify]:
        """It ends."""
        self.state = altered(
            self.state, degraded={each: at for each, at in self.state.degraded.items() if each != name}
        )
        return self.say(alert("degraded", name, severity=Severity.NOTE, reason=Reason.RECOVERED))

    def quietly(self, symbol: str, tier: Tier) -> None:
        """A position's tier changes, and nothing is raised."""
        guarded = altered(self.state.positions[symbol], tier=tier)
        self.state = altered(self.state, positions={**self.state.positions, symbol: guarded})

    def stop_rests(self, symbol: str) -> None:
        """A position's stop is confirmed, and nothing is raised."""
        guarded = altered(self.state.positions[symbol], covered_ns=self.now)
        self.state = altered(self.state, positions={**self.state.positions, symbol: guarded})

    # ------------------------------------------------------------ steps

    def say(self, *alerts: RaiseAlert) -> list[Notify]:
        """One step that raises these."""
        draft = Draft(self.state, self.now)
        for each in alerts:
            draft.emit(each)
        settle(draft)
        self.state = draft.finish()
        told = [each for each in draft.commands if isinstance(each, Notify)]
        self.heard += told
        return told

    def wait(self, seconds: int) -> list[Notify]:
        """Let time pass, with the tick of every second."""
        told = []
        for _ in range(seconds):
            self.now += SECOND
            told += self.say()
        return told

    def ask(self, request: AcknowledgeAsked | SilenceAsked | UnsilenceAsked, who: str = "ann") -> str:
        """A person asks for something; what stood in the way is returned."""
        refused = asked.refusal(self.state, request)
        if not refused:
            draft = Draft(self.state, self.now)
            asked.carry_out(draft, request, who)
            self.state = draft.finish()
        return refused


def alert(
    topic: str,
    state: str,
    symbol: str = "",
    severity: Severity = Severity.WARNING,
    *,
    reason: Reason = Reason.FACT,
    **facts: str,
) -> RaiseAlert:
    """One fact."""
    return RaiseAlert(
        reason=reason,
        alert_id=f"{topic}:{state}:{symbol}",
        severity=severity,
        topic=topic,
        state=state,
        symbol=symbol,
        text=f"{symbol or 'Account'} {topic} {state}.",
        facts=tuple(facts.items()),
    )
