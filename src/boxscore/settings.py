"""Settings: one typed table, read from `BOXSCORE_*` environment variables.

Every row has a reader, a default and a unit; nothing else in the package reads the environment for its own settings.
"""

import os
from pathlib import Path

import msgspec

from boxscore.errors import SpecError


class Secret(str):
    """Text that shows itself to nobody who prints it by accident; `str.__str__` gives it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment decides. The variable of each field is `BOXSCORE_` and its name in capitals."""

    home: Path | None = None
    """Folder of the stores. Default: the nearest `.boxscore/` upwards, else `.boxscore/` in the working folder."""

    url: str | None = None
    """Address of a Boxscore server to ask, as in http://127.0.0.1:8400. Default: the server that owns the home, if one
    runs, else the files of the home themselves."""

    records_url: Secret | None = None
    """A PostgreSQL database for the records, as in postgresql://user:password@host/database. Default: a file in the
    home. Needs the extra `postgres`."""

    api_key: Secret | None = None
    """Key for the server at `BOXSCORE_URL`, as in `bxs_…`: of commands, of `boxscore.Client`, and of an application's
    spans. It is shown nowhere."""

    project: str | None = None
    """Project that commands and clients ask about, and applications send to. Default: the key's, else `default`."""

    public_url: str | None = None
    """Addresses by which browsers reach `serve` beside those of loopback, separated by commas, as in
    https://boxscore.example.org. Others are refused; needs a user."""

    owner: Secret | None = None
    """The first owner of a server that has no users, as NAME:HASH with a hash from `boxscore users hash`."""

    prices: Path | None = None
    """The user's own price table, looked at before the built-in one. Default: `prices.yaml` in the home, if there."""

    no_browser: bool = False
    """Open no browser at the end of `demo`."""

    retain_days: float | None = None
    """Days that spans are kept from their receipt. Default: for ever."""

    retain_gb: float | None = None
    """Gigabytes that span files may take together; then the oldest go. Default: as many as there are."""

    retain_sample: float = 1.0
    """Share, from 0 to 1, of traces without an error and without a score that is left after `retain_sample_days`."""

    retain_sample_days: float = 7.0
    """Days that every trace is kept, before `retain_sample` counts."""

    reserve_gb: float | None = None
    """Gigabytes of the disk that stay free: below, no spans are taken. Default: a twentieth of it, 1 GB at most."""

    reuse_max_age_s: float = 86_400.0
    """Responses of earlier runs are used again up to this age, in seconds."""

    concurrency: int = 8
    """Calls in flight at once, where the spec does not say."""

    providers: str | None = None
    """Providers that jobs may ask, beside those whose key this process has: NAME=URL for what speaks OpenAI's chat
    completions, its key in NAME_API_KEY, or a known NAME that needs no key; with commas between."""

    spend_cap_usd: float = 10.0
    """US dollars that a job may spend, where its spec does not say."""

    stop_s: float = 10.0
    """Seconds that `serve` has to finish what is under way when it is told to stop."""

    spool_mb: float = 256.0
    """Megabytes of disk that an application's spans may take while the server is away; the oldest go first. 0: none."""


def load() -> Settings:
    """The settings of this process, read afresh. A value that cannot be read is a `SpecError` that names it."""
    found: dict[str, str] = {}
    for field in Settings.__struct_fields__:
        value = os.environ.get(f"BOXSCORE_{field.upper()}")
        if value:
            found[field] = value
    try:
        return msgspec.convert(found, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`") or "?"
        name = f"BOXSCORE_{field.upper()}"
        raise SpecError(f"{name}={os.environ.get(name)!r} is not understood: {error}", key=name) from error


def addresses(settings: Settings) -> tuple[str, ...]:
    """Those of `public_url`. A `SpecError` for what is none."""
    found = tuple(url.strip().rstrip("/") for url in (settings.public_url or "").split(",") if url.strip())
    for url in found:
        scheme, _, host = url.partition("://")
        if scheme not in ("http", "https") or not host or "/" in host:
            raise SpecError(
                f"{url!r} is no address of a server: it is http:// or https:// and a host, without a path.",
                key="BOXSCORE_PUBLIC_URL",
            )
    return found


def headers(settings: Settings) -> dict[str, str]:
    """What goes with every request to a Boxscore server: the key and the project, where there are any."""
    found: dict[str, str] = {}
    if settings.api_key is not None:
        found["authorization"] = f"Bearer {settings.api_key.strip()}"
    if settings.project is not None:
        found["boxscore-project"] = settings.project
    return found


def home(settings: Settings | None = None) -> Path:
    """The folder of the stores; it need not exist yet."""
    settings = settings or load()
    if settings.home is not None:
        return settings.home
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / ".boxscore").is_dir():
            return folder / ".boxscore"
    return here / ".boxscore"


def _decode(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value)).expanduser()
    if kind is Secret:
        return Secret(value)
    raise NotImplementedError(kind)
