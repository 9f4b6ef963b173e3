"""The program: tile operations as one table, and what about them is independent of time."""
