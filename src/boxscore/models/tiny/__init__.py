"""The embedded model `tiny`: a real language model of under one million parameters that runs in numpy.

It extracts fields from support tickets (`boxscore.datasets.tickets`), and how it answers depends on how it is asked.
Two checkpoints of different quality ship, so that changes of prompt and of model can be compared without key or
network. `training/tiny` in the repository makes them again.
"""

from boxscore.models.tiny.prompts import PROMPTS, TinyPrompt
from boxscore.models.tiny.provider import MODELS, TinyProvider

__all__ = ["MODELS", "PROMPTS", "TinyPrompt", "TinyProvider"]
