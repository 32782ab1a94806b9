"""The example project: CI builds, a notebook that walks all five steps, and their generator."""
