"""Many design points: expanded, run, remembered."""
