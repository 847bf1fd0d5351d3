"""The words of `seawall config`."""

from __future__ import annotations

import argparse
from pathlib import Path

from daemon.arguments import Commands, add_command, add_json


def add_config(commands: Commands) -> None:
    """Add `seawall config` and its four commands."""
    top = add_command(
        commands,
        "config",
        "show, explain and compare settings",
        "Shows what counts and where each value comes from, explains a key, prints the JSON Schema, or compares two "
        "settings files, or one with the running daemon. Secrets are never shown.",
        "  seawall config show --config seawall.toml\n  seawall config explain stop.buffer_percent\n"
        "  seawall config schema > seawall.schema.json\n  seawall config diff old.toml new.toml",
    )
    verbs = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_show(verbs)
    _add_explain(verbs)
    _add_schema(verbs)
    _add_diff(verbs)


def _add_show(verbs: Commands) -> None:
    show = add_command(
        verbs,
        "show",
        "every setting that counts, and where it comes from",
        "Prints each value with its origin: line of the file, environment variable, or default. The result is TOML; "
        "addresses that hold a token and arguments of commands are hidden.",
        "  seawall config show --config seawall.toml\n  seawall config show --config seawall.toml --set",
    )
    show.add_argument("--config", type=Path, required=True, metavar="FILE", help="settings file (TOML)")
    show.add_argument("--set", dest="only_set", action="store_true", help="only what is not left at its default")
    add_json(show)
    show.set_defaults(command=_show)


def _add_explain(verbs: Commands) -> None:
    explain = add_command(
        verbs,
        "explain",
        "one key: what it means, its unit, default and bounds, and what depends on it",
        "Explains a key, or lists the keys of a table. With a settings file it says what the key has there, too.",
        "  seawall config explain switch.timeout_s\n  seawall config explain tiers\n"
        "  seawall config explain stop.buffer_percent --config seawall.toml",
    )
    explain.add_argument("key", metavar="KEY", help="table and key, as stop.buffer_percent, or a table")
    explain.add_argument("--config", type=Path, metavar="FILE", help="settings file (TOML)")
    add_json(explain)
    explain.set_defaults(command=_explain)


def _add_schema(verbs: Commands) -> None:
    schema = add_command(
        verbs,
        "schema",
        "the JSON Schema of a settings file",
        "Prints the schema (draft 2020-12). Editors that know TOML complete and check with it: write it to a file and "
        "name that in the first line of the settings, as #:schema ./seawall.schema.json",
        "  seawall config schema > seawall.schema.json",
    )
    schema.set_defaults(command=_schema)


def _add_diff(verbs: Commands) -> None:
    diff = add_command(
        verbs,
        "diff",
        "what two settings differ in",
        "Compares two settings files, or one with what the daemon that runs by it has in force: what a reload would "
        "change, and what would need a restart. Exit code 8 if they differ.",
        "  seawall config diff old.toml new.toml\n  seawall config diff seawall.toml --running",
    )
    diff.add_argument("before", type=Path, metavar="FILE", help="settings file")
    other = diff.add_mutually_exclusive_group(required=True)
    other.add_argument("after", type=Path, nargs="?", metavar="OTHER", help="another settings file")
    other.add_argument("--running", action="store_true", help="compare what the daemon has in force with FILE")
    add_json(diff)
    diff.set_defaults(command=_diff)


def _show(options: argparse.Namespace) -> int:
    from daemon.configure.show import show  # noqa: PLC0415 - a command imports what it needs when it is called

    return show(options.config, only_set=options.only_set, as_json=options.as_json)


def _explain(options: argparse.Namespace) -> int:
    from daemon.configure.explain import explain  # noqa: PLC0415 - as above

    return explain(options.key, options.config, as_json=options.as_json)


def _schema(_options: argparse.Namespace) -> int:
    from daemon.configure.show import show_schema  # noqa: PLC0415 - as above

    return show_schema()


def _diff(options: argparse.Namespace) -> int:
    from daemon.configure.diff import diff  # noqa: PLC0415 - as above

    return diff(options.before, options.after, as_json=options.as_json)
