"""Scorers of code as it stands: does the answer begin with code, does it parse as Python?"""

import ast
import re
import warnings

from boxscore.datasets.example import Example
from boxscore.providers.response import Response
from boxscore.scoring.scorer import Metric, Score

__all__ = ["ParsesAsPython", "StartsAsCode"]


# The form of a first line of code, one language habit a line. Each is anchored and meets a line of at most 500
# characters.
_FORMS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(form)
    for form in (
        r"//|/\*|#!|@\w+(?:[.(]|\s*$)|<[!?a-zA-Z/][^>]*>?|\"\"\"|'''",  # comments, decorators, markup, docstrings
        r"#\s*\w|#$|[\[{(]\s*(?:$|[\"'\w\[{].*[,:}\])])|[\]})]+[;,]?$",  # hash comments and headings alike; brackets
        r"from\s+[\w.]+\s+import\b|import\s+[\w.]+(?:\s+as\s+\w+)?(?:\s*,\s*[\w.]+)*\s*;?$",
        r"import\s+[\w*{$].*\bfrom\s+['\"]|import\s+['\"(]|#include\s*[<\"]|package\s+[\w.]+\s*;?$|using\s+[\w.\s=]+;",
        r"(?:async\s+)?def\s+\w+\s*[(\[]|async\s+(?:function|with|for)\b|class\s+\w+\s*(?:[:({<]|$|extends\b)",
        r"(?:if|while|for|switch|catch)\s*\(.*[{;)]$|(?:if|while|for|with|elif|match)\s[^!?]*:\s*(?:#.*)?$",
        r"(?:try|else|do|finally)\s*[:{]|(?:pass|break|continue|return)\s*;?$|return\s+[\w\[({\"'.-]+.*[\w\])};\"']$",
        r"(?:var|let|const)\s+[\w{\[].*[=;]|(?:async\s+)?function\b\s*\*?\s*\w*\s*\(|export\s+(?:default|const|class)\b",
        r"(?:public|private|protected|static|final|abstract)\s+[\w<>\[\]]+\s+\w+.*[{;(]",
        r"func\s+[\w(].*[{(]|(?:pub\s+)?fn\s+\w+\s*[(<]|use\s+\w+::|(?:struct|impl|enum|interface)\s+\w+.*\{",
        r"SELECT\s.+|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|CREATE\s+(?:TABLE|VIEW|INDEX)\s|WITH\s+\w+\s+AS\s",
        r"[A-Za-z_$][\w.]*(?:\[[^\]]*\])?(?:\s*:\s*[\w\[\], .|]+)?\s*(?:[-+*/|&%]|//|\*\*)?=[^=>]",  # assignments
        r"[A-Za-z_][\w.]*\(.*\)\s*[;:{]?\s*(?:(?:#|//).*)?$",  # calls
        r"(?:[\w<>*&:]+\s+){1,4}[*&]?\w+\s*(?:\([^)]*\)\s*\{?|=.+;|;)$",  # typed declarations
    )
)


class ParsesAsPython:
    """The whole answer is Python that parses, as it stands: no fence, no sentence before or after it.

    Nothing is run. This is what an application needs that passes the answer to an interpreter.

    Lies when code parses and is wrong; when a short answer is Python by chance (one word is a name, `42` a number: an
    empty answer is refused for that reason); and when your application takes fences off before it runs the code. The
    grammar is that of the Python that scores, so that newer syntax fails on an older one.
    """

    LIMIT = 200_000  # characters; the parser's memory grows with the text

    def __init__(self) -> None:
        self.spec: str = "parses_as_python"
        self.metric: Metric = Metric(name="parses_as_python")

    def score(self, example: Example, response: Response) -> Score:
        text = response.output
        if not text.strip():
            return Score(value=0.0, label="empty")
        if len(text) > self.LIMIT:
            return Score(value=0.0, label="too long", note=f"more than {self.LIMIT:,} characters are not parsed")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an answer's odd escapes are no news about our program
                ast.parse(text)
        except SyntaxError as problem:
            return Score(value=0.0, label="does not parse", note=f"line {problem.lineno}: {problem.msg}")
        except (ValueError, RecursionError, MemoryError) as problem:
            return Score(value=0.0, label="does not parse", note=str(problem) or "nested too deeply")
        return Score(value=1.0, label="parses")


class StartsAsCode:
    """The answer's first line is code: no Markdown fence and no sentence before it.

    Read by the form of the first line that is not blank: a keyword with what must follow it, a comment, an import, a
    decorator, an assignment, a call, a tag, a brace. Knows the habits of Python, JavaScript, Java, C, Go, Rust, SQL
    and markup.

    Lies when prose begins like code (a Markdown heading looks like a comment of Python), when the code begins with a
    bare name or a command of a shell, and about everything after the first line.
    """

    def __init__(self) -> None:
        self.spec: str = "starts_as_code"
        self.metric: Metric = Metric(name="starts_as_code")

    def score(self, example: Example, response: Response) -> Score:
        line = next((line.strip() for line in response.output.splitlines() if line.strip()), "")[:500]
        if not line:
            return Score(value=0.0, label="empty")
        if line.startswith(("```", "~~~")):
            return Score(value=0.0, label="fence")
        hit = any(form.match(line) for form in _FORMS)
        return Score(value=float(hit), label="code" if hit else "prose", note=line[:80])
