"""What people see of a verdict: the headline, the box score on a terminal, as a comment in Markdown and as JUnit XML,
and a report in one HTML file.

All draw the same rows in the same order, so that who has read one can read the others.
"""

from typing import TYPE_CHECKING

from boxscore.experiments.report.box import terminal
from boxscore.experiments.report.junit import junit
from boxscore.experiments.report.markdown import markdown
from boxscore.experiments.report.words import headline

if TYPE_CHECKING:
    from boxscore.experiments.report.page import html

__all__ = ["headline", "html", "junit", "markdown", "terminal"]


def __getattr__(name: str) -> object:
    if name != "html":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from boxscore.experiments.report.page import html  # the page is large, and most commands draw none

    return html
