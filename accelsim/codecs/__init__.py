"""Compression formats for feature maps, one file per codec in ``formats``."""
