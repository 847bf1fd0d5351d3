"""What bots ask of the guard, whichever way the question came: heard, coalesced, answered from the newest state.

Why coalesced: a bot in a loop may call a thousand times a second, and each event costs a record of the journal. One a
second tells the core as much. A bot that is taken for dead is passed on at once, since that ends something.

It only reads the state; the one thing that it tells the core is `BotHeard`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

from config.bots import BotPolicy, Heartbeat
from daemon.core import halt
from daemon.core.events import BotHeard, Event, HeardBy
from daemon.core.mode import Mode
from daemon.core.state import GuardState
from daemon.shell.clock import Clock
from daemon.shell.status_bots import standing_of

TELL_EVERY_NS: Final = 10**9
"""At most one event a second for each bot."""

Answer = dict[str, object]


class Core(Protocol):
    """What the desk needs of the runner."""

    @property
    def state(self) -> GuardState:
        """The newest state."""

    def take(self, event: Event) -> None:
        """Take an event in."""


class NotYet(Exception):
    """The guard does not know its account yet, so nobody is heard."""


class UnknownBot(Exception):
    """No bot of that name is in the settings; the text names those that are."""


class NotAsked(Exception):
    """The settings say that this bot is not heard by calls."""


class BotDesk:
    """One guard's ear. Without a core (the guard is still opening) it hears nobody, and says "halted"."""

    def __init__(self, bots: Mapping[str, BotPolicy], *, clock: Clock) -> None:
        self._bots = bots
        self._clock = clock
        self._core: Core | None = None
        self._told_ns: dict[str, int] = {}
        self._since_ns = clock.now_ns()
        self.calls = 0
        """Taken so far, those that were coalesced included."""

    def open(self, core: Core) -> None:
        """Begin to hear: the guard knows its account."""
        self._core = core

    # ------------------------------------------------------------ heartbeats

    def hear(self, name: str, how: HeardBy) -> Answer:
        """Take a bot's call; return how the bot stands, and whether it ought to stop adding exposure.

        Raises:
            UnknownBot: If the settings name no such bot.
            NotAsked: If it is heard by its orders only.
            NotYet: If the guard is still opening: the bot calls again in a moment.
        """
        policy = self._bots.get(name)
        if policy is None:
            known = ", ".join(sorted(self._bots)) or "none"
            raise UnknownBot(f"no bot of the settings is called {name!r}; known: {known}")
        if policy.heartbeat is Heartbeat.ORDERS:
            raise NotAsked(f'bots.{name}.heartbeat is "orders": calls do not count, its orders do')
        if self._core is None:
            raise NotYet("the guard does not know its account yet; call again in a moment")
        self.calls += 1
        was_silent = self._is_silent(self._core.state, name)
        now_ns = self._clock.now_ns()
        if was_silent or now_ns >= self._told_ns.get(name, 0) + TELL_EVERY_NS:
            self._told_ns[name] = now_ns
            self._core.take(BotHeard(at_ns=now_ns, bot=name, how=how))
        is_halted = bool(halt.halts(self._core.state, now_ns=now_ns, bot=name))
        return {"bot": name, "heard": True, "was_silent": was_silent, "halted": is_halted}

    @staticmethod
    def _is_silent(state: GuardState, name: str) -> bool:
        bot = state.bots.get(name)
        return bot is not None and bot.is_silent

    # ------------------------------------------------------------ answers

    def describe_bots(self) -> list[Answer]:
        """Return every bot of the settings and how it stands."""
        now_ns = self._clock.now_ns()
        state = None if self._core is None else self._core.state
        return [standing_of(name, policy, state, now_ns=now_ns) for name, policy in sorted(self._bots.items())]

    def describe_halt(self, *, symbol: str | None = None, bot: str | None = None) -> Answer:
        """Return the halt flag for who asks.

        Raises:
            UnknownBot: If `bot` is none of the settings.
        """
        now_ns = self._clock.now_ns()
        if bot is not None and bot not in self._bots:
            raise UnknownBot(
                f"no bot of the settings is called {bot!r}; known: {', '.join(sorted(self._bots)) or 'none'}"
            )
        if self._core is None:
            text = "the guard is opening: it does not know its account yet"
            return _flag((halt.Halt(kind=halt.HaltKind.NOT_GUARDING, name="opening", text=text),), now_ns, None, {})
        state = self._core.state
        found = halt.halts(state, now_ns=now_ns, symbol=symbol, bot=bot)
        facts: Answer = {"account": state.account, "mode": state.mode.value, "observe": state.policy.observe}
        return _flag(found, now_ns, halt.age_ns(state, now_ns), facts)

    def describe_health(self) -> tuple[bool, Answer]:
        """Return whether the guard guards, and how it fares."""
        now_ns = self._clock.now_ns()
        if self._core is None:
            return False, {"guarding": False, "mode": "opening", "age_s": _seconds(now_ns - self._since_ns)}
        state = self._core.state
        old_ns = halt.age_ns(state, now_ns)
        is_guarding = state.mode is Mode.GUARDING and state.pause is None and old_ns <= halt.STALE_AFTER_NS
        health = state.health
        return is_guarding, {
            "guarding": is_guarding,
            "mode": state.mode.value,
            "account": state.account,
            "age_s": _seconds(old_ns),
            "market_live": health.market.is_live,
            "account_live": health.account.is_live,
            "journal_ok": health.is_journal_ok,
            "degraded": sorted(state.degraded),
        }


def _flag(found: tuple[halt.Halt, ...], now_ns: int, age_ns: int | None, facts: Answer) -> Answer:
    since = [each.since_ns for each in found if each.since_ns]
    return {
        "halted": bool(found),
        "since": _moment(min(since)) if since else None,
        "symbols": sorted({symbol for each in found for symbol in each.symbols}),
        "whole_account": any(not each.symbols for each in found),
        "reasons": [_reason(each, now_ns) for each in found],
        "at": _moment(now_ns),
        "age_s": None if age_ns is None else _seconds(age_ns),
        **facts,
    }


def _reason(each: halt.Halt, now_ns: int) -> Answer:
    return {
        "kind": each.kind.value,
        "name": each.name,
        "text": each.text,
        "symbols": list(each.symbols),
        "since": _moment(each.since_ns) if each.since_ns else None,
        "for_s": _seconds(now_ns - each.since_ns) if each.since_ns else None,
    }


def _moment(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns / 1e9, UTC).isoformat(timespec="milliseconds")


def _seconds(duration_ns: int) -> float:
    return round(max(0, duration_ns) / 1e9, 3)
