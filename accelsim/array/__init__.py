"""The PE array: what a dataflow promises, and the dataflows, one file each."""
