"""The faults that are set, and whether one of them bites here and now.

Why: engine, doors and tape ask the same question: what is set, meets these circumstances, and has
not bitten often enough? Chance is a hash of (seed, fault, number of times asked), so a run repeats.

Units: milliseconds of protocol time. A probability is a `Decimal` from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b

from connectors.simulated.engine.faults.catalogue import kind_named
from connectors.simulated.engine.faults.kinds import FaultKind, Place, Value
from connectors.simulated.engine.inputs import ClearFault, FaultBit, SetFault
from connectors.simulated.engine.refusals import Refused

MOST_SET = 200
_HASH_BYTES = 8
_ONE = Decimal(1)


@dataclass(slots=True, kw_only=True)
class ActiveFault:
    """One fault that is set.

    Attributes:
        number: Tells it from others of its name; counts from 1.
        fault: As it was set.
        set_ms: When.
        hits: How often it has bitten (outside the engine: as far as that is counted).
        asks: How often the engine has asked whether it bites.
    """

    number: int
    fault: SetFault
    set_ms: int
    hits: int = 0
    asks: int = 0

    @property
    def kind(self) -> FaultKind:
        """Its row of the catalogue."""
        return kind_named(self.fault.name)

    @property
    def parameters(self) -> dict[str, Value]:
        """All its parameters, read."""
        return self.kind.read(self.fault.parameters)

    @property
    def most_hits(self) -> int | None:
        """How often it bites, None for as long as it is set."""
        return self.kind.count if self.fault.count is None else self.fault.count

    @property
    def until_ms(self) -> int | None:
        """When it ends by itself."""
        duration = self.fault.duration_ms
        return None if duration is None else self.set_ms + self.fault.delay_ms + duration

    def is_on(self, at_ms: int, *, hits: int) -> bool:
        """Return whether its time has come, and is not over, after so many hits."""
        if at_ms < self.set_ms + self.fault.delay_ms or (self.until_ms is not None and at_ms >= self.until_ms):
            return False
        return self.most_hits is None or hits < self.most_hits

    def meets(self, circumstances: Mapping[str, object]) -> bool:
        """Return whether it is about this; what it does not name may be anything."""
        return all(_agrees(getattr(self.fault, name), value) for name, value in circumstances.items())

    def bites(self, at_ms: int) -> bool:
        """Return whether it bites now, and count that the engine has asked."""
        if not self.is_on(at_ms, hits=self.hits):
            return False
        self.asks += 1
        is_drawn = self.draws(self.asks)
        self.hits += is_drawn
        return is_drawn

    def draws(self, ask: int) -> bool:
        """Return what chance says the n-th time; always yes without a probability."""
        if self.fault.probability >= _ONE:
            return True
        digest = blake2b(f"{self.fault.seed}:{self.number}:{ask}".encode(), digest_size=_HASH_BYTES).digest()
        return Decimal(int.from_bytes(digest, "big")) / (1 << 8 * _HASH_BYTES) < self.fault.probability


@dataclass(slots=True, kw_only=True)
class FaultBoard:
    """All faults that are set, by number; `count` is the last number given."""

    active: dict[int, ActiveFault] = field(default_factory=dict)
    count: int = 0

    def set(self, fault: SetFault, *, at_ms: int) -> ActiveFault:
        """Check a fault and set it; one that is only an act is returned without being kept.

        Raises:
            Refused: If there is no such fault, or something about it does not fit.
        """
        kind = check(fault)
        self._forget_over(at_ms)
        if len(self.active) >= MOST_SET:
            raise Refused(f"no more than {MOST_SET} faults can be set; clear some")
        self.count += 1
        one = ActiveFault(number=self.count, fault=fault, set_ms=at_ms)
        if not kind.is_act:
            self.active[one.number] = one
        return one

    def clear(self, request: ClearFault) -> int:
        """Take off the fault of a number, all of a name or label, or all; return how many there were.

        Raises:
            Refused: If what is named is not set.
        """
        gone = [
            one.number
            for one in self.active.values()
            if request.number in (None, one.number)
            and request.name in (None, one.fault.name)
            and request.label in (None, one.fault.label)
        ]
        wanted = [one for one in (request.name, request.number, request.label) if one is not None]
        if not gone and wanted:
            raise Refused(f"fault {wanted[0]} is not set")
        for number in gone:
            del self.active[number]
        return len(gone)

    def count_bite(self, bite: FaultBit) -> None:
        """Remember how often a fault has bitten outside the engine."""
        one = self.active.get(bite.number)
        if one is not None:
            one.hits = max(one.hits, bite.hits)

    def standing(self, place: Place, circumstances: Mapping[str, object]) -> Iterator[ActiveFault]:
        """Yield the faults of a place that are about this, whatever the time, oldest first."""
        for one in self.active.values():
            if one.kind.place is place and one.meets(circumstances):
                yield one

    def bites(self, name: str, *, at_ms: int, **circumstances: object) -> dict[str, Value] | None:
        """Return the parameters if a fault of the engine's own bites here and now, and count it."""
        for one in self.active.values():
            if one.fault.name == name and one.meets(circumstances) and one.bites(at_ms):
                return one.parameters
        return None

    def _forget_over(self, at_ms: int) -> None:
        for one in tuple(self.active.values()):
            if one.until_ms is not None and at_ms >= one.until_ms:
                del self.active[one.number]


def check(fault: SetFault) -> FaultKind:
    """Return the fault's kind if all about it fits.

    Raises:
        Refused: With the reason.
    """
    kind = kind_named(fault.name)
    kind.read(fault.parameters)
    for name in ("account", "verb", "path", "operation", "table", "symbol"):
        if getattr(fault, name) is not None and name not in kind.scopes:
            fits = f"it can by {', '.join(sorted(kind.scopes))}" if kind.scopes else "it is for all"
            raise Refused(f"fault {kind.name} cannot be limited by {name}; {fits}")
    if not 0 <= fault.probability <= 1:
        raise Refused(f"probability must be from 0 to 1, not {fault.probability}")
    if fault.count is not None and fault.count < 1:
        raise Refused(f"count must be 1 or more, not {fault.count}")
    if fault.delay_ms < 0 or (fault.duration_ms is not None and fault.duration_ms < 1):
        raise Refused("a fault cannot begin before it is set, nor end before it begins")
    if kind.is_act and (fault.delay_ms or fault.duration_ms or fault.count or fault.probability != 1):
        raise Refused(f"fault {kind.name} happens at once and is over; it takes no count, chance or time")
    return kind


def _agrees(wanted: object, value: object) -> bool:
    if wanted is None:
        return True
    if isinstance(wanted, str) and isinstance(value, str):
        wanted, value = wanted.upper(), value.upper()
        return value.startswith(wanted[:-1]) if wanted.endswith("*") else wanted == value
    return wanted == value
