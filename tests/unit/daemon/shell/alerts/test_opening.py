"""From settings to channels: each is made, and one that cannot be says why and keeps nobody from guarding."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from config.channels import ChannelKind, ChannelSettings, HeartbeatSettings
from config.model import AlertSettings
from daemon.shell.alerts.alertmanager import Alertmanager
from daemon.shell.alerts.apprise_channel import AppriseChannel
from daemon.shell.alerts.channel import NotDelivered
from daemon.shell.alerts.opening import Openings, Unusable, alert_secrets, channels_of
from daemon.shell.alerts.webhook import Webhook
from tests.fakes import ManualClock
from tests.unit.daemon.shell.alerts.test_waiting import an_alert

URL = "http://127.0.0.1:9/secret-token"


async def test_each_kind_is_made_with_its_own_time() -> None:
    """The worker's time-out lies a little behind the channel's own, which knows best what it waited for."""
    alerts = AlertSettings(
        webhook_url=URL,
        webhook_timeout_s=2.0,
        channels={
            "am": ChannelSettings(kind=ChannelKind.ALERTMANAGER, url=URL, timeout_s=3, fallback="webhook"),
            "chat": ChannelSettings(kind=ChannelKind.APPRISE, url="json://127.0.0.1:9/secret-token", timeout_s=4),
        },
    )
    async with AsyncExitStack() as resources:
        openings = Openings(clock=ManualClock(), resources=resources)
        webhook, alertmanager, chat = await openings.outlets(alerts)
        assert openings.uses_messenger
    assert [each.name for each in (webhook, alertmanager, chat)] == ["webhook", "am", "chat"]
    assert isinstance(webhook.channel, Webhook)
    assert isinstance(alertmanager.channel, Alertmanager)
    assert isinstance(chat.channel, AppriseChannel)
    assert webhook.timeout_s > 2
    assert alertmanager.timeout_s > 3
    assert chat.timeout_s > 4
    assert alertmanager.fallback == "webhook"


async def test_what_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """P10: no address, or no package: a channel that fails with the reason, so that its fallback serves."""
    monkeypatch.setattr("daemon.shell.alerts.opening.PACKAGES", ("a_package_that_nobody_has",))
    alerts = AlertSettings(
        channels={
            "gone": ChannelSettings(url_file="nowhere/at/all"),
            "chat": ChannelSettings(kind=ChannelKind.APPRISE, url="tgram://secret-token/1"),
        },
        heartbeat=HeartbeatSettings(url_credential="nobody-gave-it"),
    )
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    async with AsyncExitStack() as resources:
        openings = Openings(clock=ManualClock(), resources=resources)
        assert await openings.pings(alerts) is None
        gone, chat = await openings.outlets(alerts)
        assert not openings.uses_messenger
    assert isinstance(gone.channel, Unusable)
    with pytest.raises(NotDelivered, match="cannot be read"):
        await gone.channel.deliver(an_alert("one"))
    with pytest.raises(NotDelivered, match="a_package_that_nobody_has is not installed"):
        await chat.channel.deliver(an_alert("one"))


def test_every_address_is_known_as_a_secret(tmp_path: Path) -> None:
    """P11: those of files and of the heartbeat too; one that is not there is left out."""
    file = tmp_path / "phone.url"
    file.write_text("tgram://in-a-file/1")
    file.chmod(0o600)
    alerts = AlertSettings(
        webhook_url=URL,
        channels={
            "phone": ChannelSettings(kind=ChannelKind.APPRISE, url_file=str(file)),
            "gone": ChannelSettings(url_file="nowhere/at/all"),
        },
        heartbeat=HeartbeatSettings(url="https://example.org/pings/secret"),
    )
    assert list(channels_of(alerts)) == ["webhook", "phone", "gone"]
    assert set(alert_secrets(alerts)) == {URL, "tgram://in-a-file/1", "https://example.org/pings/secret"}
