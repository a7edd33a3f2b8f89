"""Planted effects: worlds with a known truth, and the shares of runs in which a verdict misses it."""
