"""The chip: read from YAML, checked once, then frozen and complete."""
