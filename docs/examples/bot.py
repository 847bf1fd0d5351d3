"""A bot beside the guard: it says that it lives, and asks before it adds. Standard library only.

python bot.py /run/seawall/control.sock quoter XBTUSD
"""

import http.client
import json
import socket
import sys
import time


class Guard:
    """The guard beside this bot; whatever goes wrong counts as "halted"."""

    def __init__(self, path, name, timeout_s=1.0):
        self.path, self.name, self.timeout_s = path, name, timeout_s

    def _ask(self, verb, target):
        connection = http.client.HTTPConnection("seawall", timeout=self.timeout_s)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.sock.settimeout(self.timeout_s)
            connection.sock.connect(self.path)
            connection.request(verb, target)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def beat(self):
        """Say that this bot lives; whether it was heard."""
        try:
            return self._ask("POST", f"/v1/bots/{self.name}/heartbeat")[0] == 200
        except (OSError, http.client.HTTPException, ValueError):
            return False

    def why_not(self, symbol, oldest_s=3.0):
        """Why no exposure may be added to a symbol now; empty if it may."""
        try:
            status, flag = self._ask("GET", f"/v1/halt?symbol={symbol}&bot={self.name}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            return f"the guard does not answer: {error}"
        if status != 200:
            return flag.get("error", f"the guard answered {status}")
        if flag["halted"]:
            return "; ".join(reason["text"] for reason in flag["reasons"])
        if flag["age_s"] is None or flag["age_s"] > oldest_s:
            return "the guard has not looked at itself lately"
        return ""


def main(path, name, symbol, rounds=None):
    """Work: here a round is a second of nothing, with a beat and a question."""
    guard = Guard(path, name)
    while rounds is None or rounds > 0:
        if not guard.beat():
            print("not heard", flush=True)
        why_not = guard.why_not(symbol)
        # Closing, reducing and cancelling are always right; adding is what the flag is about.
        print(f"halted: {why_not}" if why_not else f"may add to {symbol}", flush=True)
        rounds = None if rounds is None else rounds - 1
        if rounds != 0:
            time.sleep(1)


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:5]))
