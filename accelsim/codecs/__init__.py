"""The formats of compressed feature maps: one file per codec in ``formats``."""
