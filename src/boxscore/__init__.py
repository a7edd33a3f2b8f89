"""Boxscore: every change to an LLM application gets a verdict.

The names below are the public face. They are imported when first used, so that `import boxscore` stays fast.
"""

__version__ = "0.1.0"
