"""`boxscore providers`: who can be asked, and where the key is."""

import json

import keyring
import pytest
from click.testing import CliRunner
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from boxscore.cli.providers import providers
from boxscore.errors import SpecError
from boxscore.providers import secrets


class InMemory(KeyringBackend):
    priority = 1

    def __init__(self):
        super().__init__()
        self.kept = {}

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        self.kept[service, username] = password

    def delete_password(self, service, username):
        if (service, username) not in self.kept:
            raise PasswordDeleteError
        del self.kept[service, username]


@pytest.fixture
def ring(monkeypatch):
    before, ring = keyring.get_keyring(), InMemory()
    keyring.set_keyring(ring)
    for variable in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    yield ring
    keyring.set_keyring(before)


def listed():
    found = CliRunner().invoke(providers, ["--json"], standalone_mode=False)
    return {line["provider"]: line for line in json.loads(found.stdout)}


def test_the_list_says_where_each_key_was_found(ring, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-0123456789abcdef")

    lines = listed()

    assert lines["openai"]["key"] == "environment"
    assert lines["anthropic"]["key"] == "missing"
    assert lines["ollama"]["key"] == "not needed"
    assert "0123456789" not in json.dumps(lines)


def test_a_key_kept_in_the_keyring_is_found_and_forgotten(ring):
    kept = CliRunner().invoke(providers, ["--keep", "anthropic"], input="sk-ant-0123456789\n", standalone_mode=False)

    assert "0123456789" not in kept.output
    assert listed()["anthropic"]["key"] == "keyring"
    assert secrets.from_environment("ANTHROPIC_API_KEY", key="api_key_env") == "sk-ant-0123456789"
    assert secrets.mask("it said sk-ant-0123456789!") == "it said [ANTHROPIC_API_KEY]!"

    CliRunner().invoke(providers, ["--forget", "anthropic"], standalone_mode=False)

    assert listed()["anthropic"]["key"] == "missing"
    with pytest.raises(SpecError) as caught:
        secrets.from_environment("ANTHROPIC_API_KEY", key="api_key_env")
    assert "--keep ANTHROPIC_API_KEY" in str(caught.value)


def test_amazons_keys_are_found_wherever_its_own_tools_have_them(ring, monkeypatch, tmp_path):
    for variable in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    found = [listed()["bedrock"]["key"]]
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    found.append(listed()["bedrock"]["key"])
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "token")
    found.append(listed()["bedrock"]["key"])

    assert found == ["missing", "profile", "environment"]


def test_no_keyring_keeps_what_is_never_looked_for_there(ring):
    result = CliRunner().invoke(providers, ["--keep", "bedrock"], input="key\n", standalone_mode=False)

    assert isinstance(result.exception, SpecError)
    assert not ring.kept


def test_what_is_no_name_of_a_variable_is_refused(ring):
    result = CliRunner().invoke(providers, ["--keep", "sk-live-123"], standalone_mode=False)

    assert isinstance(result.exception, SpecError)
