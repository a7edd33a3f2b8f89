"""What a provider says when it does not answer, and which leaf of the error tree that is: one place for all of them.

Names of errors first, because they are exact; then the words of the message, because some providers have one name for
everything (`invalid_request_error`); then the HTTP status.

Sources: the error pages of the OpenAI, Azure OpenAI, Anthropic, Gemini (google.rpc.Code), Amazon Bedrock, Cohere,
Mistral, Groq and OpenRouter references.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from boxscore.errors import ProviderError
from boxscore.providers.secrets import mask
from boxscore.types import Json

if TYPE_CHECKING:
    from boxscore.providers.transport import Reply

_SHOWN = 300

_NAMES: dict[str, str] = {
    name: kind
    for kind, names in {
        "auth": """invalid_api_key missing_api_key authentication_error permission_error invalid_authentication
            unauthenticated permission_denied api_key_invalid api_key_expired account_deactivated accessdeniedexception
            unrecognizedclientexception invalidsignatureexception incompletesignature expiredtokenexception
            expiredtoken invalidclienttokenid missingauthenticationtokenexception""",
        "quota": """insufficient_quota billing_hard_limit_reached billing_not_active billing_error insufficient_balance
            servicequotaexceededexception""",
        "rate_limit": """rate_limit_exceeded rate_limit_error rate_limited throttlingexception too_many_requests
            toomanyrequestsexception resource_exhausted""",
        "overloaded": """overloaded_error engine_overloaded slow_down unavailable serviceunavailableexception
            modelnotreadyexception service_tier_capacity_exceeded""",
        "not_found": """model_not_found deploymentnotfound not_found_error not_found resourcenotfoundexception
            model_decommissioned invalid_model unknown_url""",
        "too_long": "context_length_exceeded string_above_max_length request_too_large exceed_context_size_error",
        "filtered": """content_filter content_policy_violation responsibleaipolicyviolation prohibited_content
            moderation_blocked invalid_prompt""",
        "timeout": "modeltimeoutexception deadline_exceeded timeout_error",
        "server": """server_error api_error internal_server_error internal internalserverexception modelerrorexception
            modelstreamerrorexception""",
    }.items()
    for name in names.split()
}

_STATUSES: dict[int, str] = {
    401: "auth",
    402: "quota",
    403: "auth",
    404: "not_found",
    405: "not_found",
    407: "auth",
    408: "timeout",
    410: "not_found",
    413: "too_long",
    429: "rate_limit",
    498: "overloaded",
    503: "overloaded",
    504: "timeout",
    524: "timeout",
    529: "overloaded",
}

_NEVER_FITS = re.compile(r"request too large for", re.IGNORECASE)
"""A limit per minute that this request alone exceeds: it is named a rate limit, and waiting would not help."""

_NO_ALLOWANCE = re.compile(
    r"credit balance is too low|insufficient (?:balance|credits?|funds)|api usage limits|spending limit|out of credits"
    r"|used all available credits|calls / month",
    re.IGNORECASE,
)
_PHRASES = (
    (
        "too_long",
        re.compile(
            r"prompt is too long|input (?:is )?too long|too many (?:input )?tokens|maximum context"
            r"|context (?:length|window|size)|token count.{0,40}exceeds|maximum number of (?:input )?tokens"
            r"|reduce the length|too many total text bytes|`inputs` tokens",
            re.IGNORECASE,
        ),
    ),
    (
        "auth",
        re.compile(
            r"(?:invalid|incorrect|missing|no) (?:api[- _]?(?:key|token)|x-api-key)|api key (?:not valid|expired)"
            r"|security token",
            re.IGNORECASE,
        ),
    ),
    (
        "not_found",
        re.compile(
            r"\bmodel\b.{0,120}(?:does not exist|not found|was removed|has been deprecated|is not a valid)"
            r"|model identifier is invalid|not a valid model|(?:invalid|unknown|unsupported) model\b",
            re.IGNORECASE,
        ),
    ),
    (
        "filtered",
        re.compile(
            r"content (?:management policy|filter)|usage polic|safety system|blocked by|input (?:was )?flagged"
            r"|flagged as|guardrail",
            re.IGNORECASE,
        ),
    ),
)

_ADVICE = {
    "auth": "is the key right, is it for this address, and may it use this model?",
    "quota": "add credit to the account, or raise its limit.",
    "rate_limit": "lower the concurrency, or raise your limits there.",
    "overloaded": "try again later.",
    "not_found": "are base_url and the model's name right?",
    "too_long": "shorten the input, ask for fewer tokens, or choose a model that takes more.",
    "filtered": "its content filter refused: change the input, or the filter's settings there.",
    "timeout": "try again.",
    "server": "try again later.",
    "refused": "the request has to change.",
}
_PROXY_ADVICE = "it is the proxy that asks: put a name and a password into the address that HTTP_PROXY has."
_PAGE = "a web page (HTML)"
_PAGE_ADVICE = "is base_url right, and is no proxy or login page in between?"


def refusal(reply: "Reply", name: str, *, tried: str = "") -> ProviderError | None:
    """The error that an HTTP answer means, None for success. `tried` is what was asked for and where, as in "gpt-5 at
    https://api.openai.com"."""
    if 200 <= reply.status < 300:
        return None
    body = _body(reply)
    return _error(body, name, status=reply.status, headers=reply.headers, tried=tried)


def error_in(body: Json, *, provider: str, status: int | None = None, tried: str = "") -> ProviderError:
    """The error that a body speaks of where the status said nothing: inside an answer of HTTP 200, or in a stream."""
    return _error(body, provider, status=status, headers={}, tried=tried)


def parsed(reply: "Reply", name: str) -> Json:
    """The JSON of a body; anything else is a `ProviderError` of kind bad_answer that says what it is."""
    try:
        return _read(reply.body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(
            "bad_answer",
            f"the answer is no JSON but {_said(_body(reply))}; "
            "is this the right address and the right kind of endpoint?",
            provider=name,
            status=reply.status,
        ) from error


def _read(body: bytes) -> Json:
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):  # it refuses halves of surrogate pairs, which models do send
        return json.loads(body)


class _Page(NamedTuple):
    """A body that is meant for a browser."""


def _error(body: Json, provider: str, *, status: int | None, headers: Mapping[str, str], tried: str) -> ProviderError:
    said, names = _said(body), list(_names_in(body, headers))
    if status is None or status < 300:
        status = next((code for code in map(_as_status, names) if code), None)
    kind = _kind(names, said, status)
    advice = _PAGE_ADVICE if isinstance(body, _Page) and (status or 0) < 500 else _ADVICE[kind]
    if status == 407:
        advice = _PROXY_ADVICE
    what = f"HTTP {status}" if status else "error"
    return ProviderError(
        kind,
        f"{what}{tried and ' for '}{tried}: {said.rstrip('.')}; {advice}",
        provider=provider,
        status=status,
        retry_after_s=_retry_after(headers, body, said if kind in ("rate_limit", "overloaded") else ""),
    )


def _kind(names: list[str], said: str, status: int | None) -> str:
    known = {_NAMES[name] for name in names if name in _NAMES}
    if _NEVER_FITS.search(said):
        return "too_long"
    if _NO_ALLOWANCE.search(said) or any("perday" in name for name in names):
        return "quota"
    for kind in ("filtered", "quota", "too_long", "auth", "not_found", "overloaded", "rate_limit", "timeout", "server"):
        if kind in known:
            return kind
    if status not in (401, 429):
        for kind, words in _PHRASES:
            if words.search(said):
                return kind
    if status in _STATUSES:
        return _STATUSES[status]
    return "refused" if status and status < 500 else "server"


def _body(reply: "Reply") -> Json:
    text = reply.body[: 64 * 1024].decode("utf-8", "replace").strip()
    if "html" in reply.headers.get("content-type", "") or text[:15].lower().startswith(("<!doctype", "<html")):
        return _Page()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _said(body: Json) -> str:
    """What a body says to a person: an error's message in any of the usual places, else its beginning."""
    if isinstance(body, _Page):
        return _PAGE
    try:
        found = _message(body)
        words = found if isinstance(found, str) else "" if found in (None, [], {}) else json.dumps(found)
    except RecursionError:
        words = "JSON that is nested too deep"
    words = " ".join(mask(words).split()).encode("utf-8", "replace").decode() or "an empty body"
    return words if len(words) <= _SHOWN else words[:_SHOWN] + "…"


def _message(body: Json) -> Json:
    if isinstance(body, list):
        items = cast("list[Json]", body)
        if len(items) == 1 or not all(isinstance(item, dict) and "msg" in item for item in items):
            return _message(items[0]) if items else ""
        return "; ".join(str(_message(item)) for item in items)
    if not isinstance(body, dict):
        return body
    fields = cast("dict[str, Json]", body)
    if isinstance(fields.get("msg"), str):  # one finding of a FastAPI server
        place = fields.get("loc")
        at = ".".join(map(str, cast("list[Json]", place))) if isinstance(place, list) else ""
        return f"{at}: {fields['msg']}" if at else fields["msg"]
    raw = _fields(fields.get("metadata")).get("raw")
    if isinstance(raw, str) and isinstance(fields.get("message"), str):
        return f"{fields['message']}: {raw}"  # OpenRouter: the words of the provider behind it
    for key in ("error", "errors", "message", "Message", "detail"):
        if fields.get(key):
            return _message(fields[key])
    return fields or ""


def _names_in(body: Json, headers: Mapping[str, str]) -> Iterator[str]:
    """Every name that a body and its headers give to the error, in lower case."""
    if amazon := headers.get("x-amzn-errortype"):
        yield amazon.split(":")[0].rpartition("#")[2].lower()
    pending: list[Json] = [body]
    for node in pending:  # grows as it is walked; errors are small, and the walk is bounded
        if len(pending) > 200:
            return
        if isinstance(node, list):
            pending += cast("list[Json]", node)
        if not isinstance(node, dict):
            continue
        fields = cast("dict[str, Json]", node)
        for key in ("code", "type", "status", "__type", "reason", "quotaId"):
            value = fields.get(key)
            if isinstance(value, str | int) and not isinstance(value, bool):
                yield str(value).rpartition("#")[2].lower()
        for key in ("error", "errors", "innererror", "inner_error", "details", "violations", "message"):
            if isinstance(fields.get(key), dict | list):
                pending.append(fields[key])


def _as_status(name: str) -> int | None:
    return int(name) if name.isdecimal() and len(name) == 3 and name[0] in "45" else None


_DELAY = re.compile(
    r"(?:try again|retry) (?:in|after) (?:(?P<h>\d+)h)?(?:(?P<m>\d+)m(?!s))?(?:(?P<s>[\d.]*\d)\s?(?P<unit>ms|s))?",
    re.IGNORECASE,
)


def _retry_after(headers: Mapping[str, str], body: Json, said: str) -> float | None:
    """Seconds, from wherever the provider says them: headers (RFC 9110, section 10.2.3; OpenAI's `retry-after-ms`),
    Google's RetryInfo, or the message itself ("try again in 6m0s", "retry after 10 seconds")."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    written = _header_seconds(headers.get("retry-after", ""))
    if written is not None:
        return written
    for detail in _details(body):
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and re.fullmatch(r"\d+(\.\d+)?s", delay):
            return float(delay[:-1])
    match = _DELAY.search(said)
    if match is None or not any(match.group("h", "m", "s")):
        return None
    seconds = float(match["s"] or 0) / (1000 if match["unit"] == "ms" else 1)
    return 3600.0 * int(match["h"] or 0) + 60.0 * int(match["m"] or 0) + seconds


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _header_seconds(value: str) -> float | None:
    if (seconds := _number(value)) is not None:
        return seconds
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _details(body: Json) -> Iterator[Mapping[str, Json]]:
    for item in cast("list[Json]", body) if isinstance(body, list) else [body]:
        details = _fields(_fields(item).get("error")).get("details")
        yield from map(_fields, cast("list[Json]", details) if isinstance(details, list) else [])


def _fields(value: Json) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", value) if isinstance(value, dict) else {}
