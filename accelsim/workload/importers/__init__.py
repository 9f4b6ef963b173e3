"""Networks described by other tools, as graphs."""
