"""The whole of one settings file as one frozen value. Each part of the program takes only its own part.

Pure: `config/load.py` fills it, nobody changes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from config.alerting import RouteSettings
from config.channels import ChannelSettings, HeartbeatSettings
from config.checks import require
from config.control import ControlSettings
from config.metrics import MetricsSettings, TracingSettings
from config.policy import Policy
from config.venue import VenueSettings

LEAST_JOURNAL_MB = 32
"""Some full segments: less would not hold a busy hour."""


class LogFormat(Enum):
    """JSON for machines, CONSOLE for people; AUTO is CONSOLE at a terminal and JSON anywhere else."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertSettings:
    """Where alerts go besides the log."""

    webhook_url: str | None = None
    """POSTed to as JSON; None means the log only."""
    webhook_timeout_s: float = 5.0
    retry_for_s: float = 3600.0
    """An alert that could not be delivered is tried again for this long, then counted as lost, loudly."""
    channels: dict[str, ChannelSettings] = field(default_factory=dict)
    """By name."""
    routes: RouteSettings = field(default_factory=RouteSettings)
    """Which of them get which level."""
    heartbeat: HeartbeatSettings = field(default_factory=HeartbeatSettings)


@dataclass(frozen=True, kw_only=True, slots=True)
class StateSettings:
    """What the daemon keeps on disk."""

    directory: str = "seawall-state"
    """Journal, alert outbox, lock and the local socket live here; made with mode 0700.
    A relative path is taken from the folder of the settings file."""
    journal_mb: int = 1024
    """How much of the journal is kept; the oldest segments go first, what a restart needs stays in any case.
    An account at rest writes some megabytes a day."""

    def __post_init__(self) -> None:
        require(self.journal_mb >= LEAST_JOURNAL_MB, "state.journal_mb", f"must be at least {LEAST_JOURNAL_MB}")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSettings:
    """Logs for people, on standard output."""

    format: LogFormat = LogFormat.AUTO
    level: str = "info"
    """From this grade on: debug, info, warning, error, critical."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CredentialSources:
    """Where key and secret are looked for; never their values.

    Files or commands, whichever is named; else the environment (`SEAWALL_KEY`, `SEAWALL_SECRET`); else systemd's
    credentials `seawall-key` and `seawall-secret`.
    """

    key_file: str | None = None
    """A file that holds the key's id. A relative path is taken from the folder of the settings file."""
    secret_file: str | None = None
    """A file that holds its secret, owned by the guard's user or root: chmod 600, or 640 where its group is the guard's
    alone. One that everybody may read, or its group may change, is refused."""
    key_command: tuple[str, ...] = ()
    """Program and arguments that print the key's id: `["pass", "show", "seawall/key"]`. No shell is involved."""
    secret_command: tuple[str, ...] = ()
    """Program and arguments that print its secret. What it writes to standard error is never shown."""
    command_timeout_s: float = 10.0
    """A command that takes longer is ended."""

    def __post_init__(self) -> None:
        require(
            0 < self.command_timeout_s <= 120,
            "credentials.command_timeout_s",
            "must be above 0 and at most 120",
        )
        for name in ("key_command", "secret_command"):
            words = getattr(self, name)
            require(not words or bool(words[0].strip()), f"credentials.{name}", "must begin with a program")


def problems_of_sources(sources: CredentialSources) -> tuple[tuple[str, str], ...]:
    """Return each place where key and secret are not named as a pair, or in two ways, and what to do."""
    ways = {"file": ("key_file", "secret_file"), "command": ("key_command", "secret_command")}
    given = {way: [name for name in names if getattr(sources, name) not in {None, ()}] for way, names in ways.items()}
    found = [
        (f"credentials.{missing}", f"is missing beside {names[0]}: key and secret come the same way")
        for way, names in given.items()
        for missing in ways[way]
        if len(names) == 1 and missing not in names
    ]
    if all(given.values()):
        found.append(("credentials.key_command", "and key_file are two ways to the same thing: keep one of them"))
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One settings file."""

    venue: VenueSettings
    policy: Policy = field(default_factory=Policy)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    state: StateSettings = field(default_factory=StateSettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    tracing: TracingSettings = field(default_factory=TracingSettings)
    log: LogSettings = field(default_factory=LogSettings)
    credentials: CredentialSources = field(default_factory=CredentialSources)
    accept_unreadable_rights: bool = False
    """Guard on although the venue does not say what the key may do."""

    @property
    def control_socket(self) -> str:
        """Where the control API listens, if it does."""
        return self.control.socket or f"{self.state.directory}/control.sock"
