"""New settings for a running guard: all of them, or nothing changes.

In this order, so that nothing is half done: settings and credentials are read whole; what only a start can change is
refused by name; another key is proved beside the one in use; where stops may loosen the journal has to be on disk
first (P3); then the policy goes in as one event, the log's grade is set, the other key signs from the next request on,
and the account stream is renewed with it. The answer comes when the record is on disk.

See docs/decisions/0030-settings-that-explain-themselves-and-change-while-it-runs.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from typing import Final, Protocol

import structlog

from config.compare import Change, changes, shown, values
from config.credentials import Credentials, KeyInUse
from config.impossible import impossible
from config.load import SettingsError
from config.model import Settings
from config.policy import Policy, SwitchMode
from config.secrets_from import CredentialsError
from daemon.core.commands import RaiseAlert, Severity
from daemon.core.events import Event, PolicyChanged
from daemon.core.reasons import Reason
from daemon.core.state import GuardState
from daemon.shell.clock import Clock
from daemon.shell.watchdog import ServiceNotifier

DURABLE_WITHIN_S: Final = 2.0
BY_SIGNAL: Final = "SIGHUP"
_AT_START: Final = frozenset({"observe", "bots"})
"""Parts of the policy that more than the core has to know of."""
_LIVE: Final = frozenset({each.name for each in fields(Policy)} - _AT_START) | {"credentials"}
_LIVE_KEYS: Final = frozenset({"log.level"})
"""Single keys of tables that are read at the start."""
_WHY: Final = {
    "guard": "whether the guard acts, and with which rights, is settled at its start",
    "bots": "who may call is settled at the start",
    "venue": "connections are made at the start",
    "switch": "a countdown that runs must not be forgotten, so whether the switch is used is settled at the start",
}
_NOTHING: Final = "nothing was changed"
_NOT_RECORDED: Final = (
    "the journal cannot be written at the moment, and stops are not loosened without a record of who asked for it;"
    " nothing was changed"
)

log = structlog.get_logger("reload")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fresh:
    """What was read anew."""

    settings: Settings
    credentials: Credentials


@dataclass(frozen=True, kw_only=True, slots=True)
class Renewal:
    """Where a running guard gets its settings and its key from, after the start."""

    read: Callable[[], Fresh]
    """Blocks. Raises SettingsError or CredentialsError."""
    key: KeyInUse
    prove: Callable[[Fresh, int], Awaitable[str]]
    """Try another key for an account beside the one in use; why it cannot be used, or nothing."""
    hide: Callable[[str], None]
    """Tell the logs of one more text that must never be written."""
    log_from: Callable[[str], None]
    """Log from another grade on, as `log.level` names it."""


class _Refused(Exception):
    """Nothing was changed, and why."""

    def __init__(self, words: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(words)
        self.words = words
        self.problems = problems


class Core(Protocol):
    """What a reload needs of the runner."""

    @property
    def state(self) -> GuardState:
        """The newest state."""

    def take(self, event: Event) -> None:
        """Take an event in."""


class Reloader:
    """Reloads one guard, one reload at a time.

    Attributes:
        settings: Those in use.
        figures: For status and metrics: how often, and what went wrong last.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        renewal: Renewal | None,
        clock: Clock,
        wait_durable: Callable[[float], bool],
        tell: Callable[[RaiseAlert], None],
        hung_up: asyncio.Event,
        notifier: ServiceNotifier | None = None,
    ) -> None:
        """Prepare for the first reload.

        Args:
            settings: Those of the start.
            renewal: None for a guard that has no settings file.
            clock: Stamps the event.
            wait_durable: Blocks until the journal is on disk; False if it is not within that many seconds.
            tell: Tells people, where nobody waits for an answer.
            hung_up: Set by the signal that asks for a reload.
            notifier: The service manager, which hears when a reload begins and ends.
        """
        self.settings = settings
        self.figures: dict[str, object] = {"reloads": 0, "refused": 0, "problem": ""}
        self._renewal = renewal
        self._clock = clock
        self._wait_durable = wait_durable
        self._tell = tell
        self._turn = asyncio.Lock()
        self._hung_up = hung_up
        self._notifier = notifier or ServiceNotifier(None)
        self._core: Core | None = None
        self._renew_stream: Callable[[str], None] = lambda _reason: None

    def open(self, core: Core, renew_stream: Callable[[str], None]) -> None:
        """The guard knows its account: from now on there is something to change."""
        self._core, self._renew_stream = core, renew_stream

    async def run(self) -> None:
        """Reload at each signal; what was refused goes to people, since nobody waits for the answer."""
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            answer = await self.reload(BY_SIGNAL)
            if "error" in answer:
                self._say_refused(str(answer["error"]))

    async def reload(self, who: str, *, may_loosen: bool = False) -> dict[str, object]:
        """Read settings and credentials anew and go on under them.

        Args:
            who: Name of the user who asked.
            may_loosen: Whether resting stops may go back as far as the new policy asks (P3).

        Returns:
            `done` in words with the `changes`, and `warnings` about what in them cannot work (in force all the same:
            who asks may have a reason), or `error` and its `problems`: then nothing was changed.
        """
        async with self._turn:
            with self._notifier.reloading(f"reading the settings anew for {who}"):
                answer = await self._answer(who, may_loosen=may_loosen)
        is_refused = "error" in answer
        self.figures["refused" if is_refused else "reloads"] = self._count(is_refused) + 1
        self.figures["problem"] = answer.get("error", "")
        say = log.warning if is_refused else log.info
        say("reload refused" if is_refused else "reload", **{"who": who, **answer})
        return answer

    async def _answer(self, who: str, *, may_loosen: bool) -> dict[str, object]:
        try:
            return await self._reload(who, may_loosen=may_loosen)
        except _Refused as refused:
            return {"error": refused.words, "problems": list(refused.problems)}

    def shown(self) -> dict[str, object]:
        """Return the settings in force by their place, as text and without anything secret."""
        return {"settings": {place: shown(place, value) for place, value in values(self.settings).items()}}

    def _count(self, is_refused: bool) -> int:
        count = self.figures["refused" if is_refused else "reloads"]
        return count if isinstance(count, int) else 0

    async def _reload(self, who: str, *, may_loosen: bool) -> dict[str, object]:
        core, renewal = self._core, self._renewal
        if renewal is None:
            raise _Refused("this guard was not started from a settings file, so there is none to read anew")
        if core is None:
            raise _Refused("the guard does not know its account yet, so nothing was changed; ask again in a moment")
        fresh = await _read(renewal)
        found = changes(self.settings, fresh.settings)
        _refuse_what_needs_a_start(found)
        renewal.hide(fresh.credentials.secret.reveal())
        if fresh.credentials != renewal.key.pair:
            problem = await renewal.prove(fresh, core.state.account)
            if problem:
                raise _Refused(f"the other API key cannot be used: {problem}; the one in use stays; {_NOTHING}")
        if may_loosen and not await asyncio.to_thread(self._wait_durable, DURABLE_WITHIN_S):
            raise _Refused(_NOT_RECORDED)
        return await self._carry_out(core, renewal, fresh, found, who, may_loosen=may_loosen)

    async def _carry_out(
        self, core: Core, renewal: Renewal, fresh: Fresh, found: tuple[Change, ...], who: str, *, may_loosen: bool
    ) -> dict[str, object]:
        """No way back from here, and nothing that can fail."""
        words = [str(each) for each in found]
        has_other_key = fresh.credentials != renewal.key.pair
        if has_other_key:
            words.append(f"key: {renewal.key.key_id} -> {fresh.credentials.key_id}")
        if words or may_loosen:
            core.take(
                PolicyChanged(
                    at_ns=self._clock.now_ns(),
                    policy=_with_running(fresh.settings.policy, core.state.policy),
                    who=who,
                    changes=tuple(words),
                    may_loosen=may_loosen,
                )
            )
        self.settings = fresh.settings
        renewal.log_from(fresh.settings.log.level)
        if has_other_key:
            renewal.key.replace(fresh.credentials)
            self._renew_stream("another API key signs from now on")
        is_durable = await asyncio.to_thread(self._wait_durable, DURABLE_WITHIN_S)
        warnings = list(impossible(fresh.settings.policy, fresh.settings.venue)) if words else []
        done = _done(words, may_loosen=may_loosen)
        return {"done": done, "changes": words, "warnings": warnings, "who": who, "on_disk": is_durable}

    def _say_refused(self, problem: str) -> None:
        now_ns = self._clock.now_ns()
        self._tell(
            RaiseAlert(
                reason=Reason.OPERATOR,
                alert_id=f"policy:reload_refused::{now_ns}",
                severity=Severity.WARNING,
                topic="policy",
                state="reload_refused",
                symbol="",
                text=f"A reload was asked for by signal and refused: {problem}. `seawall check` says what to mend.",
            )
        )


async def _read(renewal: Renewal) -> Fresh:
    try:
        return await asyncio.to_thread(renewal.read)
    except SettingsError as error:
        raise _Refused(f"the settings cannot be used; {_NOTHING}", error.problems) from error
    except CredentialsError as error:
        raise _Refused(f"{error}; {_NOTHING}") from error


def _refuse_what_needs_a_start(found: tuple[Change, ...]) -> None:
    problems = tuple(f"{each}: {why}" for each in found if (why := why_at_start(each)))
    if problems:
        words = f"some of this takes effect with a restart only (stops stay where they rest); {_NOTHING}"
        raise _Refused(words, problems)


def why_at_start(change: Change) -> str:
    """Why a change needs a restart; empty if it does not."""
    table = change.place.partition(".")[0]
    if table not in _LIVE and change.place not in _LIVE_KEYS:
        return _WHY.get(table, "it is read at the start only")
    off = f'"{SwitchMode.OFF.value}"'
    return _WHY["switch"] if change.place == "switch.mode" and off in {change.before, change.after} else ""


def _with_running(policy: Policy, running: Policy) -> Policy:
    """What is settled at the start stays what it is in the core, whatever it was turned to since."""
    return replace(policy, observe=running.observe, bots=running.bots)


def _done(words: list[str], *, may_loosen: bool) -> str:
    if not words:
        return "let stops go back as far as the policy asks" if may_loosen else "nothing has changed"
    stops = "stops may go back as far as it asks" if may_loosen else "stops stay where they rest, or move nearer"
    return f"in force now: {'; '.join(words)}; {stops}"
