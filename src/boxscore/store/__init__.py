"""Stores: what Boxscore keeps on disk. They read and write and decide nothing."""
