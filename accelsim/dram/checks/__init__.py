"""Whether a configuration can be a real memory, part by part."""
