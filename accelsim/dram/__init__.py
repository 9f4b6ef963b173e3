"""DRAM, command by command: standards as data, the controller kernel, counts."""
