"""Every metric that the guard gives: name, kind, labels, and what it means. The page can give nothing else.

Names follow Prometheus: a prefix, base units (seconds, ratios), `_total` for what only rises. A label takes its values
from an enum, from the settings, or from the positions held now; never from what somebody else may write.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """What Prometheus makes of it."""

    COUNTER = "counter"
    """Rises, and begins at zero with the process."""
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """One metric, with any number of series."""

    name: str
    """As it stands on the page; a histogram adds `_bucket`, `_sum` and `_count`."""
    kind: Kind
    labels: tuple[str, ...]
    help: str


def _gauge(name: str, text: str, *labels: str) -> Metric:
    return Metric(name=f"seawall_{name}", kind=Kind.GAUGE, labels=labels, help=text)


def _counter(name: str, text: str, *labels: str) -> Metric:
    return Metric(name=f"seawall_{name}_total", kind=Kind.COUNTER, labels=labels, help=text)


def _histogram(name: str, text: str, *labels: str) -> Metric:
    return Metric(name=f"seawall_{name}", kind=Kind.HISTOGRAM, labels=labels, help=text)


# ---------------------------------------------------------------------- the guard as a whole

BUILD_INFO: Final = _gauge("build_info", "Always 1; which build guards which venue.", "version", "python", "venue")
START_TIME: Final = _gauge("start_time_seconds", "When this process began to guard, in seconds since 1970.")
MODE: Final = _gauge("mode", "1 for the mode that the guard is in, 0 for every other.", "mode")
MODE_AGE: Final = _gauge("mode_age_seconds", "How long it has been in this mode.")
OBSERVING: Final = _gauge(
    "observing", "1 while the settings want nothing sent and people told; a shadow counts as a pause."
)
PAUSE_LEFT: Final = _gauge(
    "pause_remaining_seconds", "Until a pause, or a shadow, that a person asked for ends; absent without one.", "kind"
)
DEGRADED: Final = _gauge("degraded", "1 while this degraded state holds, of the account or of any position.", "state")
LATCHES: Final = _gauge("latches", "Latches that hold: no new exposure until somebody lifts them.")
RULE_BROKEN: Final = _gauge(
    "rule_broken", "Breaches of an account rule that stand; rules that are off are absent.", "rule"
)
BOT_SILENT: Final = _gauge("bot_silent", "1 while a bot of the settings is taken for silent.", "bot")
BOT_AGE: Final = _gauge("bot_heard_age_seconds", "Since a bot was last heard; absent before the first time.", "bot")

# ---------------------------------------------------------------------- positions

POSITIONS: Final = _gauge("positions", "Open positions by how far they are from being proved covered.", "stage")
POSITIONS_LEFT_OUT: Final = _gauge("positions_left_out", "Open positions beyond those that are told one by one.")
CONTRACTS: Final = _gauge("position_contracts", "Contracts held; below zero for a short.", "symbol")
MARK_PRICE: Final = _gauge("position_mark_price", "The mark price, in the quote currency.", "symbol")
LIQUIDATION_PRICE: Final = _gauge(
    "position_liquidation_price", "The liquidation price that counts, in the quote currency; absent if none.", "symbol"
)
STOP_PRICE: Final = _gauge(
    "position_stop_price",
    "Trigger of the nearest stop that is proved, in the quote currency; absent if none.",
    "symbol",
)
DISTANCE_RATIO: Final = _gauge(
    "position_liquidation_distance_ratio",
    "Room between mark and liquidation price, as a part of the mark (0.05 is 5 percent); below zero beyond it.",
    "symbol",
)
DISTANCE_VOLATILITIES: Final = _gauge(
    "position_liquidation_distance_volatilities",
    "The same room in standard deviations of an hour; absent while the volatility is not known.",
    "symbol",
)
TOUCH_PROBABILITY: Final = _gauge(
    "position_liquidation_touch_probability",
    "Probability, from 0 to 1, that this room is used up within the hour; absent while the volatility is not known.",
    "symbol",
)
TIER: Final = _gauge("position_tier", "Alert tier: 0 calm, 1 watch, 2 warn, 3 critical, 4 emergency.", "symbol")
STOP_STATE: Final = _gauge(
    "position_stop_state", "1 for how far the position is from being proved covered, 0 for the rest.", "symbol", "stage"
)
NAKED: Final = _gauge(
    "position_naked_seconds",
    "Since the proof of cover was gone; 0 while it stands, absent if none is needed.",
    "symbol",
)
MARK_AGE: Final = _gauge(
    "position_mark_age_seconds", "Since the guard was last told this mark; inside its band it need not be.", "symbol"
)
NAKED_TOTAL: Final = _counter("naked_seconds", "Position-seconds without a proved stop where one was needed.")
TO_PROTECTION: Final = _histogram(
    "time_to_protection_seconds", "From a position known without cover, or its cover gone, until the proof of cover."
)

# ---------------------------------------------------------------------- what is heard

FEED_LIVE: Final = _gauge("feed_live", "1 while a stream is complete on its present connection.", "feed")
FEED_AGE: Final = _gauge(
    "feed_age_seconds",
    "Since a stream last told anything (data) or answered a ping (pong); absent for never.",
    "feed",
    "sign",
)
TOPIC_AGE: Final = _gauge("topic_age_seconds", "Since a topic of a stream last told a row.", "feed", "topic")
UNREADABLE: Final = _counter("unreadable_frames", "Frames of a stream that could not be understood.", "feed")
MARKS_RECEIVED: Final = _counter("marks_received", "Mark prices that came in.")
MARKS_TOLD: Final = _counter("marks_told", "Those that left their band, so that a decision was made about them.")
EVENTS: Final = _counter("events", "Events that the core decided on.", "event")
CLOCK_SKEW: Final = _gauge("clock_skew_seconds", "The venue's clock less ours.")
PICTURE_AGE: Final = _gauge(
    "reconciliation_age_seconds", "Since the newest full read of the account that was folded in was asked for."
)
RECONCILIATIONS: Final = _counter("reconciliations", "Full reads of the account, by how they ended.", "outcome")

# ---------------------------------------------------------------------- what is sent

REQUESTS: Final = _counter("requests", "Requests to the venue, by how they ended.", "command", "outcome")
REQUEST_TIME: Final = _histogram(
    "request_duration_seconds", "From handing a request over until its end is known.", "errand"
)
TICK_TO_COMMAND: Final = _histogram(
    "tick_to_command_seconds", "From taking an event in until the request it led to is handed over.", "trigger"
)
UNPROVED: Final = _gauge("unproved_requests", "Requests that may still take effect: nobody has proved either.", "kind")
UNPROVED_AGE: Final = _gauge(
    "unproved_oldest_seconds", "For how long the oldest of them has been so; absent if none is."
)
IN_FLIGHT: Final = _gauge("requests_in_flight", "Requests that wait for their answer.")
SWITCH_STATE: Final = _gauge("switch_state", "1 for what is known of the dead man's switch, 0 for the rest.", "state")
SWITCH_COUNTDOWN: Final = _gauge(
    "switch_countdown_seconds", "Until the venue cancels every order, unless it is fed; absent unless it is armed."
)
BUDGET_LEFT: Final = _gauge("request_budget_remaining", "Requests left in the venue's bucket of a minute.")
BUDGET_CAPACITY: Final = _gauge("request_budget_capacity", "Requests that this bucket holds when it is full.")
BUDGET_RESERVE: Final = _gauge("request_budget_reserve", "Requests of it that are kept for what protects.")
BUDGET_PAUSED: Final = _gauge("request_budget_paused_seconds", "How long nothing will be sent, as the venue asked for.")
BUDGET_BANNED: Final = _gauge("request_budget_banned", "1 while the venue refuses this address.")

# ---------------------------------------------------------------------- the process and its people

LOOP_LAG_NOW: Final = _gauge("loop_lag_seconds", "How late the last tick of the process was.")
LOOP_LAG: Final = _histogram("loop_lag_distribution_seconds", "How late each second's tick was.")
JOURNAL_RECORDS: Final = _counter("journal_records", "Records ever written to this journal, over restarts.")
JOURNAL_OK: Final = _gauge("journal_ok", "1 while the journal is written, 0 while the disk refuses or hangs.")
JOURNAL_WAITING: Final = _gauge("journal_waiting_records", "Records that are not on disk yet.")
JOURNAL_LAG: Final = _gauge("journal_lag_seconds", "For how long the oldest of these has waited; 0 if none does.")
ALERTS: Final = _counter("alerts_raised", "Alerts that the guard raised.")
MESSAGES: Final = _counter(
    "alert_messages", "Messages that people were to get, over restarts: facts of one kind are one."
)
FACTS: Final = _gauge("alert_facts", "Facts that hold and that people are told of, or that follow from another.")
INHIBITED: Final = _gauge("alert_facts_inhibited", "Those that follow from another, and are not told on their own.")
FACTS_DROPPED: Final = _counter("alert_facts_dropped", "Facts that found no place in memory, over restarts.")
SILENCES: Final = _gauge("silences", "Silences that people have set and that hold.")
ALERTS_WAITING: Final = _gauge("alerts_waiting", "Alerts that a channel still has to deliver.", "channel")
DELIVERIES: Final = _counter("alert_deliveries", "Alerts that a channel is done with, by how.", "channel", "outcome")
ATTEMPTS_FAILED: Final = _counter(
    "alert_attempts_failed", "Attempts at delivery that failed and are repeated.", "channel"
)
HANDED_OVER: Final = _counter("alerts_handed_over", "Alerts that a channel left to its fallback.", "channel")
RELOADS: Final = _counter("reloads", "Reloads of the settings that were asked for, by what came of them.", "result")
PINGS: Final = _counter("heartbeat_pings", "Pings to the service that notices silence, by what they said.", "result")

CATALOGUE: Final[tuple[Metric, ...]] = tuple(each for each in list(globals().values()) if isinstance(each, Metric))
"""In the order of the page."""
LIBRARY: Final = (
    "process_virtual_memory_bytes",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_cpu_seconds_total",
    "process_open_fds",
    "process_max_fds",
)
"""What the client library adds of this process, where the system says it."""
