"""`seawall journal ...`, `seawall replay` and `seawall explain` on the command line: options only."""

# ruff: noqa: PLC0415 - a command imports what it needs when it is called, so that --help is instant
from __future__ import annotations

import argparse
from pathlib import Path

from daemon.arguments import Commands, add_command, add_json

_WHERE = "a journal's folder, the state folder, or one journal-*.jsonl"


def add_journal(commands: Commands) -> None:
    """Add `seawall journal` with its commands, `seawall replay` and `seawall explain`."""
    journal = add_command(
        commands,
        "journal",
        "check, export or shorten the record of everything seen and decided",
        "The daemon writes down every event before it decides and every command before it leaves. These commands read "
        "that journal, also while the daemon runs.",
        "  seawall journal verify seawall-state\n"
        "  seawall journal export --jsonl seawall-state | jq 'select(.kind == \"command\")'\n"
        "  seawall journal prune --keep 30d --config seawall.toml",
    )
    what = journal.add_subparsers(title="what to do", metavar="COMMAND", required=True)
    for add in (_add_verify, _add_export, _add_prune):
        add(what)
    _add_replay(commands)
    _add_explain(commands)


def _add_verify(commands: Commands) -> None:
    one = add_command(
        commands,
        "verify",
        "is every record there, unchanged, and in its place?",
        "Checks the checksum, number and running hash of every record, and that the files follow each other. Names the "
        "first bad record of each file. An unfinished end, as a crash leaves it, is no damage. Exit code 13 on damage.",
        "  seawall journal verify seawall-state\n"
        "  seawall journal verify --config seawall.toml --json\n"
        "  seawall journal verify seawall-state/journal/journal-0000000000000001.jsonl",
    )
    _add_where(one)
    add_json(one)
    one.set_defaults(command=_verify)


def _add_export(commands: Commands) -> None:
    one = add_command(
        commands,
        "export",
        "the records as plain JSON lines",
        "Writes number, time, kind, name and body of each record to standard output, one JSON object a line.",
        "  seawall journal export --jsonl seawall-state > journal.jsonl\n"
        "  seawall journal export --jsonl --kind command --from 2026-11-22T12:00Z --config seawall.toml",
    )
    _add_where(one)
    one.add_argument("--jsonl", action="store_true", required=True, help="one JSON object a line (the one format)")
    one.add_argument("--from", dest="since", metavar="TIME", help="first moment, UTC, like 2026-11-22T12:03:04Z")
    one.add_argument("--to", dest="until", metavar="TIME", help="last moment, UTC")
    one.add_argument(
        "--kind",
        dest="kinds",
        action="append",
        default=[],
        choices=("event", "command", "checkpoint"),
        help="records of this kind alone; repeatable",
    )
    one.add_argument("--states", action="store_true", help="with the whole state of each checkpoint")
    one.set_defaults(command=_export)


def _add_prune(commands: Commands) -> None:
    from daemon.journal.keeping import keep

    one = add_command(
        commands,
        "prune",
        "remove old files; what a restart needs stays",
        "Removes the oldest files of a journal. The newest from which a restart can begin, the one before it and "
        "everything newer stay, whatever is asked for. Safe while the daemon runs. The daemon itself keeps as much as "
        "journal_mb in [state] says.",
        "  seawall journal prune --keep 20 seawall-state             # files\n"
        "  seawall journal prune --keep 500MB --config seawall.toml\n"
        "  seawall journal prune --keep 30d --dry-run seawall-state",
    )
    _add_where(one)
    one.add_argument(
        "--keep", type=keep, required=True, metavar="HOW_MUCH", help="20 (files), 500MB, 2GB, 36h or 30d stay"
    )
    one.add_argument("--dry-run", dest="is_dry_run", action="store_true", help="say what would go, and remove nothing")
    add_json(one)
    one.set_defaults(command=_prune)


def _add_replay(commands: Commands) -> None:
    one = add_command(
        commands,
        "replay",
        "play a journal again: does the same code decide the same?",
        "Feeds the recorded events to the deciding core, file by file from each file's checkpoint, and compares what "
        "it decides with what was written, and each checkpoint with what the file before leads to. Exit code 8 at the "
        "first difference, with both sides. Sends nothing.",
        "  seawall replay seawall-state\n  seawall replay seawall-state/journal/journal-0000000000000001.jsonl",
    )
    _add_where(one)
    add_json(one)
    one.set_defaults(command=_replay)


def _add_explain(commands: Commands) -> None:
    one = add_command(
        commands,
        "explain",
        "why an order was sent, or what was known at a time",
        "One screen: what was known then, which rule spoke and why, what was sent, and what the exchange proved and "
        "when. WHAT is an order id, a client order id, an alert id, a time (UTC), a symbol for the last thing decided "
        "about it, or a record's number.",
        "  seawall explain sw-1-XBTUSD-L-s1 --journal seawall-state\n"
        "  seawall explain 12:03:04 --config seawall.toml\n"
        "  seawall explain 2026-11-22T12:03:04Z --journal seawall-state\n"
        "  seawall explain XBTUSD --config seawall.toml",
    )
    one.add_argument("what", metavar="WHAT", help="order id, client order id, alert id, time, or symbol")
    where = one.add_mutually_exclusive_group(required=True)
    where.add_argument("--journal", type=Path, metavar="PATH", help=_WHERE)
    where.add_argument("--config", type=Path, metavar="FILE", help="settings file of the daemon that wrote it")
    add_json(one)
    one.set_defaults(command=_explain)


def _add_where(command: argparse.ArgumentParser) -> None:
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("journal", nargs="?", type=Path, metavar="PATH", help=_WHERE)
    where.add_argument("--config", type=Path, metavar="FILE", help="settings file of the daemon that wrote it")


def _verify(options: argparse.Namespace) -> int:
    from daemon.journal import verify

    return verify.command(options)


def _export(options: argparse.Namespace) -> int:
    from daemon.journal import export

    return export.command(options)


def _prune(options: argparse.Namespace) -> int:
    from daemon.journal import prune

    return prune.command(options)


def _replay(options: argparse.Namespace) -> int:
    from daemon.journal import replay

    return replay.command(options)


def _explain(options: argparse.Namespace) -> int:
    from daemon.journal import explain

    return explain.command(options)
