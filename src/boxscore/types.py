"""Types that every room shares."""

from typing import Any, TypeAlias

Json: TypeAlias = Any
"""The user's own JSON: whatever `json.loads` gives. The only place where we do not know a type."""
