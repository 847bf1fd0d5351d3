"""The options of the commands by which a person tells the running daemon what to do: `flatten`, `pause`, and others.

Nothing of the daemon is imported here, so that `--help` is instant; what the commands do is in `operator_client.py`.
"""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called
from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from pathlib import Path

from daemon.arguments import Commands, add_command, add_json


def add_operate(commands: Commands) -> None:
    """Add the commands."""
    _add_lift(commands)
    _add_flatten(commands)
    _add_freeze(commands)
    _add_stop(commands)
    _add_pauses(commands)
    _add_hushes(commands)
    _add_reload(commands)


def _add_pauses(commands: Commands) -> None:
    pause = add_command(
        commands,
        "pause",
        "have the guard do nothing of its own for a time",
        "Stops that rest stay where they are, and nothing is placed, moved, cancelled or reduced but what you ask for "
        "(flatten, freeze, set-stop). The dead man's switch is disarmed. People are told, again every five minutes; "
        "bots read that they are to add nothing. Ends by itself, after four hours at most.",
        "  seawall pause --for 10m --config seawall.toml\n  seawall resume --config seawall.toml",
    )
    shadow = add_command(
        commands,
        "shadow",
        "have the guard send nothing for a time, and say what it would do",
        "Like a pause, and what you ask for is only said as well: the guard observes. Ends by itself.",
        "  seawall shadow --for 1h --config seawall.toml",
    )
    for command, name in ((pause, "pause"), (shadow, "shadow")):
        command.add_argument(
            "--for", dest="seconds", type=length_s, default=600, metavar="TIME", help="90s, 10m or 2h (default 10m)"
        )
        add_where(command)
        command.set_defaults(command=_carry, operation=name)
    resume = add_command(
        commands,
        "resume",
        "end a pause or a shadow",
        "The guard acts again at once, and catches up with whatever was left undone.",
        "  seawall resume --config seawall.toml",
    )
    add_where(resume)
    resume.set_defaults(command=_carry, operation="resume")


def _add_hushes(commands: Commands) -> None:
    ack = add_command(
        commands,
        "ack",
        "take on what people were told",
        "It is not repeated to you until it gets worse, or something new joins it. `seawall alerts` shows the keys.",
        "  seawall ack distance --comment 'adding margin' --config seawall.toml\n"
        "  seawall ack --all --config seawall.toml",
    )
    _add_which(ack, "KEY", "of one group of alerts", "every group that stands")
    ack.add_argument("--comment", default="", metavar="TEXT", help="for whoever looks next")
    add_where(ack)
    ack.set_defaults(command=_carry, operation="ack")
    silence = add_command(
        commands,
        "silence",
        "do not tell of some facts for a time",
        "What is silenced still stands in `seawall alerts` and the journal. An emergency is told all the same. Each of "
        "--topic, --state and --symbol is exact, or a pattern with *; left out: any.",
        "  seawall silence --for 2h --state budget_drained --comment 'bot reload' --config seawall.toml\n"
        "  seawall unsilence s1 --config seawall.toml",
    )
    silence.add_argument("--for", dest="seconds", type=length_s, required=True, metavar="TIME", help="90s, 10m or 2h")
    silence.add_argument("--comment", required=True, metavar="TEXT", help="why, for whoever comes next")
    for name in ("topic", "state", "symbol"):
        silence.add_argument(f"--{name}", default="", metavar="PATTERN", help=f"{name} of the facts")
    add_where(silence)
    silence.set_defaults(command=_carry, operation="silence")
    unsilence = add_command(
        commands,
        "unsilence",
        "end a silence",
        "By its name (`seawall alerts` shows it), or all of them.",
        "  seawall unsilence s1 --config seawall.toml\n  seawall unsilence --all --config seawall.toml",
    )
    _add_which(unsilence, "NAME", "of the silence", "every silence")
    add_where(unsilence)
    unsilence.set_defaults(command=_carry, operation="unsilence")


def _add_which(command: argparse.ArgumentParser, word: str, one: str, every: str) -> None:
    which = command.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", metavar=word, help=one)
    which.add_argument("--all", dest="every", action="store_true", help=every)


def _add_reload(commands: Commands) -> None:
    reload = add_command(
        commands,
        "reload",
        "have the guard read its settings anew",
        "The whole new policy, or no change: what is wrong, or needs a restart, is named. Shows what changed. No stop "
        "goes for it; only with --loosen may stops go back to where the new policy wants them.",
        "  seawall reload --config seawall.toml\n  seawall reload --loosen --config seawall.toml",
    )
    reload.add_argument("--loosen", action="store_true", help="stops may move away from the mark")
    add_where(reload)
    reload.set_defaults(command=_carry, operation="reload")


def _add_lift(commands: Commands) -> None:
    lift = add_command(
        commands,
        "lift",
        "end a freeze or a flatten that holds",
        "Lifts a latch by its name (`seawall status` shows the names), or all of them. What was cancelled stays "
        "cancelled and what was closed stays closed; new exposure is let through again. Your user name and the time go "
        "into the journal.",
        "  seawall lift daily_loss --config seawall.toml\n  seawall lift --all --config seawall.toml",
    )
    _add_which(lift, "NAME", "name of the latch", "lift every latch")
    add_where(lift)
    lift.set_defaults(command=_carry, operation="lift")


def _add_flatten(commands: Commands) -> None:
    flatten = add_command(
        commands,
        "flatten",
        "close positions at the market and keep them closed",
        "The kill switch. Cancels what may add exposure, closes at the market (all positions, or those named), keeps "
        "the protective stops until two reads and the stream say flat, then cancels the stops of those symbols, other "
        "people's too. It goes on through lost answers, crashes and restarts, and stays latched: whatever is opened "
        "again is closed again, until `seawall lift operator-flatten`. Asks before it does anything.",
        "  seawall flatten --config seawall.toml\n  seawall flatten XBTUSD ETHUSD --yes --config seawall.toml",
    )
    flatten.add_argument("symbols", nargs="*", metavar="SYMBOL", help="what to close (default: the whole account)")
    flatten.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    add_where(flatten)
    flatten.set_defaults(command=_carry, operation="flatten")


def _add_freeze(commands: Commands) -> None:
    freeze = add_command(
        commands,
        "freeze",
        "cancel what may add exposure, and every new such order",
        "Positions and their stops stay. Open orders that may add exposure are cancelled, bots' included, and new ones "
        "as they appear, until `seawall lift operator`. Reduce-only and Close orders stay.",
        "  seawall freeze --config seawall.toml",
    )
    add_where(freeze)
    freeze.set_defaults(command=_carry, operation="freeze")


def _add_stop(commands: Commands) -> None:
    stop = add_command(
        commands,
        "set-stop",
        "give a position's stop a price of your own",
        "Your price joins the other stop rules, and the one nearest the mark wins, so it can tighten the stop but not "
        "loosen it. With --loosen the stop may move away from the mark, as far as the other rules allow; the journal "
        "keeps your name. --clear forgets your price; the stop stays where it is.",
        "  seawall set-stop XBTUSD 58500 --config seawall.toml\n"
        "  seawall set-stop XBTUSD 57000 --loosen --config seawall.toml\n"
        "  seawall set-stop XBTUSD --clear --config seawall.toml",
        aliases=("stop",),
    )
    stop.add_argument("symbol", metavar="SYMBOL", help="of the open position")
    what = stop.add_mutually_exclusive_group(required=True)
    what.add_argument("price", nargs="?", type=_price, metavar="PRICE", help="trigger price, by the mark")
    what.add_argument("--clear", action="store_true", help="forget the price given before")
    stop.add_argument("--loosen", action="store_true", help="the stop may move away from the mark")
    add_where(stop)
    stop.set_defaults(command=_carry, operation="set-stop")


def add_where(command: argparse.ArgumentParser) -> None:
    """Add which daemon is meant, and `--json`."""
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="FILE", help="settings file of the daemon to tell")
    where.add_argument("--socket", type=Path, metavar="PATH", help="its control socket, instead of the settings file")
    add_json(command)


def length_s(text: str) -> int:
    """Read a length of time in seconds.

    Raises:
        argparse.ArgumentTypeError: If it is none.

    Example:
        >>> [length_s(each) for each in ("90", "90s", "10m", "2h")]
        [90, 90, 600, 7200]
    """
    unit = {"s": 1, "m": 60, "h": 3_600}.get(text[-1:], 0)
    number = text[:-1] if unit else text
    if not (number.isascii() and number.isdigit()) or len(number) > 9 or not int(number):
        raise argparse.ArgumentTypeError(f"must be a length of time like 90s, 10m or 2h, not {text!r}")
    return int(number) * (unit or 1)


def _price(text: str) -> Decimal:
    """Read a price.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    try:
        price = Decimal(text)
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"must be a price, not {text!r}") from error
    if not price.is_finite() or price <= 0:
        raise argparse.ArgumentTypeError(f"must be a price above 0, not {text}")
    return price


def _carry(options: argparse.Namespace) -> int:
    from daemon import operator_client

    return operator_client.carry(options)
