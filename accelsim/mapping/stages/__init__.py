"""Layers of a graph as pieces of work, each with what joins its drain path."""
