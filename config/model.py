"""The whole of one settings file as one frozen value. Each part of the program takes only its own part.

Pure: `config/load.py` fills it, nobody changes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from config.channels import ChannelSettings, HeartbeatSettings
from config.checks import require
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
class ControlSettings:
    """The control API: HTTP on a Unix socket, for bots on this machine. It never listens on a network."""

    enabled: bool = False
    """Bots can call in, and read whether they ought to stop adding exposure."""
    socket: str | None = None
    """Where it listens; left out: `control.sock` in the state folder, which only the guard's own user may enter.
    A relative path is taken from the folder of the settings file."""
    group: str | None = None
    """Members of this group may use it as well; then `socket` names a place outside the state folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogSettings:
    """Logs for people, on standard output."""

    format: LogFormat = LogFormat.AUTO
    level: str = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class CredentialSources:
    """Where key and secret are looked for; never their values. Tried in this order: files, environment, systemd."""

    key_file: str | None = None
    secret_file: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """One settings file."""

    venue: VenueSettings
    policy: Policy = field(default_factory=Policy)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    state: StateSettings = field(default_factory=StateSettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    log: LogSettings = field(default_factory=LogSettings)
    credentials: CredentialSources = field(default_factory=CredentialSources)
    accept_unreadable_rights: bool = False
    """Guard on although the venue does not say what the key may do."""

    @property
    def control_socket(self) -> str:
        """Where the control API listens, if it does."""
        return self.control.socket or f"{self.state.directory}/control.sock"
