"""What is on the chip: frozen, complete, resolved; read from YAML and checked once."""
