"""From layers of a graph to stages: pieces of work, each with what is fused into its drain path."""
