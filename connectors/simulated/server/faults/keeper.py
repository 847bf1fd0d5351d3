"""Which faults bite outside the engine, and how often they have.

Why: requests and frames that meet a fault are no inputs, yet a limited fault must not begin to count
anew after a restart. So the count is kept here and told to the engine as an input, a moment later,
because a frame is passed on in the middle of another input.

Units: milliseconds of protocol time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from connectors.simulated.engine.faults.board import ActiveFault, FaultBoard
from connectors.simulated.engine.faults.kinds import Place, Value
from connectors.simulated.engine.inputs import FaultBit, Input


@dataclass(slots=True, kw_only=True)
class _Tally:
    asks: int = 0
    hits: int = 0
    told: int = 0  # hits the engine knows of
    memory: dict[object, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bite:
    """A fault that bites here and now.

    Attributes:
        name: Its name.
        parameters: All of them.
        one: The fault as it is set.
        memory: What its effect wants to remember while it is set.
    """

    name: str
    parameters: Mapping[str, Value]
    one: ActiveFault
    memory: dict[object, object]

    def whole(self, name: str) -> int:
        """Return a parameter that is a whole number."""
        return int(str(self.parameters[name]))

    def text(self, name: str) -> str:
        """Return a parameter that is a text."""
        return str(self.parameters[name])


class Keeper:
    """Asks the engine's board, and counts."""

    def __init__(
        self, board: Callable[[], FaultBoard], *, clock: Callable[[], int], submit: Callable[[Input], object]
    ) -> None:
        self._board = board
        self._clock = clock
        self._submit = submit
        self._tallies: dict[int, _Tally] = {}
        self._is_telling = False

    def is_quiet(self) -> bool:
        """Return whether no fault is set at all."""
        return not self._board().active

    def bites(self, places: Iterable[Place], fits: Callable[[Bite], bool], **circumstances: object) -> list[Bite]:
        """Return the faults that bite, oldest first, and count them.

        Args:
            places: Where.
            fits: Whether a fault is about this kind of thing at all; asked before it is counted.
            circumstances: Whom or what it would meet.
        """
        return [
            bite
            for place in places
            for one in self._board().standing(place, circumstances)
            if fits(bite := self._bite(one)) and self._counts(one)
        ]

    def counts(self) -> dict[int, tuple[int, int]]:
        """Return how often each fault that is set was asked and has bitten: its chances go on from there."""
        active = self._board().active
        return {number: (one.asks, one.hits) for number, one in sorted(self._tallies.items()) if number in active}

    def restore(self, counts: Mapping[int, tuple[int, int]]) -> None:
        """Go on from counts."""
        self._tallies = {number: _Tally(asks=asks, hits=hits) for number, (asks, hits) in counts.items()}

    def standing(self, name: str) -> list[Bite]:
        """Return the faults of a name that are on now, without counting."""
        found = (one for one in self._board().active.values() if one.fault.name == name)
        return [self._bite(one) for one in found if one.is_on(self._clock(), hits=self._tally(one).hits)]

    def hits(self, one: ActiveFault) -> int:
        """Return how often a fault has bitten, in the engine and outside."""
        return max(one.hits, self._tally(one).hits)

    def _bite(self, one: ActiveFault) -> Bite:
        return Bite(name=one.fault.name, parameters=one.parameters, one=one, memory=self._tally(one).memory)

    def _counts(self, one: ActiveFault) -> bool:
        tally = self._tally(one)
        if not one.is_on(self._clock(), hits=tally.hits):
            return False
        tally.asks += 1
        if not one.draws(tally.asks):
            return False
        tally.hits += 1
        if one.most_hits is not None:
            self._tell_soon()
        return True

    def _tally(self, one: ActiveFault) -> _Tally:
        found = self._tallies.get(one.number)
        if found is None:
            self._tallies = {number: kept for number, kept in self._tallies.items() if number in self._board().active}
            found = self._tallies[one.number] = _Tally()
        if one.hits > found.told:  # told before a restart
            found.hits, found.told = max(found.hits, one.hits), one.hits
        return found

    def _tell_soon(self) -> None:
        if not self._is_telling:
            self._is_telling = True
            asyncio.get_running_loop().call_soon(self._tell)

    def _tell(self) -> None:
        self._is_telling = False
        for number, tally in self._tallies.items():
            one = self._board().active.get(number)
            if one is not None and one.most_hits is not None and tally.hits > tally.told:
                tally.told = tally.hits
                self._submit(FaultBit(number=number, hits=tally.hits))
