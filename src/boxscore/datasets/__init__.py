"""Datasets: immutable versions of examples, read from JSONL, CSV, Parquet or Python rows."""

from boxscore.datasets.dataset import Dataset
from boxscore.datasets.example import Example
from boxscore.datasets.load import from_rows, load_dataset

__all__ = ["Dataset", "Example", "from_rows", "load_dataset"]
