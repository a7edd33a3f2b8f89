"""Routes: what an address becomes on the wire."""

import pytest

from boxscore.providers.pool import Route


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://h", "/"),
        ("http://h/", "/"),
        ("http://h/v1/models/a%2Fb:generate", "/v1/models/a%2Fb:generate"),
        ("http://h/modelle/größe 2", "/modelle/gr%C3%B6%C3%9Fe%202"),
        ("http://h/v1?a=1&b=%20&c=x y", "/v1?a=1&b=%20&c=x%20y"),
        ("http://h/v1#part", "/v1"),
        ("http://h/a;b=c/(d)'!*", "/a;b=c/(d)'!*"),
    ],
)
def test_a_path_is_sent_as_it_is_written_or_quoted(url, target):
    assert Route.of(url).target == target


@pytest.mark.parametrize(
    ("url", "host", "header"),
    [
        ("https://api.example.com/v1", "api.example.com", "api.example.com"),
        ("https://api.example.com:443/v1", "api.example.com", "api.example.com"),
        ("https://api.example.com:8443/v1", "api.example.com", "api.example.com:8443"),
        ("http://[::1]:8000", "::1", "[::1]:8000"),
        ("http://127.0.0.1:8000", "127.0.0.1", "127.0.0.1:8000"),
        ("http://bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_a_host_is_named_as_the_wire_wants_it(url, host, header):
    route = Route.of(url)

    assert (route.host, route.host_header) == (host, header)
    assert route.tls is url.startswith("https")
