"""Seawall, the daemon: a pure core that decides, a shell that carries, and the commands people run."""
