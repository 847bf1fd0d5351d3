"""The demo's view of the embedded exchange's control port: the tape, and what happened on both clocks."""

from __future__ import annotations

import httpx
import msgspec

Row = dict[str, object]


class TapeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One execution row, with the time on the tape."""

    sequence: int
    kind: str
    at_ms: int
    tape_ms: int | None
    account: int | None
    row: Row


class TapePrices(msgspec.Struct, frozen=True, kw_only=True):
    """The prices of one step of the tape."""

    at_ms: int
    tape_ms: int
    mark: dict[str, float]
    last: dict[str, float]


class TapePosition(msgspec.Struct, frozen=True, kw_only=True):
    """Where the tape stands."""

    tape_ms: int | None = None
    step: int
    is_playing: bool
    has_ended: bool


class _State(msgspec.Struct, frozen=True, kw_only=True):
    tape: TapePosition


class _Events(msgspec.Struct, frozen=True, kw_only=True):
    events: list[TapeEvent]
    next: int


class _Prices(msgspec.Struct, frozen=True, kw_only=True):
    prices: list[TapePrices]
    next: int


class TapeControl:
    """Reads on from where it last read, and starts the tape.

    Attributes:
        events: All executions of all accounts so far.
        prices: Every step of the tape so far.
        position: Where the tape stood at the last reading.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.events: list[TapeEvent] = []
        self.prices: list[TapePrices] = []
        self.position: TapePosition | None = None
        self._next_event = 0
        self._next_price = 0
        self._factor = 1.0

    async def play(self) -> None:
        """Let the tape run, from where it stands."""
        (await self._http.post("/tape", json={"action": "play"})).raise_for_status()

    async def run_at(self, factor: float) -> None:
        """Let the tape run this many times as fast as its own pace; asks only when that is a change."""
        if factor != self._factor:
            (await self._http.post("/tape", json={"action": "speed", "factor": factor})).raise_for_status()
            self._factor = factor

    async def read(self) -> TapePosition:
        """Read everything new; the position first, so that nothing before it can be missed."""
        self.position = msgspec.json.decode(await self._get("/state"), type=_State).tape
        events = msgspec.json.decode(await self._get(f"/events?since={self._next_event}&count=10000"), type=_Events)
        prices = msgspec.json.decode(await self._get(f"/tape/prices?since={self._next_price}"), type=_Prices)
        self.events.extend(events.events)
        self.prices.extend(prices.prices)
        self._next_event, self._next_price = events.next, prices.next
        return self.position

    async def _get(self, path: str) -> bytes:
        reply = await self._http.get(path)
        reply.raise_for_status()
        return reply.content
