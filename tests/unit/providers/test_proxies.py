"""Which proxy the environment names for an address."""

import pytest

from boxscore.errors import SpecError
from boxscore.providers.pool import Route
from boxscore.providers.proxies import proxy_for

FAR = "https://api.example.com/v1"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch.setenv


def test_without_variables_there_is_no_proxy(environment):
    assert proxy_for(FAR) is None
    environment("HTTPS_PROXY", "  ")
    assert proxy_for(FAR) is None


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_is_named_in_capitals_or_small_letters(environment, variable):
    environment(variable, "http://proxy:3128")

    assert proxy_for(FAR) == "http://proxy:3128"


def test_each_scheme_has_its_own_proxy_and_all_is_for_the_rest(environment):
    environment("HTTP_PROXY", "http://plain:1")
    environment("ALL_PROXY", "http://rest:2")

    assert proxy_for("http://api.example.com") == "http://plain:1"
    assert proxy_for(FAR) == "http://rest:2"


def test_a_proxy_without_a_scheme_speaks_http(environment):
    environment("HTTPS_PROXY", "proxy:3128")

    assert proxy_for(FAR) == "http://proxy:3128"


@pytest.mark.parametrize(
    "exempt",
    [
        "*",
        "api.example.com",
        "API.Example.COM",
        "example.com",
        ".example.com",
        "*.example.com",
        "other.org, example.com",
        "other.org example.com",
        "api.example.com:443",
    ],
)
def test_no_proxy_exempts_hosts_and_domains(environment, exempt):
    environment("HTTPS_PROXY", "http://proxy:3128")
    environment("NO_PROXY", exempt)

    assert proxy_for("https://api.example.com:443/v1") is None


@pytest.mark.parametrize(
    "exempt", ["ample.com", "api.example.com.org", "api.example.com:8443", "10.0.0.0/8", "example", ",", "**"]
)
def test_no_proxy_exempts_nobody_else(environment, exempt):
    environment("HTTPS_PROXY", "http://proxy:3128")
    environment("NO_PROXY", exempt)

    assert proxy_for("https://api.example.com:443/v1") == "http://proxy:3128"


@pytest.mark.parametrize(
    ("host", "exempt"),
    [("10.1.2.3", "10.0.0.0/8"), ("10.1.2.3", "10.1.2.3"), ("[fd00::7]", "fd00::/8"), ("[fd00::7]", "[fd00::7]")],
)
def test_no_proxy_exempts_networks(environment, host, exempt):
    environment("ALL_PROXY", "http://proxy:3128")

    assert proxy_for(f"http://{host}:8000") == "http://proxy:3128"
    environment("NO_PROXY", exempt)
    assert proxy_for(f"http://{host}:8000") is None


@pytest.mark.parametrize("here", ["localhost", "vllm.localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_this_machine_is_reached_directly(environment, here):
    environment("ALL_PROXY", "http://proxy:3128")

    assert proxy_for(f"http://{here}:11434/v1") is None


def test_a_proxy_of_another_kind_is_refused_by_name(environment):
    environment("ALL_PROXY", "socks5h://me:hunter22@proxy:1080")

    with pytest.raises(SpecError, match=r"'socks5h'.*NO_PROXY") as caught:
        proxy_for(FAR)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize("broken", ["http://me:hunter22@proxy:port", "http://", "http://[::1", "http://:3128"])
def test_an_address_that_cannot_be_read_is_refused_and_not_shown(environment, broken):
    environment("HTTPS_PROXY", broken)

    with pytest.raises(SpecError, match="http://HOST:PORT") as caught:
        proxy_for(FAR)
    assert "hunter22" not in str(caught.value)


def test_through_a_proxy_a_plain_address_is_asked_for_in_full_and_with_the_proxys_password(environment):
    environment("HTTP_PROXY", "http://me:p%40ss@proxy:3128")

    route = Route.of("http://api.example.com/v1/chat?a=1")
    assert route.target == "http://api.example.com:80/v1/chat?a=1"
    assert route.headers == {"Proxy-Authorization": "Basic bWU6cEBzcw=="}


def test_the_password_of_a_proxy_is_not_for_the_provider(environment):
    environment("HTTPS_PROXY", "http://me:secret@proxy:3128")

    route = Route.of(FAR)
    assert (route.target, route.headers) == ("/v1", {})
