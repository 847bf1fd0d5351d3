"""Read one settings file whole, and report everything that is wrong with it at once.

Why: an operator who fixes one line to be told about the next loses an evening. So reading never stops at the first
problem; each problem names the file, the key, what is wrong and what to do. Defaults stand in `config.model` and
`config.policy` only. Secrets are refused here by name: they come from files, the environment or systemd
(`config.secrets_from`).
"""

from __future__ import annotations

import difflib
import logging
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

from config.alerting import problems_of_routes
from config.bots import BotPolicy, Heartbeat, problems_of
from config.channels import problems_of_channels
from config.checks import PolicyError
from config.control import problem_of_control
from config.metrics import problem_of_metrics, problem_of_tracing
from config.model import AlertSettings, LogSettings, Settings, problems_of_sources
from config.overrides import Override, changed, overrides_in, said_twice, value_of
from config.paths import problems_of_paths, with_absolute_paths
from config.places import line_of, lines_of, plain
from config.policy import Policy
from config.syntax import Mended, read_toml
from config.tables import GUARD_KEYS, PLAIN_TABLES, POLICY_TABLES, TABLES, VENUE_KEYS, named_kind, tables_with
from config.values import Unfit, convert
from config.venue import Environment, VenueSettings, problems_of_addresses, venue_settings
from config.zones import problem_of_zone

_SECRET_NAMES = frozenset({"secret", "key", "password", "token", "passphrase"})
_SECRET_PARTS = ("api_key", "apikey", "api_secret", "apisecret", "secret_key", "private_key", "access_key")
_FILE_SUFFIX = "_file"

_MOST_TABLES = 3
"""A key that more tables have is no hint."""

T = TypeVar("T")


class SettingsError(Exception):
    """The settings file cannot be used. `problems` holds one line for each thing that is wrong."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """Settings, and where each of their values was written."""

    settings: Settings
    lines: Mapping[str, int]
    """Line in the file by dotted place."""
    variables: Mapping[str, str]
    """Environment variable by dotted place."""


def load_settings(path: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check a settings file; relative paths in it are taken from its own folder.

    Args:
        path: The file.
        environ: Where `SEAWALL_SET_...` variables are looked for; None: nowhere.

    Raises:
        SettingsError: With all problems, never only the first.
    """
    return load(path, environ).settings


def load(path: Path, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read a settings file as `load_settings` does, and keep where each value came from.

    Raises:
        SettingsError: With all problems, never only the first.
    """
    text = _read_text(path)
    tables, lines = _tables_of(path, text), lines_of(text)
    overrides = overrides_in(environ or {}, tables)
    for each in overrides:
        tables = changed(tables, each.place, each.value)
    reading = _Reading(str(path), tables, lines, overrides)
    settings = reading.settings()
    if reading.problems:
        raise SettingsError(tuple(reading.problems))
    return Loaded(
        settings=with_absolute_paths(settings, path.resolve().parent),
        lines=lines,
        variables={each.dotted: each.variable for each in overrides},
    )


def load_policy(path: Path | None, changes: Mapping[str, str] | None = None) -> Policy:
    """Read what the core is asked to do, and nothing else: a file need not say where the venue is.

    Args:
        path: The settings file; None for the defaults.
        changes: Settings by dotted place ("stop.buffer_percent") that count instead of the file's, as a file would
            write them; a word may stand without quotes.

    Raises:
        SettingsError: With all problems, those of the file first, then those of the changes.
    """
    text = "" if path is None else _read_text(path)
    tables = {} if path is None else _tables_of(path, text)
    _ = _policy_of(str(path or "defaults"), tables, lines_of(text))
    for place, text in (changes or {}).items():
        tables = changed(tables, tuple(place.split(".")), value_of(text))
    return _policy_of("changed settings", tables)


def _policy_of(origin: str, tables: Mapping[str, Any], lines: Mapping[str, int] | None = None) -> Policy:
    reading = _Reading(origin, {**tables, "venue": {"environment": Environment.PRODUCTION.value}}, lines or {})
    policy = reading.settings().policy
    if reading.problems:
        raise SettingsError(tuple(reading.problems))
    return policy


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        problem = f"{path}: cannot be read ({error.strerror}): config/profiles holds examples to copy"
        raise SettingsError((problem,)) from error
    except UnicodeDecodeError as error:
        raise SettingsError((f"{path}: is not UTF-8 text: save it as UTF-8",)) from error


def _tables_of(path: Path, text: str) -> dict[str, Any]:
    try:
        found = read_toml(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists without end
        raise SettingsError((f"{path}: holds a value too long or too deep to be read",)) from error
    if found.problems:
        told = tuple(plain(f"{path}: {each}") for each in found.problems)
        raise SettingsError((*told, *_other_problems(path, found, text)))
    return found.tables


def _other_problems(path: Path, found: Mended, text: str) -> tuple[str, ...]:
    """What else is wrong, as far as the lines that could be read tell; nothing about what they do not hold."""
    if not found.is_sure:
        return ()
    reading = _Reading(str(path), found.tables, lines_of(text))
    _ = reading.settings()
    return tuple(each for each in reading.problems if " is missing" not in each and " needs " not in each)


class _Reading:
    """One pass over one file; problems gather on the way."""

    def __init__(
        self, origin: str, tables: Mapping[str, Any], lines: Mapping[str, int], overrides: tuple[Override, ...] = ()
    ) -> None:
        self._origin = origin
        self._lines = lines
        self._overrides = overrides
        self._tables = {name: table for name, table in tables.items() if isinstance(table, dict)}
        self.problems: list[str] = []
        for place in said_twice(overrides):
            self._say(place, "is set by more than one variable: keep one of them")
        for name, value in tables.items():
            self._check_table(name, value)

    def settings(self) -> Settings:
        """Build everything that can be built, with defaults in the place of what cannot."""
        guard = self._values("guard", GUARD_KEYS)
        policy = Policy(
            observe=bool(guard.get("observe", False)),
            **{name: self._checked(name, kind) for name, kind in POLICY_TABLES.items()},
            bots=self._bots(),
        )
        settings = Settings(
            venue=self._venue(),
            policy=policy,
            accept_unreadable_rights=bool(guard.get("accept_unreadable_rights", False)),
            **{name: self._checked(name, kind) for name, kind in PLAIN_TABLES.items()},
        )
        self._check_alerts(settings.alerts)
        if wrong := problem_of_zone(settings.policy.alerting.quiet_zone):
            self._say("alerting.quiet_zone", wrong)
        self._check_log(settings.log)
        self._check_control(settings)
        self._check_shown(settings)
        for place, problem in (*problems_of_paths(settings), *problems_of_sources(settings.credentials)):
            if not (problem.startswith("is missing") and self._is_written(place)):
                self._say(place, problem)
        return settings

    # ------------------------------------------------------------ tables and keys

    def _check_table(self, name: str, value: object) -> None:
        if name in TABLES and isinstance(value, dict):
            return
        if _is_secret(name):
            self._refuse_secret(name)
        elif name in TABLES:
            self._say(name, f"is a table: write [{name}] and its keys below it")
        else:
            self._say(name, f"is not known{_two_underscores(name) or _nearest(name, TABLES)}")

    def _values(self, table: str, wanted: Mapping[str, object]) -> dict[str, object]:
        """Return the usable values of one table; complain about the others."""
        values: dict[str, object] = {}
        for key, value in self._table(table).items():
            place = f"{table}.{key}"
            if key not in wanted:
                self._complain_of_key(place, key, wanted)
                continue
            if is_dataclass(wanted[key]) or named_kind(wanted[key]) is not None:
                if not isinstance(value, dict):
                    name = "" if is_dataclass(wanted[key]) else ".NAME"
                    self._say(place, f"is a table: write [{place}{name}] and its keys below it")
                continue
            try:
                values[key] = convert(value, wanted[key])
            except Unfit as error:
                self._say(place, str(error))
        return values

    def _table(self, place: str) -> Mapping[str, Any]:
        """Return the table at a dotted place; an empty one where the file has none."""
        found: Any = self._tables
        for name in place.split("."):
            found = found.get(name, {}) if isinstance(found, dict) else {}
        return found if isinstance(found, dict) else {}

    def _is_written(self, place: str) -> bool:
        """Whether the file has this key, right or wrong; a wrong one was complained of."""
        table, _, key = place.rpartition(".")
        return key in self._table(table)

    def _complain_of_key(self, place: str, key: str, wanted: Mapping[str, object]) -> None:
        if _is_secret(key):
            self._refuse_secret(place)
        elif key in TABLES:
            self._say(place, f"is not known: [{key}] is a table of its own: write that, and its keys below it")
        else:
            self._say(place, f"is not known{_nearest(key, wanted, elsewhere=tables_with(key))}")

    def _checked(self, table: str, kind: type[T], *, is_named: bool = False) -> Any:  # noqa: ANN401 - one value of `kind`; the caller spreads it
        """Build one part; a value out of range is named, set back to its default, and the rest is checked on.

        Args:
            table: Its dotted place.
            kind: What to build.
            is_named: The operator gave the table its name, so the value itself does not know where it stands.
        """
        hints = get_type_hints(kind)
        wanted = {field.name: hints[field.name] for field in fields(kind)}  # type: ignore[arg-type]
        values = self._values(table, wanted)
        parts: dict[str, Any] = {
            name: self._checked(f"{table}.{name}", part)
            for name, part in wanted.items()
            if isinstance(part, type) and is_dataclass(part)
        }
        for name, part in wanted.items():
            if (named := named_kind(part)) is not None:
                parts[name] = self._named(f"{table}.{name}", named)
        while True:
            try:
                return kind(**parts, **values)
            except PolicyError as error:
                wrong = self._complain_of_value(table, kind, parts, values, error, is_named=is_named)
                if wrong is None:
                    return kind(**parts)
                del values[wrong]

    def _complain_of_value(
        self,
        table: str,
        kind: type,
        parts: Mapping[str, Any],
        values: Mapping[str, Any],
        error: PolicyError,
        *,
        is_named: bool,
    ) -> str | None:
        """Name what a value refuses, and return the key to leave out so that the rest can be looked at; None: all."""
        key = error.field.rpartition(".")[2]
        place = f"{table}.{key}" if is_named else error.field
        other = _blamed(kind, parts, values, error)
        if key in values or not self._is_written(place):
            left_out = "" if key in values else _left_out(kind, key)
            self._say(place, f"{error.problem}{left_out}", beside=f"{table}.{other}" if other else "")
        return key if key in values else other

    def _named(self, place: str, kind: type) -> dict[str, Any]:
        """Build the tables below `place`, each of which the operator gave its name."""
        built: dict[str, Any] = {}
        for name, table in self._table(place).items():
            if isinstance(table, dict):
                built[name] = self._checked(f"{place}.{name}", kind, is_named=True)
            else:
                self._say(f"{place}.{name}", f"is a table: write [{place}.NAME] and its keys below it")
        return built

    # ------------------------------------------------------------ single parts

    def _venue(self) -> VenueSettings:
        values = self._values("venue", VENUE_KEYS)
        environment = values.get("environment")
        if not isinstance(environment, Environment):
            if not difflib.get_close_matches("environment", self._table("venue"), n=1, cutoff=0.8):
                known = ", ".join(f'"{each.value}"' for each in Environment)
                self._say("venue.environment", f"is missing: say which venue is meant, one of {known}")
            return venue_settings(Environment.PRODUCTION)
        addresses = {name: value for name, value in values.items() if isinstance(value, str)}
        problems = problems_of_addresses(environment, addresses, self._table("venue"))
        for name, problem in problems:
            self._say(f"venue.{name}", problem)
        if problems or (environment is Environment.EMBEDDED and len(addresses) < len(VENUE_KEYS) - 1):
            return venue_settings(Environment.PRODUCTION)
        return venue_settings(environment, **addresses)

    def _bots(self) -> dict[str, BotPolicy]:
        """Build every bot that can be built, as long as they can be told apart."""
        bots: dict[str, BotPolicy] = self._named("bots", BotPolicy)
        problems = list(problems_of(bots))
        for name, problem in problems:
            self._say(f"bots.{name}" if name else "bots", problem)
        return {} if problems else bots

    def _check_control(self, settings: Settings) -> None:
        control = settings.control
        for name, bot in settings.policy.bots.items():
            if bot.heartbeat is not Heartbeat.ORDERS and not control.enabled:
                words = f'is "{bot.heartbeat.value}", and nobody listens for calls: control.enabled is false'
                self._say(f"bots.{name}.heartbeat", words)
        wrong = problem_of_control(control)
        if wrong is not None:
            self._say(f"control.{wrong[0]}", wrong[1])

    def _check_shown(self, settings: Settings) -> None:
        wrong = {"metrics": problem_of_metrics(settings.metrics), "tracing": problem_of_tracing(settings.tracing)}
        for table, each in wrong.items():
            if each is not None:
                self._say(f"{table}.{each[0]}", each[1])

    def _check_alerts(self, alerts: AlertSettings) -> None:
        if alerts.webhook_url is not None:
            scheme, host = _scheme_and_host(alerts.webhook_url)
            if scheme not in {"http", "https"} or not host:
                self._say("alerts.webhook_url", "must be a whole address that begins with https:// or http://")
        for name in ("webhook_timeout_s", "retry_for_s"):
            if getattr(alerts, name) <= 0:
                self._say(f"alerts.{name}", "must be above 0")
        has_webhook = alerts.webhook_url is not None
        names = {*alerts.channels, *(["webhook"] if alerts.webhook_url is not None else [])}
        for place, problem in problems_of_routes(alerts.routes, names):
            self._say(f"alerts.{place}", problem)
        for place, problem in problems_of_channels(alerts.channels, alerts.heartbeat, has_webhook=has_webhook):
            self._say(f"alerts.{place}", problem)

    def _check_log(self, log: LogSettings) -> None:
        levels = [name.lower() for name in logging.getLevelNamesMapping() if name not in {"NOTSET", "WARN", "FATAL"}]
        if log.level.lower() not in levels:
            self._say("log.level", "must be one of " + ", ".join(f'"{level}"' for level in levels))

    # ------------------------------------------------------------ words

    def _say(self, place: str, problem: str, *, beside: str = "") -> None:
        """Keep a complaint with where it is to be mended; `beside` names another key that has a part in it."""
        inside = [each.variable for each in self._overrides if _overlaps(each.dotted, place) or each.dotted == beside]
        is_set_there = any(_is_within(place, each.dotted) for each in self._overrides)
        if inside and (is_set_there or place not in self._lines):
            self.problems.append(plain(f"{' and '.join(inside)}: {place} {problem}"))
            return
        line = line_of(self._lines, place)
        other = line_of(self._lines, beside) if beside in self._lines else None
        hints = [
            *([] if line is None else [f"line {line}"]),
            *([] if other is None or other == line else [f"beside line {other}"]),
            *(f"with {each}" for each in inside),
        ]
        where = f" ({', '.join(hints)})" if hints else ""
        self.problems.append(plain(f"{self._origin}: {place} {problem}{where}"))

    def _refuse_secret(self, place: str) -> None:
        self._say(
            place,
            "looks like a credential, and those never stand in a settings file: put it into a file of its own and "
            "name that under [credentials] key_file and secret_file, or use SEAWALL_KEY and SEAWALL_SECRET; "
            "if this file was ever shared, make a new API key",
        )


def _is_within(place: str, outer: str) -> bool:
    """Whether a place is another one, or stands in it."""
    return place == outer or place.startswith(f"{outer}.")


def _overlaps(place: str, other: str) -> bool:
    return _is_within(place, other) or _is_within(other, place)


def _scheme_and_host(url: str) -> tuple[str, str]:
    """Return both in small letters, empty where the address has none or makes no sense."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def _is_secret(name: str) -> bool:
    plain = name.lower().replace("-", "_")
    if plain.endswith(_FILE_SUFFIX):
        return False
    return plain in _SECRET_NAMES or any(part in plain for part in _SECRET_PARTS)


def _nearest(name: str, known: Mapping[str, object] | tuple[str, ...], elsewhere: tuple[str, ...] = ()) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    if close:
        return f": did you mean {close[0]}?"
    if 0 < len(elsewhere) <= _MOST_TABLES:
        return f" here: it belongs below {' or '.join(f'[{each}]' for each in elsewhere)}"
    return f": known here are {', '.join(known)}"


def _two_underscores(name: str) -> str:
    """What to write for a key that runs into its table, as in a variable with one underscore between them."""
    table = max((each for each in TABLES if name.startswith(f"{each}_")), key=len, default="")
    if not table:
        return ""
    return f": between [{table}] and {name.removeprefix(f'{table}_')} a variable has two underscores, a file a header"


def _left_out(kind: type, key: str) -> str:
    """What a key that was not written stands at, where that says why it is complained of."""
    default = next((each.default for each in fields(kind) if each.name == key), MISSING)
    is_number = isinstance(default, int | float | Decimal) and not isinstance(default, bool)
    return f"; it is left out, so it is {default}" if is_number else ""


def _blamed(kind: Any, parts: Mapping[str, Any], values: Mapping[str, Any], complaint: PolicyError) -> str | None:  # noqa: ANN401 - a dataclass
    """Return the value without which a complaint about another key would not be made; None: no single one."""
    for name in values:
        if name == complaint.field.rpartition(".")[2]:
            continue
        try:
            _ = kind(**parts, **{each: value for each, value in values.items() if each != name})
        except PolicyError as error:
            if (error.field, error.problem) == (complaint.field, complaint.problem):
                continue
        return name
    return None
