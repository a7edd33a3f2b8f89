"""Scorers of your own: plain functions, named in boxscore.yaml as `function:scorers.py:NAME`.

A function asks for what it needs by the names of its parameters: `output` (the text of the answer), `reference`,
`inputs`, `metadata`, `example`, `response`. It returns True or False, or a number from 0 to 1.
"""


def order_is_right(output: str, reference: dict[str, str]) -> bool:
    """The order number stands in the answer as the warehouse needs it, whatever form the answer has."""
    return reference["order"] in output
