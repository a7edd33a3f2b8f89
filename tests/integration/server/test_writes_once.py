"""A write with an idempotency key is done once."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from serving import JSON, Server


def score(id: str, value: float = 1.0) -> bytes:
    return json.dumps([{"id": id, "name": "tone", "value": value, "session": "s", "at_ns": 1}]).encode()


def values(server: Server) -> dict[str, float]:
    return {found["id"]: found["value"] for found in server.ask("/api/v1/scores?session=s").json}


def test_the_same_request_again_is_answered_and_not_done(server: Server) -> None:
    keyed = JSON | {"idempotency-key": '"one"'}
    first = server.ask("/api/v1/scores", score("a", 0.25), keyed)
    server.ask("/api/v1/scores", score("a", 0.75), JSON)
    again = server.ask("/api/v1/scores", score("a", 0.25), keyed)

    assert (first.status, first.json) == (again.status, again.json) == (200, {"stored": 1})
    assert again.headers["idempotent-replayed"] == "true"
    assert values(server)["a"] == 0.75


def test_the_key_of_another_request_is_refused(server: Server) -> None:
    keyed = JSON | {"idempotency-key": "two"}
    server.ask("/api/v1/scores", score("b"), keyed)
    other = server.ask("/api/v1/scores", score("c"), keyed)

    assert (other.status, other.json["error"]["kind"]) == (422, "key_reused")
    assert "c" not in values(server)


def test_what_was_refused_may_be_sent_again(server: Server) -> None:
    keyed = JSON | {"idempotency-key": "three"}
    assert server.ask("/api/v1/scores", score("d").replace(b'"tone"', b'"to ne"'), keyed).status == 400
    assert server.ask("/api/v1/scores", score("d"), keyed).status == 200


def test_of_twins_one_is_done_and_the_other_told_so(serve: Callable[..., Server]) -> None:
    server = serve()
    keyed = JSON | {"idempotency-key": "twins"}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: server.ask("/api/v1/scores", score("e"), keyed), range(16)))

    assert {answer.status for answer in answers} <= {200, 409}
    assert sum(answer.status == 200 and "idempotent-replayed" not in answer.headers for answer in answers) == 1
    assert {answer.json["error"]["code"] for answer in answers if answer.status == 409} <= {"conflict"}


def test_a_restarted_server_knows_its_answers(serve: Callable[..., Server]) -> None:
    server = serve()
    keyed = JSON | {"idempotency-key": "kept"}
    server.ask("/api/v1/scores", score("f"), keyed)
    server.stop()
    server = serve(home=server.home)
    again = server.ask("/api/v1/scores", score("f"), keyed)

    assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")


def test_a_key_that_is_none_is_refused(server: Server) -> None:
    for key in ("", "x" * 300, "\t", '""'):
        assert server.ask("/api/v1/scores", score("g"), JSON | {"idempotency-key": key}).status == 400, key
