"""Where every tensor lies in DRAM, and what its lines look like on the pins."""
