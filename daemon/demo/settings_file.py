"""The settings and keys that the demo writes for its daemon: what a user would write, on a compressed clock."""

from __future__ import annotations

from pathlib import Path

PRIVATE = 0o600

TEMPLATE = """\
# Written by `seawall demo`. The tape runs many times faster than history, so waiting times are short.
[venue]
environment = "embedded"
rest_url = "{http}"
realtime_url = "{ws}"

[credentials]
key_file = "guard.key"
secret_file = "guard.secret"

[stop]
buffer_percent = 2
max_room_share = 0.5

[switch]
mode = "auto"
timeout_s = 60

[health]
reconcile_every_s = 5

[alerting]
gather_s = 0
gather_urgent_s = 0
update_s = 0
update_urgent_s = 0

[alerts]
webhook_url = "{webhook}"

[state]
directory = "guard-state"

[log]
format = "json"
"""


def write_settings(folder: Path, *, http: str, ws: str, webhook: str, key: str, secret: str) -> Path:
    """Write `seawall.toml` and the two key files into the folder; return the path of the settings file."""
    for name, value in (("guard.key", key), ("guard.secret", secret)):
        file = folder / name
        file.touch(mode=PRIVATE)
        file.write_text(value + "\n")
    settings = folder / "seawall.toml"
    settings.write_text(TEMPLATE.format(http=http, ws=ws, webhook=webhook))
    return settings
