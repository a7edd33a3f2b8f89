"""How long data is kept, and what has to be forgotten: retention, erasure, and the health of the home."""

from boxscore.governance.erasure import Erasure, erase, reapply
from boxscore.governance.retention import Policy, Retained, retain

__all__ = ["Erasure", "Policy", "Retained", "erase", "reapply", "retain"]
