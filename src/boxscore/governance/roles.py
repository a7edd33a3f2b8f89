"""What people and programs may do in a project, and the names of sets of it."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

__all__ = ["RIGHTS", "RIGHTS_OF", "Right", "Role"]

Right: TypeAlias = Literal["read", "score", "ingest", "write", "admin", "server"]
"""`read`: ask. `score`: give scores. `ingest`: send spans. `write`: datasets, runs, prices, and what else spends money.
`admin`: members, keys, settings, erasure and audit of the project. `server`: users and projects themselves; no key has
it."""
Role: TypeAlias = Literal["owner", "editor", "reviewer", "viewer"]

RIGHTS: tuple[Right, ...] = get_args(Right)
RIGHTS_OF: Mapping[Role, frozenset[Right]] = {
    "owner": frozenset[Right]({"read", "score", "ingest", "write", "admin"}),
    "editor": frozenset[Right]({"read", "score", "ingest", "write"}),
    "reviewer": frozenset[Right]({"read", "score"}),
    "viewer": frozenset[Right]({"read"}),
}
"""In one project. Who is owner everywhere has `server` too."""
