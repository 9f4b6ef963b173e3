"""What is computed: layers, the graph that joins them, and traces of real tensors."""
