"""How a stage is cut: candidate cuts, what they need and move, and the best of them."""
