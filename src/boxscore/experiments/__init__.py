"""Experiments: run, compare, estimate, verdict, report."""
