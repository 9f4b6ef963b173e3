"""What the stored maps of a trace are in the chip's codec."""
