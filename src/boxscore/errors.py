"""The error tree. Every error Boxscore raises on purpose is a leaf of it.

    BoxscoreError
    ├── UsageError                 the input is wrong; nothing was run, nothing was written (exit 2)
    │   ├── UnknownNameError       a name that is not known, with the nearest known one
    │   ├── FileError              a file is missing, empty, binary, too long in a line
    │   ├── DatasetError           a row is wrong: file, line and field are named
    │   ├── SpecError              a spec or an option is wrong: file and key are named
    │   ├── ScorerError            a scorer's arguments are wrong, or it gave a value that is no number
    │   ├── MissingReferenceError  a scorer needs a reference that the example lacks
    │   ├── TemplateError          a prompt template does not parse, or lacks a value
    │   ├── UnknownPriceError      a price is needed and not known
    │   ├── UnreadableUsageError   a usage object of unknown shape, or one that contradicts itself
    │   ├── QueryTooLargeError     a question would look at too much; it says what to narrow
    │   ├── UnreadableTracesError  a body that holds no spans in the format it claims
    │   ├── NothingToCompareError  no example is common to both variants
    │   ├── NotFoundError          what was asked for by its id is not there
    │   ├── RequestError           an HTTP request that is not taken as it is
    │   ├── UnauthenticatedError   nobody known asks
    │   ├── ForbiddenError         a right is missing; it is named
    │   ├── TooManyTriesError      a password or link was wrong too often to be tried again now
    │   ├── ConflictError          it does not go with what is there
    │   │   └── DatasetMovedError  somebody else made a version of the dataset meanwhile
    │   └── ExtraMissingError      an optional dependency is needed; its extra is named
    └── OperationError             the input was right and yet it could not be done (exit 4)
        ├── ProviderError          a provider refused, failed or did not answer
        ├── NothingAnsweredError   a variant got no answer at all
        ├── SpendCapError          the spend cap was reached
        ├── StoreError             a store could not be read or written
        │   ├── DiskFullError      less room is left on the disk than what stays free
        │   └── StoreAwayError     the database of the records does not answer
        ├── WorkerLostError        whoever worked on a job died, again and again
        ├── BusyError              more arrives than can be taken; later it can
        └── TimeLimitError         it took longer than it may

An error's sentence says what happened, what was tried and what to do next; what a program needs of it is in attributes.
"""

import difflib
from collections.abc import Iterable
from pathlib import Path

__all__ = [
    "BoxscoreError",
    "BusyError",
    "ConflictError",
    "DatasetError",
    "DatasetMovedError",
    "DiskFullError",
    "ExtraMissingError",
    "FileError",
    "ForbiddenError",
    "MissingReferenceError",
    "NotFoundError",
    "NothingAnsweredError",
    "NothingToCompareError",
    "OperationError",
    "ProviderError",
    "QueryTooLargeError",
    "RequestError",
    "ScorerError",
    "SpecError",
    "SpendCapError",
    "StoreAwayError",
    "StoreError",
    "TemplateError",
    "TimeLimitError",
    "TooManyTriesError",
    "UnauthenticatedError",
    "UnknownNameError",
    "UnknownPriceError",
    "UnreadableTracesError",
    "UnreadableUsageError",
    "UsageError",
    "WorkerLostError",
]


class BoxscoreError(Exception):
    """Root of the tree.

    `code` is stable and made for programs, `exit_code` is what the command line leaves with.
    """

    code = "error"
    exit_code = 4


class UsageError(BoxscoreError):
    code = "usage"
    exit_code = 2


class UnknownNameError(UsageError):
    """`kind` ("scorer", "model", …) and `name` were asked for; `known` are the names that exist."""

    code = "unknown_name"

    def __init__(self, kind: str, name: str, known: Iterable[str], *, where: str | None = None) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        self.nearest = next(iter(difflib.get_close_matches(name, self.known, n=1, cutoff=0.5)), None)
        place = f" in {where}" if where else ""
        if self.nearest:
            hint = f"did you mean {self.nearest!r}?"
        elif not self.known:
            hint = "there are none."
        elif len(self.known) <= 12:
            hint = f"known are {', '.join(self.known)}."
        else:
            hint = f"{len(self.known)} are known, among them {', '.join(self.known[:5])}."
        super().__init__(f"No {kind} is called {name!r}{place}: {hint}")


class FileError(UsageError):
    """A file as a whole cannot be used. `path` is the file."""

    code = "file"

    def __init__(self, path: str | Path, problem: str) -> None:
        self.path = Path(path)
        super().__init__(f"{path}: {problem}")


class DatasetError(UsageError):
    """A row cannot be used. `path`, `line` (from 1, None when it is not one line) and `field` say which."""

    code = "dataset"

    def __init__(
        self,
        problem: str,
        *,
        path: str | Path | None = None,
        line: int | None = None,
        field: str | None = None,
    ) -> None:
        self.path = Path(path) if path is not None else None
        self.line = line
        self.field = field
        where = str(path) if path is not None else "dataset"
        if line is not None:
            where += f", line {line}"
        if field is not None:
            where += f", field {field!r}"
        super().__init__(f"{where}: {problem}")


class SpecError(UsageError):
    """A spec or an option is wrong. `key` is its dotted path (`rule.margin`), `path` the file if there is one, and
    `line` (from 1) where in it the key stands, if that is known."""

    code = "spec"

    def __init__(
        self, problem: str, *, key: str | None = None, path: str | Path | None = None, line: int | None = None
    ) -> None:
        self.problem = problem
        self.key = key
        self.path = Path(path) if path is not None else None
        self.line = line
        where = ", ".join(str(part) for part in (path, line and f"line {line}", key and f"key {key!r}") if part)
        super().__init__(f"{where}: {problem}" if where else problem)


class ScorerError(UsageError):
    """A scorer cannot be made from its arguments, or gave what is no score. `scorer` is its name."""

    code = "scorer"

    def __init__(self, scorer: str, problem: str, *, example_id: str | None = None) -> None:
        self.scorer = scorer
        self.example_id = example_id
        at = f" on example {example_id!r}" if example_id is not None else ""
        super().__init__(f"scorer {scorer!r}{at}: {problem}")


class MissingReferenceError(UsageError):
    code = "missing_reference"

    def __init__(self, scorer: str, example_id: str) -> None:
        self.scorer = scorer
        self.example_id = example_id
        super().__init__(
            f"scorer {scorer!r} compares with a reference, and example {example_id!r} has none: "
            "add a reference to the row, or choose a scorer that needs none."
        )


class TemplateError(UsageError):
    """`variable` is the name without a value, when that is what is wrong."""

    code = "template"

    def __init__(self, problem: str, *, variable: str | None = None) -> None:
        self.variable = variable
        super().__init__(problem)


class UnknownPriceError(UsageError):
    code = "unknown_price"

    def __init__(self, model: str, *, provider: str | None = None, needed_by: str | None = None) -> None:
        self.model = model
        self.provider = provider
        of = f"{provider}/{model}" if provider else model
        why = f", and {needed_by} needs it" if needed_by else ""
        super().__init__(
            f"no price is known for {of!r}{why}: add a row for it to your price table (`boxscore prices --help` shows "
            "its form), or give the variant its price ('usd_per_mtok' in the spec)."
        )


class UnreadableUsageError(UsageError):
    """A provider's usage object cannot be read. `keys` are the names that were seen in it."""

    code = "unreadable_usage"

    def __init__(self, problem: str, *, keys: Iterable[str] = ()) -> None:
        self.keys = tuple(keys)
        super().__init__(problem)


class UnreadableTracesError(UsageError):
    """A request that holds no spans. `format` is what it was read as: protobuf or JSON."""

    code = "unreadable_traces"

    def __init__(self, format: str, problem: str) -> None:
        self.format = format
        super().__init__(
            f"the body is no OTLP trace request in {format}: {problem}. Nothing was stored; check that the exporter's "
            "protocol (http/protobuf or http/json) and the content type of the request agree."
        )


class QueryTooLargeError(UsageError):
    """A question about stored spans was stopped before it took too much of the machine."""

    code = "query_too_large"


class NothingToCompareError(UsageError):
    code = "nothing_to_compare"


class NotFoundError(UsageError):
    """`kind` ("trace", "session", …) and `name`: what was asked for."""

    code = "not_found"

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        super().__init__(
            f"there is no {kind} {name}: check the id; what was sent a moment ago may still be on its way."
        )


class RequestError(UsageError):
    """An HTTP request that has to change. `kind`: bad_host, bad_origin, bad_token, no_route, method, slow, too_large,
    media_type, key_reused, too_many, headers_too_large, encoding, malformed."""

    code = "request"

    def __init__(self, kind: str, problem: str) -> None:
        self.kind = kind
        super().__init__(problem)


class UnauthenticatedError(UsageError):
    """Nobody known asks: no session or key came with the request, or none that counts."""

    code = "unauthenticated"


class ForbiddenError(UsageError):
    """`right` is what the caller does not have in `project`."""

    code = "forbidden"

    def __init__(self, right: str, project: str) -> None:
        self.right = right
        self.project = project
        super().__init__(
            f"this needs the right {right!r} in project {project!r}, which you do not have: ask an owner of the "
            "project, or use a key that has it."
        )


class TooManyTriesError(UsageError):
    """`retry_after_s` is when the next try is heard."""

    code = "too_many_tries"

    def __init__(self, *, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(
            f"too many wrong tries for this name or from this address: try again in {retry_after_s:.0f} s."
        )


class ConflictError(UsageError):
    """What was asked for does not go with what is there. `kind`: what it is about, as in "dataset" or
    "idempotency_key"."""

    code = "conflict"

    def __init__(self, kind: str, problem: str) -> None:
        self.kind = kind
        super().__init__(problem)


class DatasetMovedError(ConflictError):
    """A change was made on version `base` of dataset `name`, and `head` is there now. `added`, `changed` and `removed`
    are ids of examples that differ between the two, 100 of each at most."""

    code = "dataset_moved"

    def __init__(
        self, name: str, *, base: int, head: int, added: Iterable[str], changed: Iterable[str], removed: Iterable[str]
    ) -> None:
        self.name = name
        self.base = base
        self.head = head
        self.added = tuple(added)[:100]
        self.changed = tuple(changed)[:100]
        self.removed = tuple(removed)[:100]
        differs = (("added", self.added), ("changed", self.changed), ("removed", self.removed))
        told = ", ".join(f"{len(ids)} {what}" for what, ids in differs if ids) or "nothing that differs"
        super().__init__(
            "dataset",
            f"dataset {name!r} was changed by somebody else: version {head} is there now, and this change was made on "
            f"version {base} ({told} since). Nothing was written; look at the difference and make the change again on "
            f"version {head}.",
        )


class ExtraMissingError(UsageError):
    """`extra` is the name to install with: `pip install 'boxscore[EXTRA]'`."""

    code = "extra_missing"

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs an optional part: pip install 'boxscore[{extra}]'")


class OperationError(BoxscoreError):
    code = "operation"


class ProviderError(OperationError):
    """A provider's failure.

    `kind` is its leaf in the tree:

    - connect: no connection, or none that can be trusted; timeout: no answer in time
    - auth: key missing, wrong, or without the right; quota: the account has no money or allowance left
    - rate_limit, overloaded: not now; trying again later is safe
    - not_found: no such model or address; too_long: more tokens than the model takes; filtered: for what it says;
      refused: any other request that has to change
    - server: it failed at its own; cut: the stream broke off; bad_answer: an answer that cannot be read
    - cancelled: we stopped it; not_sent: the provider had failed so often that it was not asked

    `status` is the HTTP status if there was one; `retry_after_s` what the provider asked for.
    """

    code = "provider"

    def __init__(
        self,
        kind: str,
        problem: str,
        *,
        provider: str | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.kind = kind
        self.provider = provider
        self.status = status
        self.retry_after_s = retry_after_s
        super().__init__(f"{provider}: {problem}" if provider else problem)


class NothingAnsweredError(OperationError):
    """All `trials` of `variant` are errors, most of them of `kind` (as in `ProviderError`); `said` is the first of
    those."""

    code = "nothing_answered"

    def __init__(self, variant: str, *, model: str | None, trials: int, kind: str, said: str) -> None:
        self.variant = variant
        self.trials = trials
        self.kind = kind
        of = f"{variant!r} ({model})" if model else repr(variant)
        super().__init__(f"variant {of} got no answer in {trials:,} {'trials' if trials > 1 else 'trial'}: {said}")


class SpendCapError(OperationError):
    """`cap_usd` was reached after `spent_usd`; `left` trials were not run."""

    code = "spend_cap"

    def __init__(self, cap_usd: float, spent_usd: float, left: int) -> None:
        self.cap_usd = cap_usd
        self.spent_usd = spent_usd
        self.left = left
        cap = f"{cap_usd:.2f}" if cap_usd == round(cap_usd, 2) else f"{cap_usd:g}"
        super().__init__(
            f"stopped at the spend cap: ${spent_usd:.4f} of ${cap} are spent and {left:,} trials were not run. "
            "What came back is kept; raise the cap and run again to go on."
        )


class StoreError(OperationError):
    code = "store"


class DiskFullError(StoreError):
    """Less room is left on the disk than what stays free. A 503 over HTTP and not a 507: senders of OTLP send again
    after that alone."""

    code = "disk_full"


class StoreAwayError(StoreError):
    """`in_doubt`: it went away in the middle of a commit, and what was written may be there or not."""

    code = "store_away"

    def __init__(self, problem: str, *, in_doubt: bool = False) -> None:
        self.in_doubt = in_doubt
        super().__init__(problem)


class BusyError(OperationError):
    """Nothing was kept of what was sent. `retry_after_s` is when to send it again."""

    code = "busy"

    def __init__(self, problem: str, *, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(f"{problem}: nothing of this was kept. Send it again in {retry_after_s:g} s.")


class TimeLimitError(OperationError):
    """`limit_s` is what it may take."""

    code = "time_limit"

    def __init__(self, problem: str, *, limit_s: float) -> None:
        self.limit_s = limit_s
        super().__init__(problem)


class WorkerLostError(OperationError):
    """The worker of `job` died, or said nothing any more, `attempts` times before a step was finished."""

    code = "worker_lost"

    def __init__(self, job: str, attempts: int) -> None:
        self.job = job
        self.attempts = attempts
        super().__init__(
            f"job {job} was begun {attempts} times, and every time its worker died or hung before a step was finished. "
            "What came back is kept. Look at the worker's log and at its memory, then try the job again."
        )
