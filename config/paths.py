"""Every path that a settings file names: where it is taken from, and which ones cannot be meant.

Why: a relative path counts from the settings file, so that the guard finds its folder wherever it is started; and a
shell's signs mean nothing here, so a folder called "~" must not come into being.

Pure but for joining paths: nothing is looked at on the disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from config.channels import ChannelSettings, HeartbeatSettings
from config.control import ControlSettings
from config.model import AlertSettings, CredentialSources, Settings


def problems_of_paths(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each path that cannot be meant: its place and what to write instead."""
    for place, path in _paths(settings):
        if path is not None and not path.strip():
            yield place, "is empty: name a file or folder, or leave the line out"
        elif path is not None and path.startswith(("~", "$")):
            yield place, "begins with a shell's sign, which means nothing here: write the whole path"


def with_absolute_paths(settings: Settings, folder: Path) -> Settings:
    """Return settings whose paths begin at the root; relative ones are taken from `folder`."""
    return replace(
        settings,
        state=replace(settings.state, directory=str(folder / settings.state.directory)),
        control=_control(settings.control, folder),
        alerts=_alerts(settings.alerts, folder),
        credentials=_credentials(settings.credentials, folder),
    )


def _paths(settings: Settings) -> Iterator[tuple[str, str | None]]:
    control, sources = settings.control, settings.credentials
    yield "state.directory", settings.state.directory
    yield "control.socket", control.socket
    yield "control.read_token_file", control.read_token_file
    yield "control.operate_token_file", control.operate_token_file
    yield "credentials.key_file", sources.key_file
    yield "credentials.secret_file", sources.secret_file
    for name, channel in settings.alerts.channels.items():
        yield f"alerts.channels.{name}.url_file", channel.url_file
    yield "alerts.heartbeat.url_file", settings.alerts.heartbeat.url_file


def _absolute(file: str | None, folder: Path) -> str | None:
    return None if file is None else str(folder / file)


def _control(control: ControlSettings, folder: Path) -> ControlSettings:
    return replace(
        control,
        socket=_absolute(control.socket, folder),
        read_token_file=_absolute(control.read_token_file, folder),
        operate_token_file=_absolute(control.operate_token_file, folder),
    )


def _credentials(sources: CredentialSources, folder: Path) -> CredentialSources:
    return replace(
        sources, key_file=_absolute(sources.key_file, folder), secret_file=_absolute(sources.secret_file, folder)
    )


def _alerts(alerts: AlertSettings, folder: Path) -> AlertSettings:
    channels: dict[str, ChannelSettings] = {
        name: replace(each, url_file=_absolute(each.url_file, folder)) for name, each in alerts.channels.items()
    }
    heartbeat: HeartbeatSettings = replace(alerts.heartbeat, url_file=_absolute(alerts.heartbeat.url_file, folder))
    return replace(alerts, channels=channels, heartbeat=heartbeat)
