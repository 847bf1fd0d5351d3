"""How often the venue of `model_venue.py` misbehaves, and in which ways."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Faults:
    """Chances per request or second."""

    lose_request: float = 0.0
    lose_reply: float = 0.0
    refuse: float = 0.0
    not_sent: float = 0.0
    answer_cancelled: float = 0.0
    repeat_row: float = 0.0
    slow: float = 0.0
    bot: float = 0.0
    cancel_stops: float = 0.0
    drop_stream: float = 0.0
    restart: float = 0.0
    forget_restart: float = 0.0
    stuck: float = 0.0
    partial: float = 0.0
    margin: float = 0.0
