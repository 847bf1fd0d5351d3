"""What the guard does next, and what a person can do, by what it is about: a group, or one degraded state of it.

Two tables of sentences that are true whenever the fact stands, so they name no figure: those come from the state
(`words.py`). `SYMBOL` becomes the first symbol of the message. deploy/runbook.md says more under each name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from daemon.core.degraded import Degraded

STATUS_PAGE: Final = "Check the line and the exchange's status page; only stops that rest there protect meanwhile."
AFTER_LIQUIDATION: Final = "Check the account at the exchange, and ask `seawall explain` why no stop came first."
NOTHING: Final = "Nothing needs to be done."
_CLOSE: Final = "place a stop by hand at the exchange, or run `seawall flatten SYMBOL`."


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """Both answers."""

    will: str
    you_can: str


_BUDGET: Final = Advice(
    will="It keeps what is left for stops, closes, cancels and the switch, and sends the rest as the budget refills.",
    you_can="Slow the bots down (`seawall status` shows what is left), and give the guard an address of its own.",
)
_PAUSED: Final = Advice(will="It guards again when the pause is over.", you_can="`seawall resume` ends it now.")

GROUPS: Final = {
    "distance": Advice(
        will="It watches the mark, moves stops only nearer to it, and tells when a tier gets worse or is over.",
        you_can="Reduce the position, add margin, or run `seawall flatten SYMBOL`.",
    ),
    "cover": Advice(
        will="It goes on placing and confirming stops until every position is covered.",
        you_can=f"Look at `seawall protection`; {_CLOSE}",
    ),
    "sight": Advice(
        will="It reconnects and reads the account anew; it decides nothing on old prices.",
        you_can=STATUS_PAGE,
    ),
    "means": Advice(
        will="It keeps what is left of its means for stops, closes and cancels, and tries again.",
        you_can="Look at `seawall status`: it names what is refused.",
    ),
    "switch": Advice(
        will="It feeds or disarms the switch as its mode asks, and repeats what is not confirmed.",
        you_can="Look at `seawall status`; stop the bots if the guard does not come back.",
    ),
    "rule": Advice(
        will="It judges the rule every second and tells when the breach is over.",
        you_can="Do what the sentence names, or lift the latch that holds for it.",
    ),
    "bot": Advice(
        will="It listens on; the bot's stops stay, and its return is told.",
        you_can="Start the bot again, or cancel its orders at the exchange.",
    ),
    "operator": Advice(
        will="It keeps to what was asked.",
        you_can="`seawall set-stop` gives a stop another price; `seawall tail` shows who asked for what.",
    ),
    "position": Advice(
        will="It reads the account again until stream and reads agree on what is left.",
        you_can="Look at `seawall positions` and `seawall tail`.",
    ),
    "notes": Advice(will="It guards on.", you_can=NOTHING),
    "latch": Advice(
        will="Orders that may add exposure are cancelled as they appear until the latch is lifted.",
        you_can="Lift it with `seawall lift NAME` once the cause is dealt with.",
    ),
}
"""By group. What has no entry goes by `GENERAL`."""
GENERAL: Final = Advice(will="It guards on.", you_can="Look at `seawall status`.")

STATES: Final = {
    Degraded.LOOP_STALLED: Advice(
        will="It does not feed the switch until it runs freely again, and then compares itself with the exchange.",
        you_can="Look at what else uses this machine's processor and disk.",
    ),
    Degraded.CLOCK_SKEW: Advice(
        will="It does not feed the switch until the clocks agree; signed requests may be refused meanwhile.",
        you_can="Mend the time of this machine: `timedatectl status`.",
    ),
    Degraded.MARK_FROZEN: Advice(
        will="It leaves every stop where it is: stops and the exchange's own liquidation both go by this mark.",
        you_can="Compare the mark with the last price: when it wakes it may jump past a stop.",
    ),
    Degraded.LIQUIDATION_UNKNOWN: Advice(
        will="It leaves the stops that rest, places none by guess, and asks again.",
        you_can=f"Look at the position; {_CLOSE}",
    ),
    Degraded.LIQUIDATION_DISAGREES: Advice(
        will="It moves the stop by the price nearer the mark, and closes nothing for one that nobody bears out.",
        you_can="Compare both prices with the exchange's page: `seawall positions`.",
    ),
    Degraded.POSITION_DISPUTED: Advice(
        will="It believes neither alone: the stop stays, and the account stream is opened anew.",
        you_can="Look at the position at the exchange if it lasts.",
    ),
    Degraded.COVER_REFUSED: Advice(
        will="It reads the account and tries again, after pauses that grow.",
        you_can=f"Free one of the ten stops of the symbol if bots use them up; else {_CLOSE}",
    ),
    Degraded.STOP_WORTHLESS: Advice(
        will="It places none where none could fill before liquidation, and looks again at every change.",
        you_can="Add margin or reduce now: `seawall flatten SYMBOL` closes.",
    ),
    Degraded.RULE_SILENT: Advice(
        will="It goes by the other stop rules until the figure is told.",
        you_can="Look at why the figure is missing if it lasts: `seawall protection`.",
    ),
    Degraded.RULE_UNJUDGED: Advice(
        will="It goes by the other rules, and judges this one again when the figure comes.",
        you_can="Watch this limit yourself meanwhile; the text names what is missing.",
    ),
    Degraded.STOPS_CROWDED: Advice(
        will="It goes on; the next replacement of its stop may be refused.",
        you_can="Have bots use fewer stops on the symbol.",
    ),
    Degraded.GUARDS_DISAGREE: Advice(
        will="It leaves the stop in the form that the other guard gave it: it protects all the same.",
        you_can="Give both guards the same settings and reload both, or stop the one that is too many.",
    ),
    Degraded.JOURNAL_FAILED: Advice(
        will="It guards on without a record, lets nobody loosen a stop, and writes what waits when the disk works.",
        you_can="Free space, or mend the rights of the state folder.",
    ),
    Degraded.MISCONFIGURED: Advice(
        will="It keeps what rests, tries again later each time, and does not feed the switch until a request succeeds.",
        you_can="Run `seawall check`: it says what is refused and what mends it.",
    ),
    Degraded.HEDGE_MODE: Advice(
        will="It guards the other positions; not those that are held long and short at once.",
        you_can="Switch the account to one-way mode, or look after those positions yourself.",
    ),
    Degraded.BUDGET_EMPTY: _BUDGET,
    Degraded.BUDGET_DRAINED: _BUDGET,
    Degraded.PAUSED: _PAUSED,
    Degraded.ADDRESS_BANNED: Advice(
        will="It tries again after pauses; until then nothing can be placed, moved or cancelled from this address.",
        you_can="Stop what else sends from this address; close by hand from another one if you must.",
    ),
    Degraded.VENUE_UNREACHABLE: Advice(
        will="It asks again, later each time.",
        you_can=STATUS_PAGE,
    ),
    Degraded.FLATTEN_STUCK: Advice(
        will="It asks what became of each request and closes again after pauses; its stop stays.",
        you_can="Close by hand at the exchange if it takes orders: the guard notices.",
    ),
    Degraded.FREEZE_STUCK: Advice(
        will="It goes on cancelling what may add exposure.",
        you_can="Stop the bot that places it, or cancel it at the exchange.",
    ),
    Degraded.BOTS_UNHEARD: Advice(
        will="It opens the control API again; time without it makes no bot silent.",
        you_can="Mend what the text names: a socket, a group, a folder.",
    ),
}
"""By degraded state, where it differs from its group."""
_BY_NAME: Final = {
    **{state.value: advice for state, advice in STATES.items()},
    "pause": _PAUSED,
    "shadow": _PAUSED,
    "ended": Advice(will=GENERAL.will, you_can=NOTHING),
}


def advice_of(group: str, state: str = "") -> Advice:
    """What is said of a group, or of one named state in it."""
    return _BY_NAME.get(state) or GROUPS.get(group, GENERAL)
