"""All that a restart of the exchange needs, as one value.

Why: beside the engine's world the venue remembers where the tape stands, what it has published and
what it tells of the past; a snapshot is all of it or it is none.

Units: milliseconds; `at_ms` of protocol time, `tape_ms` of the tape.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.simulated.engine.inputs import SetPrices
from connectors.simulated.engine.world import World
from connectors.simulated.server.history import History
from connectors.simulated.server.hub import Published
from connectors.simulated.server.state import TapeState


@dataclass(kw_only=True, slots=True)
class VenueState:
    """What a snapshot of a running exchange holds.

    Attributes:
        at_ms: Protocol time.
        step: Index of the tape's last step.
        tape_ms: Its time.
        tape: What the operator set on the tape.
        last_prices: What is published again while the tape stands still.
        world: The engine.
        published: What the next frames depend on.
        history: What the control API tells of the past.
        faults: How often each fault was asked and has bitten outside the engine, by number.
    """

    at_ms: int
    step: int
    tape_ms: int | None
    tape: TapeState
    last_prices: SetPrices | None
    world: World
    published: Published
    history: History
    faults: dict[int, tuple[int, int]] = field(default_factory=dict)
