"""`boxscore serve`."""

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address of loopback to listen on.")
@click.option("--port", default=8400, show_default=True, help="Port of the API, and of OTLP over HTTP.")
@click.option("--otlp-port", default=4318, show_default=True, help="OTLP over HTTP at its standard port, when free.")
@click.option("--grpc-port", default=4317, show_default=True, help="OTLP over gRPC at its standard port, when free.")
def serve(host: str, port: int, otlp_port: int, grpc_port: int) -> None:
    """Take in spans and answer questions about them."""
    from boxscore import settings
    from boxscore.server import run

    run.serve(
        settings.home(),
        host=host,
        port=port,
        otlp_port=otlp_port,
        grpc_port=grpc_port,
        ready=lambda listening: click.echo(str(listening)),
    )
