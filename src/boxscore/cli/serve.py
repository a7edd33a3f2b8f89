"""`boxscore serve`: what it prints is what a person needs for a first trace."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec

if TYPE_CHECKING:
    from boxscore.server.run import Listening

FIRST_TRACE = """\
A first trace, from any Python program:
    import boxscore
    boxscore.init({url})
    boxscore.trace(lambda: "hello")()
Programs with OpenTelemetry need the endpoint alone: OTEL_EXPORTER_OTLP_ENDPOINT={endpoint}
Look at it with: boxscore traces list
"""


@click.command()
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen on; beyond loopback it needs users."
)
@click.option("--port", default=8400, show_default=True, help="Port of the API, and of OTLP over HTTP.")
@click.option("--otlp-port", default=4318, show_default=True, help="Port of OTLP over HTTP alone, when it is free.")
@click.option("--grpc-port", default=4317, show_default=True, help="Port of OTLP over gRPC, when it is free.")
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    default=1,
    show_default=True,
    help="Workers to start when there are jobs; 0 where `boxscore worker` runs elsewhere.",
)
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the log."
)
def serve(
    host: str, port: int, otlp_port: int, grpc_port: int, workers: int, log_format: Literal["text", "json"]
) -> None:
    """Take in spans over OTLP, answer questions about them, and do jobs.

    Spans come over HTTP (protobuf or JSON) and gRPC; an answer means that they are on disk. One server serves one
    folder: BOXSCORE_HOME, else the nearest .boxscore/ upwards, else one made here. SIGTERM and Ctrl-C stop it when
    what is under way is done; a second one at once.
    """
    from boxscore import settings
    from boxscore.costs import PriceBook
    from boxscore.governance.retention import Policy
    from boxscore.server.limits import Limits
    from boxscore.server.logs import log, log_to_stderr
    from boxscore.server.run import serve as run

    chosen = settings.load()
    home = settings.home(chosen).resolve()
    log_to_stderr(log_format)

    limits = Limits(stop_s=chosen.stop_s)
    if chosen.reserve_gb is not None:
        limits = msgspec.structs.replace(limits, reserve_bytes=int(chosen.reserve_gb * 1e9), reserve_share=1.0)

    def ready(listening: "Listening") -> None:
        if log_format == "text":
            click.echo(told(home, listening))
        else:
            log.info("ready at %s", listening.url)
            if listening.owner_link is not None:  # which a log would keep
                log.info("nobody signs in yet: `boxscore users add NAME --role owner` makes an owner")

    run(
        home,
        host=host,
        port=port,
        otlp_port=otlp_port,
        grpc_port=grpc_port,
        limits=limits,
        book=PriceBook.load(),
        policy=Policy.of(chosen),
        records_url=chosen.records_url,
        public=settings.addresses(chosen),
        owner=chosen.owner,
        workers=workers,
        ready=ready,
    )
    log.info("stopped; all that was acknowledged is kept")


def told(home: Path, listening: "Listening") -> str:
    """Where what is."""
    host = f"[{listening.host}]" if ":" in listening.host else listening.host
    otlp = [f"http://{host}:{port}" for port in (listening.port, listening.otlp_port) if port]
    rows = [
        ("page", f"{listening.url}/"),
        ("API", f"{listening.url}/api/v1"),
        ("OTLP over HTTP", " and ".join(otlp)),
        ("OTLP over gRPC", f"http://{host}:{listening.grpc_port}" if listening.grpc_port else "no: its port is taken"),
        ("metrics", f"{listening.url}/metrics"),
    ]
    lines = [f"Boxscore serves {home}", *(f"    {name:<15} {value}" for name, value in rows), ""]
    url = "" if (listening.host, listening.port) == ("127.0.0.1", 8400) else f'"{listening.url}"'
    if listening.owner_link is not None:
        lines += [
            "Nobody signs in yet, and only this machine is answered. This link makes the owner, once, within a",
            f"day; then the server can be shared: {listening.owner_link}",
            "",
        ]
    return "\n".join([*lines, FIRST_TRACE.format(url=url, endpoint=listening.url)])
