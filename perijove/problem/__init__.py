"""Step 1: the question, its owner, the targets, and the chain that answers it."""
