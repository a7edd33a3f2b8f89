"""What the store and the server promise, with faults put in its way. `tools/faults.py` runs all of it."""
