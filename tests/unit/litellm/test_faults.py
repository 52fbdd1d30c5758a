from datetime import UTC, datetime

import orjson
import pytest

from adapters.litellm.faults import Fault, failure_within, refusal
from adapters.litellm.waits_in_words import seconds_given
from creditcore.domain.errors import (
    UpstreamError,
    UpstreamFailedError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.unit.wires.recordings import VERSIONS, body_of, status_of


def an_error(message: str = "no", kind: str | None = None) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": kind, "param": None, "code": "1"}})


def refused(status: int, body: bytes = b"", retry_after: str | None = None) -> UpstreamError:
    return refusal(status, body, retry_after=retry_after)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "name",
    ["error-401-provider", "error-401-proxy", "error-unknown-model", "error-500"],
)
def test_recorded_operators_fault_tells_the_client_nothing(version: str, name: str) -> None:
    error = refused(status_of(version, name), body_of(version, name))

    assert isinstance(error, UpstreamUnavailableError)
    assert str(error) == "The model is not available right now."


@pytest.mark.parametrize("wire", ["", "responses-", "messages-", "messages-claude-"])
def test_recorded_faults_of_a_provider_mean_the_same_on_each_wire(wire: str) -> None:
    busy = refused(429, body_of("1.91.5", f"{wire}error-429"))
    broken = refused(500, body_of("1.91.5", f"{wire}error-500"))

    assert isinstance(busy, UpstreamRejectedError)
    assert (busy.status, busy.code) == (429, "rate_limit_exceeded")
    assert isinstance(broken, UpstreamUnavailableError)


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_bad_request_is_the_clients(version: str) -> None:
    error = refused(400, body_of(version, "error-bad-json"))

    assert isinstance(error, UpstreamRejectedError)
    assert (error.status, error.code) == (400, None)


@pytest.mark.parametrize("status", [400, 401, 403, 422, 429, 500])
@pytest.mark.parametrize("kind", ["budget_exceeded", "no_db_connection", "auth_error"])
def test_operators_fault_is_known_by_its_type_whatever_the_status(status: int, kind: str) -> None:
    assert isinstance(refused(status, an_error(kind=kind)), UpstreamUnavailableError)


@pytest.mark.parametrize(
    "message",
    [
        "Budget has been exceeded! Current cost: 1.0, Max budget: 1.0",
        "ExceededBudget: User=x over budget",
        "litellm.RateLimitError: OpenAIException - You exceeded your current quota, please check",
        "litellm.AuthenticationError: AnthropicException - invalid x-api-key",
    ],
)
def test_operators_fault_is_known_by_its_words(message: str) -> None:
    assert isinstance(refused(429, an_error(message)), UpstreamUnavailableError)


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_refused_request_keeps_its_status(status: int) -> None:
    error = refused(status, an_error("litellm.BadRequestError: OpenAIException - Too odd."))

    assert isinstance(error, UpstreamRejectedError)
    assert (error.status, str(error)) == (status, "Too odd.")


def test_not_found_without_an_error_object_is_a_wrong_address() -> None:
    assert isinstance(refused(404, b'{"detail": "Not Found"}'), UpstreamUnavailableError)


@pytest.mark.parametrize("status", [301, 302, 307, 401, 402, 403, 405, 499, 500, 502, 503, 529])
def test_everything_else_is_not_the_clients_business(status: int) -> None:
    assert isinstance(refused(status, an_error()), UpstreamUnavailableError)


@pytest.mark.parametrize(
    ("body", "header", "wait"),
    [
        (an_error("Overloaded"), "20", 20),
        (an_error("Overloaded. Please retry after 7 seconds."), None, 7),
        (b"", "3", 3),
    ],
)
@pytest.mark.parametrize("status", [503, 529])
def test_what_is_overloaded_for_a_while_says_for_how_long(
    status: int, body: bytes, header: str | None, wait: int
) -> None:
    error = refused(status, body, header)

    assert isinstance(error, UpstreamFailedError)
    assert (error.status, error.retry_after_s, error.code) == (status, wait, "overloaded")


@pytest.mark.parametrize(
    "body",
    [
        an_error("Overloaded", kind="overloaded_error"),
        an_error('AnthropicError - {"type":"error","error":{"type":"overloaded_error"}}'),
    ],
)
@pytest.mark.parametrize("status", [500, 503, 529])
def test_an_overload_without_a_time_is_one_all_the_same(status: int, body: bytes) -> None:
    error = refused(status, body)

    assert isinstance(error, UpstreamFailedError)
    assert (error.status, error.retry_after_s, error.code) == (503, None, "overloaded")


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize(
    "message",
    [
        "litellm.InternalServerError: OpenAIException - the request exceeds the available context",
        "litellm.ContextWindowExceededError: Too long.",
    ],
)
def test_a_full_context_is_the_clients_whatever_the_status(status: int, message: str) -> None:
    error = refused(status, an_error(message))
    within = failure_within({"message": message, "code": status})

    for each in (error, within):
        assert isinstance(each, UpstreamRejectedError)
        assert (each.status, each.code) == (400, "context_length_exceeded")


def test_a_budget_of_ours_is_not_overload() -> None:
    error = refused(503, an_error("x", kind="budget_exceeded"), "20")

    assert not isinstance(error, UpstreamFailedError)


@pytest.mark.parametrize("status", [408, 504])
def test_timeouts_are_timeouts(status: int) -> None:
    assert isinstance(refused(status, an_error()), UpstreamTimeoutError)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, None),
        ("20", 20),
        ("0", 0),
        ("999999", 86400),
        ("soon", None),
        ("-1", None),
        ("1.5", 2),
        ("1500ms", 2),
        ("ms", None),
        ("1.", None),
        ("9999999999", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86400),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ("Monday, in the morning", None),
        ("Sun, 06 Nov 1994 08:49:37 +999999999999", None),
    ],
)
def test_too_many_requests_tell_when_to_come_back(
    retry_after: str | None, seconds: int | None
) -> None:
    error = refused(429, an_error("Rate limit of org-abc123 reached"), retry_after)

    assert isinstance(error, UpstreamRejectedError)
    assert (error.status, error.code) == (429, "rate_limit_exceeded")
    assert error.retry_after_s == seconds
    assert "org-" not in str(error)


@pytest.mark.parametrize(
    "date",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        " Sun, 06 Nov 1994 10:49:37 +0200",
    ],
)
def test_a_date_to_come_back_at_is_read_in_every_form_of_http(date: str) -> None:
    noted = datetime(1994, 11, 6, 8, 49, 7, 400_000, tzinfo=UTC)

    assert seconds_given(date, noted) == 30


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ContextWindowExceededError", "context_length_exceeded"),
        ("ContentPolicyViolationError", "content_policy_violation"),
    ],
)
def test_code_the_provider_gave_is_recovered(name: str, code: str) -> None:
    message = f"litellm.{name}: litellm.BadRequestError: {name}: OpenAIException - Too long."

    error = refused(400, an_error(message))

    assert isinstance(error, UpstreamRejectedError)
    assert (error.code, str(error)) == (code, "Too long.")


def test_error_in_an_event_stream_is_understood() -> None:
    body = b"data: " + an_error("litellm.BadRequestError: Too odd.") + b"\n\ndata: [DONE]\n\n"

    assert str(refused(400, body)) == "Too odd."


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>sk-secret1234</html>", b"[]", b"data:", b'{"error": 7}', b'{"detail": [{}]}'],
)
def test_body_that_says_nothing_gives_a_plain_message(body: bytes) -> None:
    assert str(refused(400, body)) == "The model refused this request."


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("litellm.BadRequestError: OpenAIException - Unknown role.", "Unknown role."),
        ("litellm.APIConnectionError: APIConnectionError: OpenAIException - died", "died"),
        ("Too odd. Received Model Group=x\nAvailable Model Group Fallbacks=None", "Too odd"),
        (
            "Too odd.\n\nLiteLLM: model group 'x' failed with the error above. None was tried.",
            "Too odd",
        ),
        ("Too odd LiteLLM Retried: 2 times, LiteLLM Max Retries: 3", "Too odd"),
        ("see https://api.example.com/v1?k=1 now", "see [removed] now"),
        ("at 10.0.0.7:4000 now", "at [removed] now"),
        ("at litellm.internal:4000 now", "at [removed] now"),
        ("at localhost:4000 now", "at [removed] now"),
        ("host api.openai.com failed", "host [removed] failed"),
        ("key sk-proj-abc_DEF123 bad", "key [removed] bad"),
        ("key sk-...abcd bad", "key [removed] bad"),
        ("Bearer abc.def bad", "[removed] bad"),
        ("in org-AbC123xyz only", "in [removed] only"),
        ("id 0123456789abcdef0123456789abcdef x", "id [removed] x"),
        ("line one\nline\ttwo", "line one line two"),
        ("max_tokens must be at most 4096.", "max_tokens must be at most 4096."),
        ("Invalid 'temperature': 3.5 is above 2.0.", "Invalid 'temperature': 3.5 is above 2.0."),
        ("", "The model refused this request."),
        # The proxy's advice is for its operator.
        (
            "No parameters: ['top_k'], for model=gpt-4o. To drop these, set `litellm.drop_params`",
            "No parameters: ['top_k']",
        ),
        ("Should start with user. set 'litellm.modify_params = True'", "Should start with user"),
        ("AnthropicException - died. Handle with `litellm.InternalServerError`.", "died"),
        (
            "OpenAIException - Response payload is not completed: <TransferEncodingError: 400>",
            "The answer broke off.",
        ),
        ("Server disconnected without sending a response.", "The answer broke off."),
    ],
)
def test_message_keeps_the_words_and_loses_the_secrets(said: str, shown: str) -> None:
    assert Fault.of({"message": said}).public_message == shown


@pytest.mark.parametrize(
    "quoted",
    [
        'OpenAIException - {"error": {"type": "x", "message": "Too \\"odd\\".", "code": null}}',
        'AnthropicException - {"type":"error","error":{"message":"Too \\u0022odd\\"."}}',
        # Vertex: bytes, as Python shows them; the OpenAI SDK: an object, as Python shows it.
        """VertexAIException TypeError - b'{\\n "error": {"message": "Too \\\\"odd\\\\"."}}'""",
        """Error code: 400 - {'error': {'message': 'Too "odd".', 'param': None}}""",
        """{'error': 'Too "odd".', 'bedrock_guardrail_response': 'No.'}""",
        """GeminiException - [{\n "error": {\n "message": "Too\\n\\"odd\\".",""",
        """BedrockException - {"message":"Too \\"odd\\"."}. Handle with `litellm.TypeError`.""",
    ],
)
def test_a_message_within_an_object_within_a_message_is_what_is_told(quoted: str) -> None:
    said = f"litellm.BadRequestError: {quoted}"

    assert Fault.of({"message": said}).public_message == 'Too "odd".'


@pytest.mark.parametrize(
    "words",
    ["""f: {"message": "x"} is no schema.""", '{"a": 1}', '{"message": ""}', "{'message': '"],
)
def test_braces_that_hold_no_message_stay(words: str) -> None:
    assert Fault.of({"message": words}).public_message == words


def test_message_is_bounded() -> None:
    assert len(Fault.of({"message": "word " * 10_000}).public_message) == 500


def test_only_the_beginning_of_a_hostile_message_is_searched() -> None:
    for piece in ("a.", "a-", "Error: ", "Error ", "1.", "a1_", " ", " \n", '{"message":"\\'):
        assert Fault.of({"message": piece * 1_000_000}).public_message


@pytest.mark.parametrize("status", [400, 413, 422])
@pytest.mark.parametrize(
    "error",
    [
        {"message": "Too long.", "code": "context_length_exceeded"},
        {"message": "OpenAIException - {'message': 'x', 'code': 'context_length_exceeded'}"},
        {"message": 'OpenAIException - {"error": {"code": "context_length_exceeded"}}'},
        {"message": "litellm.ContextWindowExceededError: Too long.", "code": "400"},
    ],
)
def test_a_code_that_clients_act_on_is_kept(error: dict[str, str], status: int) -> None:
    refusal_of_it = refused(status, orjson.dumps({"error": error}))

    assert isinstance(refusal_of_it, UpstreamRejectedError)
    assert refusal_of_it.code == "context_length_exceeded"


@pytest.mark.parametrize("code", ["deployment_7_is_down", "400", "", None, 7, [], {"a": "b"}])
def test_any_other_code_is_not_the_clients(code: object) -> None:
    assert Fault.of({"message": "Too odd.", "code": code}).code is None


def test_operators_fault_has_no_code_and_no_wait() -> None:
    fault = Fault.of(
        {"message": "Try again in 5s.", "type": "insufficient_quota", "code": "rate_limit_exceeded"}
    )

    assert (fault.code, fault.retry_after_s) == (None, None)


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        ({"message": "Rate limit reached. Please try again in 11.054s. Visit"}, 12),
        ({"message": "Please try again in 350ms."}, 1),
        ({"message": "Please try again in 2m."}, 120),
        ({"message": "Please retry in 44.2s."}, 45),
        ({"message": "try again in 20 seconds"}, 20),
        ({"message": "retry after 7 seconds"}, 7),
        ({"message": "slow down", "retry_after": 30}, 30),
        ({"message": "try again in 999999m"}, 86400),
        ({"message": "try again in a moment"}, None),
        ({"message": "slow down", "retry_after": "soon"}, None),
        ({"message": "slow down", "retry_after": [1]}, None),
    ],
)
def test_a_wait_in_the_error_itself_is_read(error: dict[str, object], seconds: int | None) -> None:
    fault = Fault.of(error)
    refusal_of_it = refused(429, orjson.dumps({"error": error}))

    assert isinstance(refusal_of_it, UpstreamRejectedError)
    assert (fault.retry_after_s, refusal_of_it.retry_after_s) == (seconds, seconds)


def test_the_header_says_how_long_to_wait_before_the_error_does() -> None:
    error = refused(429, an_error("try again in 9s"), "20")

    assert isinstance(error, UpstreamRejectedError)
    assert error.retry_after_s == 20


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ({"message": "Slow down.", "retry_after": 3}, "Slow down. Try again in 3s."),
        ({"message": "Please try again in 1.5s."}, "Please try again in 1.5s."),
        ({"message": "Slow down."}, "Slow down."),
    ],
)
def test_a_stream_says_in_its_message_how_long_to_wait(
    error: dict[str, object], message: str
) -> None:
    assert Fault.of(error).message_with_wait == message
