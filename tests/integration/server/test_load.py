"""More than can be taken, and a disk without room: refused, counted, and over when it is over."""

import threading
import time
from collections import Counter
from collections.abc import Callable

from serving import JSON, Server, printed, request


def value(server: Server, metric: str) -> float:
    lines = server.ask("/metrics").body.decode().splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(metric))


def test_overload_is_refused_and_counted_and_memory_stays_flat(serve: Callable[..., Server]) -> None:
    """Far more at once than there is room for: each request is stored or told to come again, and none is lost."""
    server = serve(limits={"waiting_bytes": 1_000_000})
    bodies = [request(*"abcdefghij", text="words of a prompt " * 1_000).SerializeToString() for _ in range(40)]
    server.send(bodies[0])
    before = server.memory_mb()
    statuses: Counter[int] = Counter()
    until = time.monotonic() + 4

    def load(number: int) -> None:
        connection = server.connect()
        place = number
        while time.monotonic() < until:
            place += 1
            connection.request("POST", "/v1/traces", bodies[place % 40], {"content-type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
            if answer.status == 503:
                assert answer.getheader("retry-after") == "1"
        connection.close()

    threads = [threading.Thread(target=load, args=(number,)) for number in range(60)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    reading = server.ask("/api/v1/traces?limit=5")
    for thread in threads:
        thread.join()
    recovered = time.monotonic()
    while server.send(bodies[0]).status != 200:
        time.sleep(0.05)

    assert set(statuses) <= {200, 503}
    assert min(statuses[200], statuses[503]) > 0
    assert reading.status == 200
    assert time.monotonic() - recovered < 10
    assert server.memory_mb("VmHWM") < before + 200
    assert value(server, "boxscore_requests_refused_total") == statuses[503]
    assert value(server, "boxscore_spans_stored_total") == value(server, "boxscore_spans_accepted_total")
    assert server.ask("/api/v1/counts").json["spans"] == 10 * 40


def test_without_room_on_the_disk_nothing_is_written_and_all_can_be_read(serve: Callable[..., Server]) -> None:
    first = serve()
    first.send(request("kept", trace=b"\x0d" * 16).SerializeToString())
    first.stop()
    server = serve(limits={"reserve_bytes": 10**18, "reserve_share": 1})

    spans = server.send(request("a").SerializeToString())
    score = server.ask("/api/v1/scores", b'[{"id":"a","name":"n","value":1,"session":"s","at_ns":1}]', JSON)
    ready = server.ask("/health/ready")

    assert [spans.status, score.status, ready.status] == [503, 503, 503]
    assert score.json["error"]["code"] == "disk_full"
    assert "MB left" in ready.json["why"]
    assert ready.json["why"] in printed(server)
    assert server.ask("/health/live").status == 200
    assert server.ask(f"/api/v1/traces/{'0d' * 16}").status == 200
