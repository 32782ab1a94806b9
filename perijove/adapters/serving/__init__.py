"""Local endpoints: a detached supervisor an endpoint, and a worker process a revision."""
