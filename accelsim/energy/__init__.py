"""Energy: counts in, picojoules out. Every constant names its source."""
