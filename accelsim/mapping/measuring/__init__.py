"""Sizes and statistics of the stored tensors of a trace in the codec of the chip."""
