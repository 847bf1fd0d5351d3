"""Modes of the guard and the table between them.

    STARTING ──can see──> SYNCING ──picture taken──> GUARDING
       │                   ^   │                        │
       │               can see └──cannot see──> BLIND <─┘ cannot see
       │                   └──────────────────────┘
       └── stop asked, from anywhere ──> STOPPING ──settled──> STOPPED

- STARTING: nothing complete was heard from the streams yet. A REST picture is asked at once, and what it shows is
  covered, but the switch is not fed.
- SYNCING: both streams are live; the picture that was asked since then is awaited before anything counts as fresh.
- GUARDING: the guard can see and act. Only here is the dead man's switch fed (P6).
- BLIND: a stream is lost or stale, the loop or the clock is off, or pictures are overdue. Positions known from account
  news are still covered if requests work; nothing is read as safe.
- STOPPING, STOPPED: an orderly stop; STOPPED does nothing more.

A pair that is absent from the table cannot happen and breaks an invariant.
"""

from __future__ import annotations

from enum import Enum

from daemon.core.errors import InvariantBroken


class Mode(Enum):
    """Where the guard as a whole stands."""

    STARTING = "starting"
    SYNCING = "syncing"
    GUARDING = "guarding"
    BLIND = "blind"
    STOPPING = "stopping"
    STOPPED = "stopped"


class ModeInput(Enum):
    """What moves it."""

    CAN_SEE = "can_see"
    CANNOT_SEE = "cannot_see"
    PICTURE_TAKEN = "picture_taken"
    STOP_ASKED = "stop_asked"
    SETTLED = "settled"
    RESTARTED = "restarted"


TABLE: dict[tuple[Mode, ModeInput], Mode] = {
    (Mode.STARTING, ModeInput.CAN_SEE): Mode.SYNCING,
    (Mode.STARTING, ModeInput.CANNOT_SEE): Mode.STARTING,
    (Mode.STARTING, ModeInput.STOP_ASKED): Mode.STOPPING,
    (Mode.SYNCING, ModeInput.CAN_SEE): Mode.SYNCING,
    (Mode.SYNCING, ModeInput.CANNOT_SEE): Mode.BLIND,
    (Mode.SYNCING, ModeInput.PICTURE_TAKEN): Mode.GUARDING,
    (Mode.SYNCING, ModeInput.STOP_ASKED): Mode.STOPPING,
    (Mode.GUARDING, ModeInput.CAN_SEE): Mode.GUARDING,
    (Mode.GUARDING, ModeInput.CANNOT_SEE): Mode.BLIND,
    (Mode.GUARDING, ModeInput.STOP_ASKED): Mode.STOPPING,
    (Mode.BLIND, ModeInput.CAN_SEE): Mode.SYNCING,
    (Mode.BLIND, ModeInput.CANNOT_SEE): Mode.BLIND,
    (Mode.BLIND, ModeInput.STOP_ASKED): Mode.STOPPING,
    (Mode.STOPPING, ModeInput.STOP_ASKED): Mode.STOPPING,
    (Mode.STOPPING, ModeInput.SETTLED): Mode.STOPPED,
    (Mode.STOPPED, ModeInput.STOP_ASKED): Mode.STOPPED,
} | {(mode, ModeInput.RESTARTED): Mode.STARTING for mode in Mode}


def next_mode(mode: Mode, moved_by: ModeInput) -> Mode:
    """The mode after `moved_by`.

    Raises:
        InvariantBroken: For a pair that the table does not hold.
    """
    try:
        return TABLE[mode, moved_by]
    except KeyError:
        raise InvariantBroken(f"{moved_by} cannot happen in {mode}") from None
