"""Tables by DuckDB, in a process of its own: a hostile or huge file cannot take anybody down."""
