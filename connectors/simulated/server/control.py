"""The control API: a second loopback port from which a demo or a person steers the exchange.

Why: the venue's own ports must look like the venue; where the tape stands, how to pause it, and
what happened on both clocks belongs beside them, not among them.

    GET  /state                              tape, clock, accounts
    POST /tape {"action": "play"|"pause"|"step"|"speed", "factor": 2.0, "count": 1}
    GET  /events?since=0&account=&kind=&count=
    GET  /tape/prices?since=0&points=
    POST /snapshot                           the whole state, as `--snapshot FILE` takes it

`control_faults` adds faults, prices and announcements by hand, `control_accounts` accounts, keys and
positions.

Units: milliseconds since 1970 UTC, `at_ms` real time and `tape_ms` the tape's.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.simulated.engine.refusals import Refused
from connectors.simulated.server.clock import iso
from connectors.simulated.server.control_accounts import AccountControl
from connectors.simulated.server.control_faults import FaultControl
from connectors.simulated.server.history import Event, PricePoint
from connectors.simulated.server.json_text import dump
from connectors.simulated.server.params import Params, parse_params
from connectors.simulated.server.player import Player
from connectors.simulated.server.rest.door import error_body
from connectors.simulated.server.venue import Venue

_MOST_BODY_BYTES = 4_096
_MOST_EVENTS = 10_000
_MOST_STEPS = 100_000
_FASTEST, _SLOWEST = Decimal(100_000), Decimal("0.001")
_log = structlog.get_logger()


class Control:
    """The handlers of the control API."""

    def __init__(self, venue: Venue, player: Player, tape: dict[str, object]) -> None:
        self._venue = venue
        self._player = player
        self._tape = tape

    def app(self) -> Starlette:
        """Return the application of the second port."""
        faults, accounts = FaultControl(self._venue), AccountControl(self._venue)
        table: dict[tuple[str, str], Callable[[Params], object]] = {
            ("GET", "/state"): self.state,
            ("POST", "/tape"): self.steer,
            ("GET", "/tape/prices"): self.prices,
            ("GET", "/events"): self.events,
            ("POST", "/snapshot"): self.snapshot,
            ("GET", "/faults"): faults.show,
            ("POST", "/faults"): faults.set,
            ("DELETE", "/faults"): faults.clear,
            ("POST", "/prices"): faults.set_prices,
            ("DELETE", "/prices"): faults.clear_prices,
            ("POST", "/announcements"): faults.announce,
            ("GET", "/accounts"): accounts.show,
            ("POST", "/accounts"): accounts.open,
            ("POST", "/accounts/deposit"): accounts.deposit,
            ("POST", "/positions"): accounts.set_position,
            ("GET", "/keys"): accounts.keys,
            ("POST", "/keys"): accounts.set_key,
            ("DELETE", "/keys"): accounts.remove_key,
        }
        return Starlette(
            routes=[Route(path, self._guarded(handler), methods=[verb]) for (verb, path), handler in table.items()],
            exception_handlers={404: _unknown, 405: _unknown},
        )

    def state(self, _params: Params) -> object:
        """Return where the exchange stands."""
        venue = self._venue
        now_ms = venue.clock()
        return {
            "now_ms": now_ms,
            "now": iso(now_ms),
            "tape": {
                **self._tape,
                "step": venue.step,
                "tape_ms": venue.tape_ms,
                "tape_time": None if venue.tape_ms is None else iso(venue.tape_ms),
                "is_playing": venue.tape.is_playing,
                "factor": venue.tape.factor,
                "has_ended": self._player.has_ended,
            },
            "script": self._player.script.state(),
            "accounts": list(venue.exchange.accounts()),
            "connections": venue.hub.listener_count(),
            "events": venue.history.last_sequence(),
        }

    def steer(self, params: Params) -> object:
        """Play, pause, step, or change the speed; return where the exchange stands then."""
        match params.required_text("action"):
            case "play":
                self._player.control(is_playing=True)
            case "pause":
                self._player.control(is_playing=False)
            case "speed":
                factor = params.required_decimal("factor")
                if not _SLOWEST <= factor <= _FASTEST:
                    raise Refused(f"factor must be from {_SLOWEST} to {_FASTEST}")
                self._player.control(factor=float(factor))
            case "step":
                self._player.advance(_within("count", params.whole("count") or 1, _MOST_STEPS))
            case other:
                raise Refused(f"unknown action {other!r}; there are play, pause, speed, step")
        return self.state(params)

    def events(self, params: Params) -> object:
        """Return what happened after `since`, and the number to ask from next."""
        conditions: dict[str, object] = {}
        if params.has("kind"):
            conditions["kind"] = params.text("kind")
        if params.has("account"):
            conditions["account"] = params.whole("account")
        count = _within("count", params.whole("count") or 1_000, _MOST_EVENTS)
        since = params.whole("since") or 0
        found = self._venue.history.events(since=since, conditions=conditions, count=count)
        is_all = len(found) < count
        reached = self._venue.history.last_sequence() if is_all else found[-1].sequence
        return {"events": [_event(one) for one in found], "next": max(since, reached)}

    def prices(self, params: Params) -> object:
        """Return the tape so far, thinned to about `points` steps."""
        points, until = self._venue.history.prices(since=params.whole("since") or 0, points=params.whole("points"))
        return {"prices": [_price(one) for one in points], "next": until}

    def snapshot(self, _params: Params) -> object:
        """Return the state as the file that another exchange of the same settings begins with."""
        return self._venue.snapshot_file()

    def _guarded(self, handler: Callable[[Params], object]) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            try:
                return _json(handler(await _params(request)), 200)
            except Refused as refusal:
                return _json(error_body(refusal), refusal.status)
            except Exception:  # noqa: BLE001 - the edge: logged once here, and the client sees no traceback
                _log.exception("control request failed", path=request.url.path)
                return _json(error_body(Refused("Server Error", status=500, name="Error")), 500)

        return answer


async def _unknown(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _json(error_body(Refused(f"no {request.method} {request.url.path} here", status=status)), status)


async def _params(request: Request) -> Params:
    length = 0
    parts = []
    async for part in request.stream():
        length += len(part)
        if length > _MOST_BODY_BYTES:
            raise Refused("Request body too large", status=413)
        parts.append(part)
    content_type = request.headers.get("content-type", "")
    return parse_params(query=request.scope["query_string"], body=b"".join(parts), content_type=content_type)


def _within(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise Refused(f"{name} must be from 1 to {most}")
    return value


def _event(event: Event) -> dict[str, object]:
    fields: dict[str, object] = msgspec.structs.asdict(event)
    return fields


def _price(point: PricePoint) -> dict[str, object]:
    fields: dict[str, object] = msgspec.structs.asdict(point)
    return fields


def _json(value: object, status: int) -> Response:
    body = value if isinstance(value, bytes) else dump(value)
    return Response(body, status_code=status, media_type="application/json")
