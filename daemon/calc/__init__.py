"""Calculators: what a position would be worth, cost and lose, by the arithmetic that the daemon runs on."""
