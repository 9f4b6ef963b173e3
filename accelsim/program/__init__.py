"""The program: tile operations as one table, and what does not depend on time about them."""
