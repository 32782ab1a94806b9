"""The engines behind the ports, and the workbench that puts services and engines together."""
