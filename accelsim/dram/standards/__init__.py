"""One file of data per DRAM part; each exports ``STANDARD``."""
