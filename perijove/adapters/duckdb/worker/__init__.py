"""The data worker: reads user files in a process of its own, with walls around it."""
