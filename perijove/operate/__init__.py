"""Operations: the machine, the project's processes, and how to stop them."""
