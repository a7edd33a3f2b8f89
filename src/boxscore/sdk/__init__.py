"""What an application imports: traces, scores, and their way to the server."""
