"""Boxes of feature maps: ranges along each axis, how often they occur, the lines they touch."""
