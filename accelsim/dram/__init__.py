"""DRAM, command by command: standards as data, one controller kernel, counts."""
