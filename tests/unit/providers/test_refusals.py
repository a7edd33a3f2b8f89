"""What providers say when they do not answer becomes the right leaf of the error tree, in one sentence."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxscore.errors import ProviderError
from boxscore.providers.refusals import error_in, parsed, refusal
from boxscore.providers.transport import Reply

KEY = "sk-live-0123456789abcdefghij"


def reply(status: int, body: Any = "", **headers: str) -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers=named, body=text.encode(), wall_s=0.1)


def error(status: int, body: Any = "", *, tried: str = "", **headers: str) -> ProviderError:
    found = refusal(reply(status, body, **headers), "acme", tried=tried)
    assert found is not None
    return found


def openai(message: str, kind: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def google(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, openai("Incorrect API key provided", "invalid_request_error", "invalid_api_key"), "auth"),
        (403, openai("Project does not have access to model", "invalid_request_error", "model_not_found"), "not_found"),
        (404, openai("The model does not exist", "invalid_request_error", "model_not_found"), "not_found"),
        (404, openai("Invalid URL (POST /v1/chat)", "invalid_request_error"), "not_found"),
        (400, openai("too many", "invalid_request_error", "context_length_exceeded"), "too_long"),
        (400, openai("This model's maximum context length is 8192 tokens.", "BadRequestError"), "too_long"),
        (400, openai("flagged", "invalid_request_error", "invalid_prompt"), "filtered"),
        (400, openai("Unsupported value", "invalid_request_error", "unsupported_value"), "refused"),
        (429, openai("Rate limit reached", "tokens", "rate_limit_exceeded"), "rate_limit"),
        (429, openai("You exceeded your current quota", "insufficient_quota", "insufficient_quota"), "quota"),
        (
            429,
            openai("Request too large for gpt-4o on tokens per min: Limit 10, Requested 20", "tokens"),
            "too_long",
        ),
        (500, openai("The server had an error", "server_error"), "server"),
        (503, openai("Slow down", "server_error", "slow_down"), "overloaded"),
    ],
)
def test_openais_errors(status: int, body: Any, kind: str) -> None:
    assert error(status, body).kind == kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"error": {"code": "401", "message": "Access denied due to invalid subscription key"}}, "auth"),
        (404, {"error": {"code": "DeploymentNotFound", "message": "The API deployment does not exist."}}, "not_found"),
        (
            400,
            {"error": {"code": "BadRequest", "message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
            "filtered",
        ),
        (429, {"error": {"code": "429", "message": "Requests have exceeded call rate limit."}}, "rate_limit"),
    ],
)
def test_azures_errors(status: int, body: Any, kind: str) -> None:
    assert error(status, body).kind == kind


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), "too_long"),
        (400, anthropic("invalid_request_error", "Your credit balance is too low to access the API."), "quota"),
        (400, anthropic("invalid_request_error", "You have reached your specified API usage limits."), "quota"),
        (400, anthropic("invalid_request_error", "Output blocked by content filtering policy"), "filtered"),
        (400, anthropic("invalid_request_error", "max_tokens: Field required"), "refused"),
        (401, anthropic("authentication_error", "invalid x-api-key"), "auth"),
        (402, anthropic("billing_error", "no"), "quota"),
        (403, anthropic("permission_error", "no"), "auth"),
        (404, anthropic("not_found_error", "model: claude-9"), "not_found"),
        (413, anthropic("request_too_large", "Request exceeds the maximum size"), "too_long"),
        (429, anthropic("rate_limit_error", "exceeds 40,000 input tokens per minute"), "rate_limit"),
        (500, anthropic("api_error", "Internal server error"), "server"),
        (504, anthropic("timeout_error", "timed out"), "timeout"),
        (529, anthropic("overloaded_error", "Overloaded"), "overloaded"),
    ],
)
def test_anthropics_errors(status: int, body: Any, kind: str) -> None:
    assert error(status, body).kind == kind


PER_DAY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
BAD_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", BAD_KEY), "auth"),
        (400, google(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), "auth"),
        (
            400,
            google(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number"),
            "too_long",
        ),
        (400, google(400, "INVALID_ARGUMENT", "Please use a valid role: user, model."), "refused"),
        (403, google(403, "PERMISSION_DENIED", "no"), "auth"),
        (404, google(404, "NOT_FOUND", "models/x is not found"), "not_found"),
        (429, google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota"), "rate_limit"),
        (429, google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota", PER_DAY), "quota"),
        (500, google(500, "INTERNAL", "An internal error has occurred"), "server"),
        (503, google(503, "UNAVAILABLE", "The model is overloaded."), "overloaded"),
        (504, google(504, "DEADLINE_EXCEEDED", "late"), "timeout"),
        (429, [google(429, "RESOURCE_EXHAUSTED", "in a list, as its streams have it")], "rate_limit"),
    ],
)
def test_googles_errors(status: int, body: Any, kind: str) -> None:
    assert error(status, body).kind == kind


@pytest.mark.parametrize(
    ("status", "name", "message", "kind"),
    [
        (400, "ValidationException", "Input is too long for requested model.", "too_long"),
        (400, "ValidationException", "The provided model identifier is invalid.", "not_found"),
        (400, "ValidationException", "Malformed input request", "refused"),
        (403, "AccessDeniedException", "You don't have access to the model with the specified model ID.", "auth"),
        (403, "UnrecognizedClientException", "The security token included in the request is invalid.", "auth"),
        (403, "ExpiredTokenException", "The security token included in the request is expired", "auth"),
        (404, "ResourceNotFoundException", "This model version has reached the end of its life.", "not_found"),
        (408, "ModelTimeoutException", "late", "timeout"),
        (424, "ModelErrorException", "failed", "server"),
        (429, "ThrottlingException", "Too many tokens, please wait before trying again.", "rate_limit"),
        (429, "ModelNotReadyException", "warming", "overloaded"),
        (400, "ServiceQuotaExceededException", "no", "quota"),
        (503, "ServiceUnavailableException", "busy", "overloaded"),
    ],
)
def test_bedrocks_errors_are_named_in_a_header_or_in_the_body(status: int, name: str, message: str, kind: str) -> None:
    header = error(status, {"message": message}, x_amzn_errortype=f"{name}:http://internal.amazon.com/")
    inside = error(status, {"__type": f"com.amazonaws.bedrock#{name}", "Message": message})

    assert (header.kind, inside.kind) == (kind, kind)
    assert message.rstrip(".") in str(header)
    assert message.rstrip(".") in str(inside)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"message": "model 'command-r' was removed on September 15, 2025."}, "not_found"),
        (401, {"message": "invalid api token"}, "auth"),
        (400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081"}, "too_long"),
        (429, {"message": "You are using a Trial key, which is limited to 10 API calls / minute."}, "rate_limit"),
        (429, {"message": "You are using a Trial key, which is limited to 1000 API calls / month."}, "quota"),
        (400, {"object": "error", "message": "Invalid model: x", "type": "invalid_model", "code": "1500"}, "not_found"),
        (
            400,
            {"message": "Prompt contains 40000 tokens, too large for 32768 maximum context length"},
            "too_long",
        ),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "Extra inputs are not permitted"}]}, "refused"),
        (413, openai("Request too large for model `x` (TPM): Limit 6000", "tokens", "rate_limit_exceeded"), "too_long"),
        (400, openai("The model `x` has been decommissioned", code="model_decommissioned"), "not_found"),
        (498, openai("capacity exceeded", code="capacity_exceeded"), "overloaded"),
        (402, openai("Insufficient Balance", "unknown_error", "invalid_request_error"), "quota"),
        (402, {"error": {"message": "requires more credits", "code": 402}}, "quota"),
        (403, {"error": {"message": "Input flagged", "code": 403, "metadata": {"reasons": ["x"]}}}, "filtered"),
        (403, {"error": "Your team has used all available credits"}, "quota"),
        (404, {"error": "model 'x' not found"}, "not_found"),
        (400, {"error": {"type": "exceed_context_size_error", "message": "x", "code": 400}}, "too_long"),
        (404, {"detail": "Not Found"}, "not_found"),
        (429, {"detail": "Too many tokens in this minute"}, "rate_limit"),
        (401, {"detail": "model 'x' not found for this key"}, "auth"),
    ],
)
def test_errors_of_cohere_mistral_groq_deepseek_openrouter_xai_ollama_and_llamacpp(
    status: int, body: Any, kind: str
) -> None:
    assert error(status, body).kind == kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (302, "refused"),
        (400, "refused"),
        (401, "auth"),
        (403, "auth"),
        (404, "not_found"),
        (405, "not_found"),
        (408, "timeout"),
        (413, "too_long"),
        (418, "refused"),
        (422, "refused"),
        (429, "rate_limit"),
        (500, "server"),
        (502, "server"),
        (503, "overloaded"),
        (504, "timeout"),
        (529, "overloaded"),
    ],
)
@pytest.mark.parametrize(
    "body", ["", "<html><h1>nginx</h1></html>", "oops", "{}", "[]", "null", "3", '{"error": null}']
)
def test_without_words_the_status_decides(status: int, body: str, kind: str) -> None:
    assert error(status, body).kind == kind


@pytest.mark.parametrize("status", [200, 201, 204])
def test_success_is_no_refusal(status: int) -> None:
    assert refusal(reply(status, {"error": "ignored here"}), "acme") is None


# The sentence


def test_the_sentence_names_who_what_was_tried_what_was_said_and_what_to_do() -> None:
    body = openai("The model `gpt-9` does not exist.", code="model_not_found")

    assert str(error(404, body, tried="gpt-9 at https://api.example.com")) == (
        "acme: HTTP 404 for gpt-9 at https://api.example.com: The model `gpt-9` does not exist; "
        "are base_url and the model's name right?"
    )


def test_a_web_page_is_called_one_and_a_proxy_is_suspected() -> None:
    for found in (
        error(403, "<!DOCTYPE html><title>Log in</title>"),
        error(403, "Log in", content_type="text/html; charset=utf-8"),
    ):
        assert "a web page (HTML)" in str(found)
        assert "proxy" in str(found)
        assert "Log in" not in str(found)


def test_a_proxy_that_wants_a_password_is_not_taken_for_a_wrong_key() -> None:
    found = error(407, "<html>Proxy Authentication Required</html>", content_type="text/html")

    assert found.kind == "auth"
    assert "HTTP_PROXY" in str(found)
    assert "key" not in str(found)


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "plain-words-as-key")
    found = error(401, openai(f"Incorrect API key provided: {KEY} and plain-words-as-key"))

    assert KEY not in str(found)
    assert "plain-words-as-key" not in str(found)
    assert "[ACME_API_KEY]" in str(found)


def test_a_long_message_is_shortened_and_half_a_surrogate_pair_can_be_printed() -> None:
    found = error(400, openai("x" * 5_000 + "\ud83d"))
    half = error(400, openai("\ud83d"))

    assert len(str(found)) < 500
    assert str(half).encode()


def test_findings_of_a_fastapi_server_are_listed_with_their_places() -> None:
    body = {"detail": [{"loc": ["body", "n"], "msg": "not permitted"}, {"loc": ["body", "k"], "msg": "too low"}]}

    assert "body.n: not permitted; body.k: too low" in str(error(422, body))
    assert "body.n: not permitted" in str(error(422, {"object": "error", "message": {"detail": body["detail"]}}))


def test_openrouter_passes_on_the_words_of_the_provider_behind_it() -> None:
    body = {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": "bad image"}}}

    assert "Provider returned error: bad image" in str(error(400, body))


# When to try again


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0.5"}, 0.5),
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5),
        ({"retry_after": "-3"}, 0),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "soon"}, None),
        ({}, None),
    ],
)
def test_headers_say_when(headers: dict[str, str], seconds: float | None) -> None:
    assert error(429, openai("slow"), **headers).retry_after_s == seconds


def test_a_date_says_when() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    earlier = format_datetime(datetime.now(UTC) - timedelta(seconds=90), usegmt=True)

    assert error(429, retry_after=later).retry_after_s == pytest.approx(90, abs=5)
    assert error(429, retry_after=earlier).retry_after_s == 0


def test_googles_retry_info_says_when() -> None:
    info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.07s"}

    assert error(429, google(429, "RESOURCE_EXHAUSTED", "quota", info)).retry_after_s == 34.07


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Please try again in 1.5s. Visit the docs.", 1.5),
        ("Please try again in 20ms.", 0.02),
        ("Please try again in 6m0s.", 360),
        ("Please try again in 1h2m3s.", 3723),
        ("Please try again in 2m", 120),
        ("Please retry after 10 seconds.", 10),
        ("Please try again in a while.", None),
    ],
)
def test_the_message_says_when_nothing_else_does(message: str, seconds: float | None) -> None:
    assert error(429, openai(message)).retry_after_s == seconds
    assert error(400, openai(message)).retry_after_s is None


# Where the status said nothing


def test_an_error_inside_a_good_answer_or_a_stream_is_its_leaf() -> None:
    overloaded = error_in(anthropic("overloaded_error", "Overloaded"), provider="acme")
    coded = error_in({"error": {"message": "late", "code": 504}}, provider="acme", status=200)
    nameless = error_in({"error": "boom"}, provider="acme")

    assert (overloaded.kind, overloaded.status) == ("overloaded", None)
    assert (coded.kind, coded.status) == ("timeout", 504)
    assert (nameless.kind, str(nameless)) == ("server", "acme: error: boom; try again later.")


def test_what_is_no_json_is_a_bad_answer_that_says_what_it_is() -> None:
    with pytest.raises(ProviderError, match="no JSON but a web page") as page:
        parsed(reply(200, "<html>"), "acme")
    with pytest.raises(ProviderError, match="no JSON but hello"):
        parsed(reply(200, "hello"), "acme")
    with pytest.raises(ProviderError, match="an empty body"):
        parsed(reply(200), "acme")

    assert page.value.kind == "bad_answer"
    assert parsed(reply(200, '"a\\ud83d"'), "acme") == "a\ud83d"


def test_a_body_nested_without_end_is_one_sentence_too() -> None:
    for depth in (300, 900, 5_000):
        found = error(400, '{"error":' * depth + "1" + "}" * depth)

        assert found.kind == "refused"
        assert len(str(found)) < 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "code", "type", "detail", "details", "msg", "loc", "status", "metadata"]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(body=JSON, status=st.integers(300, 599))
def test_any_body_is_one_printable_sentence(body: Any, status: int) -> None:
    found = error(status, body)

    assert found.status == status
    assert "\n" not in str(found)
    assert str(found).encode()
