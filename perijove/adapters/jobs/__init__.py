"""Runs jobs on this machine: a small detached supervisor a job."""
