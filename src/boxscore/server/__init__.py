"""The server: ingest of spans and the questions about them, over HTTP and gRPC."""
