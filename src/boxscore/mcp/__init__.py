"""Boxscore for models: a server of the Model Context Protocol over the HTTP API, with its caller's rights."""
