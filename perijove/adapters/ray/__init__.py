"""Runs jobs on a Ray cluster, over its Jobs API."""
