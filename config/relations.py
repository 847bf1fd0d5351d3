"""Which keys speak to each other, and in what: for `seawall config explain`.

Why: most mistakes with a setting are mistakes about its neighbour. Only what the code really reads together stands
here; a test asks that every key named exists.

Pure: no input or output.
"""

from __future__ import annotations

from typing import Final

RELATIONS: Final[tuple[tuple[str, str, str], ...]] = (
    ("stop.buffer_percent", "stop.buffer_volatility", "the wider of the two is kept"),
    ("stop.buffer_percent", "stop.max_room_share", "the buffer never takes more than this share of the way"),
    ("stop.buffer_percent", "stop.floor_percent", "the floor has to be smaller, or no stop could stand between"),
    ("stop.buffer_percent", "tiers.watch_percent", "tiers below the buffer are reached only when the stop failed"),
    ("stop.buffer_percent", "tiers.critical_percent", "steps of a tier behind the stop come too late"),
    ("stop.style", "take_profit.mode", 'a stop of style "close" cancels take-profit orders when it fires'),
    ("stop.on_start_breach", "stop.fixed.long", "a price that the mark has passed already is told, not sold"),
    ("stop.confirm_within_s", "health.stale_after_s", "an unconfirmed stop is asked for long before a feed is stale"),
    ("stop.stuck_after_s", "stop.confirm_within_s", "first asked for, then reduced at the market"),
    ("stop.max_loss.equity_percent", "account.risk_per_trade.equity_percent", "a smaller limit there breaks each time"),
    ("stop.max_loss.equity_percent", "account.daily_loss.equity_percent", "a smaller limit there ends the day at once"),
    ("stop.trailing.distance_percent", "stop.trailing.step_percent", "the step may not exceed the distance"),
    ("stop.trailing.distance_percent", "stop.trailing.distance_volatility", "the wider of the two is kept"),
    ("stop.trailing.step_percent", "account.trades_per_hour.most", "every step is a request of the account"),
    ("stop.break_even.after_percent", "stop.break_even.lock_percent", "less is locked in than was gained"),
    ("switch.timeout_s", "switch.mode", "counts only while the switch is used"),
    ("switch.timeout_s", "health.stale_after_s", "two stale feeds must fit into one countdown"),
    ("switch.mode", "switch.cancel_on_stop", 'read in mode "auto"'),
    ("switch.mode", "switch.redisarm_every_s", 'read in mode "auto"'),
    ("switch.mode", "bots.NAME.must_be_alive", "while such a bot is silent the switch is not fed"),
    ("tiers.watch_percent", "ladder.watch", "what the tier does"),
    ("tiers.warn_percent", "ladder.warn", "what the tier does"),
    ("tiers.critical_percent", "ladder.critical", "what the tier does"),
    ("tiers.emergency_percent", "ladder.emergency", "what the tier does"),
    ("tiers.watch_percent", "tiers.hysteresis_share", "how far beyond its bound a tier is left"),
    ("tiers.watch_volatility", "volatility.half_life_minutes", "what the multiples are measured in"),
    ("tiers.watch_probability", "volatility.half_life_minutes", "what the probability is worked out from"),
    ("stop.buffer_volatility", "volatility.half_life_minutes", "what the multiples are measured in"),
    ("ladder.emergency", "ladder.freeze_until", "what ends the freeze"),
    ("ladder.trim_percent", "ladder.trim_slippage_percent", "the cost that is told beforehand"),
    ("ladder.margin_step_percent", "ladder.margin_budget_percent", "all steps of a day together"),
    ("account.daily_loss.equity_percent", "account.daily_loss.day_starts_at_utc_hour", "when the day begins"),
    ("account.daily_loss.action", "account.daily_loss.lift", "what ends the freeze"),
    ("account.quiet_hours.events_utc", "account.quiet_hours.before_minutes", "how long before each"),
    ("account.quiet_hours.events_utc", "account.quiet_hours.after_minutes", "how long after each"),
    ("take_profit.at_percent", "take_profit.share_percent", "one share for each stage"),
    ("guard.observe", "ladder.mode", "an observing guard tells each step and takes none"),
    ("bots.NAME.on_silence", "bots.NAME.symbols", 'what "cancel_and_flatten" closes'),
    ("bots.NAME.heartbeat", "bots.NAME.id_prefix", "orders count as signs of life by their prefix only"),
    ("bots.NAME.heartbeat", "bots.NAME.silent_after_s", "how long without one"),
    ("credentials.key_file", "credentials.secret_file", "both or neither"),
    ("health.max_clock_skew_s", "switch.timeout_s", "a clock that is off keeps the switch from being fed"),
    ("state.directory", "control.socket", "the socket stands in there if it is left out"),
    ("alerts.webhook_url", "alerts.webhook_timeout_s", "one attempt"),
    ("alerts.webhook_url", "alerts.retry_for_s", "all attempts"),
)
"""One key, another, and what the second does to the first."""


def related(place: str) -> tuple[tuple[str, str], ...]:
    """Return the keys that a key is read together with, and why."""
    return tuple((other if place == one else one, words) for one, other, words in RELATIONS if place in {one, other})
