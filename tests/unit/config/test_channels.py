"""Settings of alert channels: what is refused, where addresses come from, and that none of them is repeated (P11)."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.addresses_from import AddressError, load_address
from config.channels import ChannelKind, ChannelSettings, FailOn, HeartbeatSettings, PingMethod
from config.load import SettingsError, load_settings

HEAD = '[venue]\nenvironment = "testnet"\n'
SECRET = "https://hooks.example.org/services/secret-token"


def load(folder: Path, text: str) -> tuple[dict[str, ChannelSettings], HeartbeatSettings]:
    """Read channels and heartbeat out of a settings file."""
    file = folder / "seawall.toml"
    file.write_text(HEAD + text)
    alerts = load_settings(file).alerts
    return alerts.channels, alerts.heartbeat


def test_channels_have_names_and_relative_files_lie_beside_the_settings(tmp_path: Path) -> None:
    """One of each kind, a fallback, and an outside heartbeat."""
    text = f"""
[alerts]
webhook_url = "{SECRET}"
[alerts.channels.phone]
kind = "apprise"
url_file = "phone.url"
timeout_s = 3
fallback = "webhook"
pictures = false
[alerts.channels.am]
kind = "alertmanager"
url = "http://127.0.0.1:9093"
renew_every_s = 30
[alerts.heartbeat]
url_env = "PINGS"
method = "GET"
fail_on = "blind"
"""
    channels, heartbeat = load(tmp_path, text)
    assert channels["phone"] == ChannelSettings(
        kind=ChannelKind.APPRISE,
        url_file=str(tmp_path / "phone.url"),
        timeout_s=3.0,
        fallback="webhook",
        pictures=False,
    )
    assert channels["am"].renew_every_s == 30
    assert heartbeat == HeartbeatSettings(url_env="PINGS", method=PingMethod.GET, fail_on=FailOn.BLIND)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[alerts.channels.a]\n",
            "alerts.channels.a needs exactly one of url, url_file, url_env, url_credential (line 3)",
        ),
        (
            f'[alerts.channels.a]\nurl = "{SECRET}"\nurl_env = "A"\n',
            "alerts.channels.a.url_env stands beside url: keep exactly one of",
        ),
        ('[alerts.channels.a]\nurl = "secret-token"\n', "alerts.channels.a.url must be a whole address"),
        ('[alerts.channels.a]\nurl = "tgram://secret-token/1"\n', "begins with https:// or http:// (line 4)"),
        ('[alerts.channels.a]\nkind = "apprise"\nurl = "secret-token"\n', "such as https://... or tgram://..."),
        (f'[alerts.channels.a]\nurl = "{SECRET}"\nfallback = "a"\n', "must be the name of another channel"),
        (f'[alerts.channels.a]\nurl = "{SECRET}"\nfallback = "b"\n', "there is none, so leave it out"),
        (f'[alerts.channels.a]\nurl = "{SECRET}"\ntimeout_s = 0\n', "alerts.channels.a.timeout_s must be above 0"),
        (
            f'[alerts.channels.a]\nurl = "{SECRET}"\nrenew_every_s = 1\n',
            "alerts.channels.a.renew_every_s must be from 5",
        ),
        (
            f'[alerts.channels.a]\nurl = "{SECRET}"\nkind = "fax"\n',
            'must be one of "webhook", "alertmanager", "apprise"',
        ),
        (f'[alerts.channels.a]\nurl = "{SECRET}"\ntimeout = 3\n', "is not known: did you mean timeout_s?"),
        (f'[alerts.channels."8 ball"]\nurl = "{SECRET}"\n', "must begin with a letter"),
        ("[alerts.channels]\na = 1\n", "alerts.channels.a is a table: write [alerts.channels.NAME]"),
        (f'[[alerts.channels]]\nurl = "{SECRET}"\n', "alerts.channels is a table: write [alerts.channels.NAME]"),
        (
            f'[alerts]\nwebhook_url = "{SECRET}"\n[alerts.channels.webhook]\nurl = "{SECRET}"\n',
            "is the name of the channel that alerts.webhook_url makes",
        ),
        ('[alerts.heartbeat]\nurl = "secret-token"\n', "alerts.heartbeat.url must be a whole address"),
        (
            f'[alerts.heartbeat]\nurl = "{SECRET}"\nurl_env = "A"\n',
            "alerts.heartbeat.url_env stands beside url: keep exactly one of",
        ),
        (f'[alerts.heartbeat]\nurl = "{SECRET}"\ninterval_s = 1\n', "alerts.heartbeat.interval_s must be from 5"),
    ],
)
def test_what_cannot_be_meant_is_named_and_no_address_repeated(tmp_path: Path, text: str, problem: str) -> None:
    """Each with its place; the token that an address may hold is not in the complaint."""
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, text)
    assert problem in str(refused.value)
    assert "secret-token" not in str(refused.value)


def test_an_address_is_found_where_the_settings_say(tmp_path: Path) -> None:
    """In the settings, a file of its own, the environment, or systemd's folder."""
    file = tmp_path / "phone.url"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    environ = {"PHONE": f" {SECRET} ", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    for settings in (
        ChannelSettings(url=SECRET),
        ChannelSettings(url_file=str(file)),
        ChannelSettings(url_env="PHONE"),
        ChannelSettings(url_credential="phone.url"),
        HeartbeatSettings(url_env="PHONE"),
    ):
        address = load_address(settings, environ)
        assert address.reveal() == SECRET
        assert "secret" not in repr(address).lower().replace("secret(hidden)", "")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (ChannelSettings(url_env="PHONE"), "the environment variable PHONE is empty"),
        (ChannelSettings(url_env="NONSENSE"), "the environment variable NONSENSE must be a whole address"),
        (ChannelSettings(url_credential="phone"), "LoadCredential=phone"),
        (ChannelSettings(url_file="nowhere/at/all"), "nowhere/at/all cannot be read: No such file"),
        (ChannelSettings(), "no address was given"),
    ],
)
def test_an_address_that_is_not_there_is_explained(settings: ChannelSettings, problem: str) -> None:
    """The place is named, never what was found there."""
    with pytest.raises(AddressError) as refused:
        load_address(settings, {"NONSENSE": "secret-token"})
    assert problem in str(refused.value)
    assert "secret-token" not in str(refused.value)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """P11: its address has to be taken for known."""
    file = tmp_path / "phone.url"
    file.write_text(SECRET)
    file.chmod(0o644)
    with pytest.raises(AddressError, match="chmod 600"):
        load_address(ChannelSettings(url_file=str(file)), {})


@pytest.mark.parametrize(
    "url",
    [
        "tgram://110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/-1001234567",
        "mailtos://me:pa[ss@mail.example.org?to=you@example.org",
        "slack://TokenA/TokenB/TokenC/#guard",
        "ntfy://topic",
    ],
)
def test_addresses_that_are_no_addresses_of_the_web_are_taken_as_they_are(tmp_path: Path, url: str) -> None:
    """A bot's token holds a colon, where an address has its port; a password may hold anything."""
    channels, _ = load(tmp_path, f'[alerts.channels.a]\nkind = "apprise"\nurl = "{url}"\n')
    assert load_address(channels["a"]).reveal() == url
