"""Secrets: where they come from, and keeping them out of everything that is shown or stored."""

import os
import re

from boxscore.errors import ExtraMissingError, SpecError, StoreError

_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Forms that providers give their keys, wherever the key came from.
_FORMS = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|ghp|r8|bxs)[-_][A-Za-z0-9_\-]{12,}"
    r"|\bAIza[A-Za-z0-9_\-]{20,}"
    r"|(?<=Bearer )[A-Za-z0-9_\-.=+/]{8,}"
)
_SHORTEST = 8
_SERVICE = "boxscore"


_named: dict[str, str] = {}
"""Secrets that were taken from the environment in this process, with the name of their variable."""


def from_environment(variable: str, *, key: str) -> str:
    """The secret that the environment variable holds, or else the entry of that name in the system's keyring. `key` is
    the spec's key, for the error's sentence."""
    if not _VARIABLE.fullmatch(variable) or looks_secret(variable):
        raise SpecError(
            "name the environment variable that holds the secret, not the secret itself; "
            "if it was a real one, it stands in a file now: revoke it.",
            key=key,
        )
    value = os.environ.get(variable, "").strip() or from_keyring(variable)
    if not value:
        raise SpecError(
            f"the environment variable {variable} is not set: export {variable}=… and run again, or keep the key with "
            f"`boxscore providers --keep {variable}`.",
            key=key,
        )
    _named[value] = variable
    return value


def from_keyring(variable: str) -> str | None:
    """The entry of the system's keyring, None where there is none, no keyring, or the extra is not installed."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        return None
    try:
        return (keyring.get_password(_SERVICE, variable) or "").strip() or None
    except keyring.errors.KeyringError:
        return None


def keep_in_keyring(variable: str, value: str | None) -> None:
    """Keeps a secret in the system's keyring, or with None forgets it. `ExtraMissingError` without the extra,
    `StoreError` where the system has no keyring that can be used."""
    try:
        import keyring
        import keyring.errors
    except ImportError:
        raise ExtraMissingError("the system's keyring", "keyring") from None
    try:
        if value is not None:
            keyring.set_password(_SERVICE, variable, value)
        elif keyring.get_password(_SERVICE, variable) is not None:
            keyring.delete_password(_SERVICE, variable)
    except keyring.errors.KeyringError as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(f"the system's keyring cannot be used: {said}; export {variable}=… does as well.") from error


def remember(secret: str | None, *, name: str) -> None:
    """From now on the secret is masked as `[name]`, wherever it came from."""
    if secret and len(secret) >= _SHORTEST:
        _named[secret] = name


def looks_secret(text: str) -> bool:
    """Whether the text has the form of a provider's key."""
    return _FORMS.search(text) is not None


def names_secret(name: str) -> bool:
    """Whether what has this name is a secret: a variable, a parameter of an address."""
    return _NAME.search(name) is not None


def mask(text: str) -> str:
    """The text without secrets: values that a spec took from the environment, those of variables named …KEY, …TOKEN,
    …SECRET, …PASSWORD, and what has the form of a key."""
    for name, value in os.environ.items():
        value = value.strip()
        if len(value) >= _SHORTEST and value in text and names_secret(name):
            text = text.replace(value, f"[{name}]")
    for value, name in _named.items():
        if len(value) >= _SHORTEST:
            text = text.replace(value, f"[{name}]")
        else:  # `none`, `x`, as servers without keys are given: no part of a longer word is meant
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", lambda _, name=name: f"[{name}]", text)
    return _FORMS.sub("[secret]", text)
