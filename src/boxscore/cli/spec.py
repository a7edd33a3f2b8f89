"""The spec of a command: the file that was named, else `boxscore.yaml` of the working folder."""

from pathlib import Path

from boxscore.errors import FileError
from boxscore.experiments.spec import Spec, load_spec

DEFAULT = Path("boxscore.yaml")


def read_spec(path: Path | None) -> Spec:
    """Raises `FileError` that tells how to begin where there is no spec yet, and as `load_spec` does."""
    if path is None and not DEFAULT.exists():
        raise FileError(
            DEFAULT, "no spec is here: `boxscore init` writes one, or name yours; recorded answers need --recordings."
        )
    return load_spec(path or DEFAULT)
