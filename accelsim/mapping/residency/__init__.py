"""Which maps stay on the chip, for the whole graph."""
