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
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

from config.alerting import problems_of_routes
from config.bots import BotPolicy, Heartbeat, problems_of
from config.channels import problems_of_channels
from config.checks import PolicyError
from config.control import ControlSettings, problem_of_control
from config.metrics import problem_of_metrics, problem_of_tracing
from config.model import (
    AlertSettings,
    LogSettings,
    Settings,
)
from config.overrides import Override, changed, overrides_in, value_of
from config.places import line_of, lines_of, plain
from config.policy import Policy
from config.syntax import Mended, read_toml
from config.tables import GUARD_KEYS, PLAIN_TABLES, POLICY_TABLES, TABLES, VENUE_KEYS, named_kind
from config.values import Unfit, convert
from config.venue import Environment, VenueSettings, venue_settings

_SECRET_NAMES = frozenset({"secret", "key", "password", "token", "passphrase"})
_SECRET_PARTS = ("api_key", "apikey", "api_secret", "apisecret", "secret_key", "private_key", "access_key")
_FILE_SUFFIX = "_file"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

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
        settings=_with_absolute_paths(settings, path.resolve().parent),
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
        self._check_log(settings.log)
        self._check_control(settings)
        self._check_shown(settings)
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
            self._say(name, f"is not known{_nearest(name, TABLES)}")

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
                    self._say(place, f"is a table: write [{place}] and its keys below it")
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

    def _complain_of_key(self, place: str, key: str, wanted: Mapping[str, object]) -> None:
        if _is_secret(key):
            self._refuse_secret(place)
        else:
            self._say(place, f"is not known{_nearest(key, wanted)}")

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
                key = error.field.rpartition(".")[2]
                self._say(f"{table}.{key}" if is_named else error.field, error.problem)
                if values.pop(key, None) is None:
                    return kind(**parts)

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
            if "environment" not in self._tables.get("venue", {}):
                known = ", ".join(f'"{each.value}"' for each in Environment)
                self._say("venue.environment", f"is missing: say which venue is meant, one of {known}")
            return venue_settings(Environment.PRODUCTION)
        addresses = {name: value for name, value in values.items() if isinstance(value, str)}
        for name, schemes in (("rest_url", ("http", "https")), ("realtime_url", ("ws", "wss"))):
            if name in addresses:
                self._check_url(f"venue.{name}", addresses[name], schemes)
        try:
            return venue_settings(environment, **addresses)
        except ValueError as error:
            self._say("venue", str(error))
            return venue_settings(Environment.PRODUCTION)

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

    def _check_url(self, place: str, url: str, schemes: tuple[str, str]) -> None:
        plain, encrypted = schemes
        scheme, host = _scheme_and_host(url)
        if scheme not in schemes or not host:
            self._say(place, f"must be a whole address that begins with {plain}:// or {encrypted}://")
        elif scheme == plain and host not in _LOOPBACK:
            self._say(place, f"is not encrypted and leaves this machine: use {encrypted}://")

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

    def _say(self, place: str, problem: str) -> None:
        inside = [each.variable for each in self._overrides if _overlaps(each.dotted, place)]
        is_set_there = any(_is_within(place, each.dotted) for each in self._overrides)
        if inside and (is_set_there or place not in self._lines):
            self.problems.append(plain(f"{' and '.join(inside)}: {place} {problem}"))
            return
        line = line_of(self._lines, place)
        hints = [*([] if line is None else [f"line {line}"]), *(f"with {each}" for each in inside)]
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


def _nearest(name: str, known: Mapping[str, object] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f": did you mean {close[0]}?" if close else f": known here are {', '.join(known)}"


def _with_absolute_paths(settings: Settings, folder: Path) -> Settings:
    sources = settings.credentials
    return replace(
        settings,
        state=replace(settings.state, directory=str(folder / settings.state.directory)),
        control=_with_absolute_places(settings.control, folder),
        alerts=_with_absolute_files(settings.alerts, folder),
        credentials=replace(
            sources,
            key_file=None if sources.key_file is None else str(folder / sources.key_file),
            secret_file=None if sources.secret_file is None else str(folder / sources.secret_file),
        ),
    )


def _with_absolute_places(control: ControlSettings, folder: Path) -> ControlSettings:
    def absolute(file: str | None) -> str | None:
        return None if file is None else str(folder / file)

    return replace(
        control,
        socket=absolute(control.socket),
        read_token_file=absolute(control.read_token_file),
        operate_token_file=absolute(control.operate_token_file),
    )


def _with_absolute_files(alerts: AlertSettings, folder: Path) -> AlertSettings:
    def absolute(file: str | None) -> str | None:
        return None if file is None else str(folder / file)

    return replace(
        alerts,
        channels={name: replace(each, url_file=absolute(each.url_file)) for name, each in alerts.channels.items()},
        heartbeat=replace(alerts.heartbeat, url_file=absolute(alerts.heartbeat.url_file)),
    )
