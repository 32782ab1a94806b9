"""One revision of an endpoint: a model, behind HTTP on a Unix socket.

Started by the supervisor as ``python -m perijove.adapters.serving.worker``. The worker binds its
socket when the model is loaded and has answered its sample: who can connect gets answers.
"""
