"""What is computed: layers, the graph that connects them, and traces of real tensors."""
