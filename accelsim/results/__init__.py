"""Results of a run: their types, their JSON form, and tables."""
