"""The Alertmanager channel: what is the case, pushed to `POST /api/v2/alerts` and pushed again before it expires.

Why: an Alertmanager is told facts that hold, not messages: it groups, silences and repeats by itself. An alert it does
not hear of again is taken for resolved at its `endsAt`; that is right when this guard is dead (the outside heartbeat
tells of that), and wrong while it lives. So what fires is pushed again three times within its validity, over restarts,
and what is over is pushed with its end for a while, in case one push was lost there.

Not every trouble ends with a message (a happening is simply forgotten after a while, a message may be too old to be
delivered), so at each renewal it is asked whether the trouble still stands; what does not is ended.

Source: prometheus.io/docs/alerting/latest/alerts_api. Units: seconds; times in nanoseconds since 1970 UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx
import msgspec

from config.credentials import Secret
from daemon.shell.alerts.channel import Channel
from daemon.shell.alerts.message import Alert
from daemon.shell.alerts.post import Post
from daemon.shell.alerts.words import title_of
from daemon.shell.clock import Clock

PATH = "/api/v2/alerts"
VALID_FOR_RENEWALS = 4
"""`endsAt` lies this many renewals ahead: three may be lost."""
OVER_FOR_RENEWALS = 5
"""So many renewals long the end of an alert is told again."""
MOST_HELD = 200
EVENT_S = 300.0
"""A message that stands alone tells of a moment; it is shown for this long."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]")
"""An Alertmanager refuses the whole push for one such sign in the name of an annotation."""

Row = dict[str, object]


class Alertmanager(Channel):
    """Pushes to one Alertmanager."""

    def __init__(
        self,
        url: Secret,
        *,
        timeout_s: float,
        renew_every_s: float,
        clock: Clock,
        stands: Callable[[str], bool | None] | None = None,
    ) -> None:
        self._post = Post(Secret(push_address(url.reveal())), timeout_s=timeout_s)
        self.renew_every_s = renew_every_s
        self._valid_ns = int(VALID_FOR_RENEWALS * renew_every_s * 1e9)
        self._over_ns = int(OVER_FOR_RENEWALS * renew_every_s * 1e9)
        self._clock = clock
        self._stands = stands
        """Whether the trouble of a group still stands; None: nobody knows yet."""

    async def __aenter__(self) -> Self:
        await self._post.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._post.__aexit__(kind, error, trace)

    async def deliver(self, alert: Alert) -> None:
        """Push one alert, and the end of what it takes the place of."""
        replaced = tuple(each for each in self.held if takes_the_place(alert, each))
        rows = [*rows_of(replaced, ends_ns=alert.raised_ns), *self._rows((alert,))]
        await self._post.send(msgspec.json.encode(rows))
        self.held = held_after(self.held, alert)

    async def renew(self) -> None:
        """Push again what fires, and what ended a short while ago."""
        now_ns = self._clock.now_ns()
        known = tuple(self._as_it_stands(each, now_ns) for each in self.held)
        kept = tuple(each for each in known if not each.is_resolved or now_ns - each.raised_ns < self._over_ns)
        if kept:
            await self._post.send(msgspec.json.encode(self._rows(kept)))
        self.held = kept

    def _as_it_stands(self, alert: Alert, now_ns: int) -> Alert:
        if alert.is_resolved or self._stands is None or self._stands(alert.group) is not False:
            return alert
        return msgspec.structs.replace(alert, is_resolved=True, raised_ns=now_ns, started_ns=alert.begun_ns)

    def take_held(self, alerts: tuple[Alert, ...]) -> None:
        """Go on with what an earlier process pushed; what was pushed since then is newer."""
        newer = self.held
        self.held = alerts
        for each in newer:
            self.held = held_after(self.held, each)

    def _rows(self, alerts: Iterable[Alert]) -> list[Row]:
        now_ns = self._clock.now_ns()
        return [
            row
            for alert in alerts
            for row in rows_of((alert,), ends_ns=_ends_ns(alert, now_ns, valid_ns=self._valid_ns))
        ]


def push_address(url: str) -> str:
    """Return where to push, of an Alertmanager whose own address is given; what ends in the path already is taken."""
    address = httpx.URL(url)
    path = address.path.rstrip("/")
    return str(address.copy_with(path=path if path.endswith(PATH) else path + PATH))


def takes_the_place(alert: Alert, held: Alert) -> bool:
    """Whether an alert that fires must be ended because its group goes on under other labels."""
    return bool(alert.group) and held.group == alert.group and not held.is_resolved and labels(held) != labels(alert)


def held_after(held: tuple[Alert, ...], alert: Alert) -> tuple[Alert, ...]:
    """What has to be renewed once an alert was pushed: one of each group, the newest last, a bounded number."""
    if not alert.group:
        return held
    return (*(each for each in held if each.group != alert.group), alert)[-MOST_HELD:]


def labels(alert: Alert) -> dict[str, str]:
    """What makes the alert itself: the same while its trouble lasts at one level.

    What a message of a group is mostly about (topic, symbol) may change while the trouble is the same.
    """
    named = {
        "alertname": f"Seawall_{_NOT_IN_NAMES.sub('_', alert.group or alert.topic)}",
        "severity": alert.level or alert.severity.value,
        "account": str(alert.account),
        "symbol": "" if alert.group else alert.symbol,
        "group": alert.group or f"{alert.topic}:{alert.state}:{alert.symbol}",
    }
    return {name: value for name, value in named.items() if value}


def words_about(alert: Alert) -> dict[str, str]:
    """What is said about it; the newest counts."""
    named = {
        "summary": title_of(alert),
        "description": alert.text,
        "did": alert.did,
        "will": alert.will,
        "you_can": alert.you_can,
        "alert_id": alert.alert_id,
        "topic": alert.topic,
        "symbol": alert.symbol,
        "state": alert.state,
        **{f"fact_{_NOT_IN_NAMES.sub('_', name)}": value for name, value in alert.facts.items()},
    }
    return {name: value for name, value in named.items() if value}


def rows_of(alerts: Iterable[Alert], *, ends_ns: int) -> list[Row]:
    """The objects of one push."""
    return [
        {
            "labels": labels(alert),
            "annotations": words_about(alert),
            "startsAt": _rfc3339(min(alert.begun_ns, ends_ns)),
            "endsAt": _rfc3339(ends_ns),
        }
        for alert in alerts
    ]


def _ends_ns(alert: Alert, now_ns: int, *, valid_ns: int) -> int:
    if alert.is_resolved:
        return alert.raised_ns
    return now_ns + (valid_ns if alert.group else int(EVENT_S * 1e9))


def _rfc3339(at_ns: int) -> str:
    seconds, rest_ns = divmod(at_ns, 10**9)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest_ns // 1_000:06}Z"
