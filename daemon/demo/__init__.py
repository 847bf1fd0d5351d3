"""The demo: two accounts, one crash, one guard.

`seawall demo` starts the embedded exchange and the real daemon as child processes on loopback, opens the same positions
on two accounts, plays a crash and reports what the guard was worth. See `run.py` for the order of things.
"""
