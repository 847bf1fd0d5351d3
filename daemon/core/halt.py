"""The halt flag: whether a bot ought to add exposure now, and if not, why.

Why: the guard cancels what a latch forbids, one by one, at the cost of the account's requests. A bot that asks first
need not be cancelled. The flag is worked out from the state whenever somebody asks, so it cannot be left on.

It is careful by design. Whatever keeps the guard from seeing, acting or remembering halts; so does every degraded state
that is not named here as harmless, those of later builds included. A reason that concerns some symbols halts whoever
asks about these, or about none in particular. What only shrinks a position is never meant.

Units: times in nanoseconds since 1970 UTC; 0: not known since when.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from config.bots import OnSilence
from daemon.core import bots
from daemon.core.alerts import seconds
from daemon.core.degraded import Degraded
from daemon.core.memory.interventions import LatchKind
from daemon.core.mode import Mode
from daemon.core.restraint import latches
from daemon.core.state import GuardState

STALE_AFTER_NS: Final = 5 * 10**9
"""The process looks at itself once a second; what is older is no answer."""

_HARMLESS: Final = frozenset(
    {
        Degraded.RULE_SILENT,
        Degraded.RULE_UNJUDGED,
        Degraded.STOPS_CROWDED,
        Degraded.LIQUIDATION_DISAGREES,
        Degraded.BOTS_UNHEARD,
    }
)
"""The guard covers, sees and acts all the same. (A bot that reads this is heard: it says `bots_unheard` no good.)"""
_TOLD_OTHERWISE: Final = frozenset({Degraded.BLIND_ACCOUNT, Degraded.BLIND_MARKET, Degraded.FREEZE_STUCK})
"""Of the account: the mode, or a latch, says it."""


class HaltKind(Enum):
    """What kind of reason it is. The values are part of the control API."""

    LATCH = "latch"
    NOT_GUARDING = "not_guarding"
    DEGRADED = "degraded"
    BOT_MISSING = "bot_missing"
    """One that must be alive is not: nobody's new exposure is let through."""
    BOT_SILENT = "bot_silent"
    """The one who asks is taken for dead itself."""
    STALE = "stale"
    """The guard has not looked at itself lately: what it says is old."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Halt:
    """One reason not to add exposure."""

    kind: HaltKind
    name: str
    """Of the latch, the mode, the degraded state or the bot."""
    text: str
    """In words."""
    symbols: tuple[str, ...] = ()
    """What it is about; empty: the whole account."""
    since_ns: int = 0

    def concerns(self, symbol: str | None) -> bool:
        """Whether it halts somebody who asks about a symbol; None: who asks about all."""
        return symbol is None or not self.symbols or symbol in self.symbols


def halts(state: GuardState, *, now_ns: int, symbol: str | None = None, bot: str | None = None) -> tuple[Halt, ...]:
    """Every reason not to add exposure now, the gravest kinds first.

    Args:
        state: The newest state.
        now_ns: What time it is: the state may be older.
        symbol: Leave out what only concerns others; None: leave out nothing.
        bot: Who asks; None: somebody.
    """
    found = (
        *_stale(state, now_ns),
        *_latches(state),
        *_mode(state),
        *_missing(state),
        *_silent(state, bot),
        *_degraded(state),
        *_positions(state),
    )
    return tuple(halt for halt in found if halt.concerns(symbol))


def age_ns(state: GuardState, now_ns: int) -> int:
    """How long ago the guard last looked at itself."""
    return max(0, now_ns - max(state.health.last_tick_ns, state.started_ns))


def _stale(state: GuardState, now_ns: int) -> Iterator[Halt]:
    old_ns = age_ns(state, now_ns)
    if old_ns > STALE_AFTER_NS:
        text = f"the guard last looked at itself {seconds(old_ns)} ago"
        yield Halt(kind=HaltKind.STALE, name="stale", text=text, since_ns=now_ns - old_ns)


def _latches(state: GuardState) -> Iterator[Halt]:
    for latch in sorted(state.latches.values(), key=lambda each: (each.since_ns, each.name)):
        what = "frozen" if latch.kind is LatchKind.FREEZE else "flattened and kept flat"
        text = f"{what}: {latch.text}; {latches.how_to_lift(latch)}"
        yield Halt(kind=HaltKind.LATCH, name=latch.name, text=text, symbols=latch.symbols, since_ns=latch.since_ns)


def _mode(state: GuardState) -> Iterator[Halt]:
    if state.mode is Mode.GUARDING:
        return
    name = state.mode.value
    told = [each for each in (Degraded.BLIND_ACCOUNT, Degraded.BLIND_MARKET) if each.value in state.degraded]
    why = f" ({', '.join(each.value for each in told)})" if told else ""
    text = f"the guard is {name} and does not guard{why}"
    yield Halt(kind=HaltKind.NOT_GUARDING, name=name, text=text, since_ns=state.unguarded_ns)


def _missing(state: GuardState) -> Iterator[Halt]:
    for name in bots.missing(state):
        text = f"bot {name} must be alive and is not heard: nobody's new exposure is let through"
        yield Halt(kind=HaltKind.BOT_MISSING, name=name, text=text, since_ns=state.bots[name].silent_ns)


def _silent(state: GuardState, bot: str | None) -> Iterator[Halt]:
    """Somebody's own silence, which an order of theirs, or their next call, may end."""
    if bot is None or bot not in state.bots or not state.bots[bot].is_silent:
        return
    if state.policy.bots[bot].on_silence is not OnSilence.ALERT:
        text = f"bot {bot} is taken for dead: its orders that may add exposure are cancelled as they appear"
        yield Halt(kind=HaltKind.BOT_SILENT, name=bot, text=text, since_ns=state.bots[bot].silent_ns)


def _degraded(state: GuardState) -> Iterator[Halt]:
    for name, since_ns in sorted(state.degraded.items()):
        if not _halts(name, of_account=True):
            continue
        words = state.switch.problem if name == Degraded.SWITCH_UNCONFIRMED.value else _words(state, name)
        yield Halt(kind=HaltKind.DEGRADED, name=name, text=words or name.replace("_", " "), since_ns=since_ns)


def _words(state: GuardState, name: str) -> str:  # noqa: PLR0911 - one line per state
    health = state.health
    match name:
        case Degraded.BUDGET_DRAINED.value:
            return "the requests of the account are used up, by whomever: what protects comes first"
        case Degraded.ADDRESS_BANNED.value:
            return "the venue takes no requests from this address for a time"
        case Degraded.BUDGET_EMPTY.value | Degraded.VENUE_UNREACHABLE.value:
            return f"requests are not carried out: {health.unsent_text}"
        case Degraded.MISCONFIGURED.value:
            return f"the venue refuses requests: {health.misconfigured}"
        case Degraded.PAUSED.value:
            return "a person paused the guard: it does nothing of its own, and the dead man's switch is disarmed"
        case Degraded.JOURNAL_FAILED.value:
            return "the journal cannot be written"
        case _:
            return ""


def _positions(state: GuardState) -> Iterator[Halt]:
    """Positions that the guard does not have in hand: nothing is to be added to these."""
    for symbol, guarded in sorted(state.positions.items()):
        if not guarded.position.quantity:
            continue
        for each in guarded.degraded:
            if _halts(each.value, of_account=False):
                text = f"{symbol} is {each.value}".replace("_", " ")
                yield Halt(kind=HaltKind.DEGRADED, name=each.value, text=text, symbols=(symbol,))


def _halts(name: str, *, of_account: bool) -> bool:
    """Whether a degraded state halts: one that is not known here does."""
    harmless = _HARMLESS | _TOLD_OTHERWISE if of_account else _HARMLESS
    return name not in {each.value for each in harmless}
