"""The exchange itself, pure: inputs in, replies and table changes out. Read `exchange.py` first."""
