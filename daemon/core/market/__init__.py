"""Where a market stands: its mark, how far liquidation is, and what of that may be trusted."""
