"""From planned stages to the program: every tile operation as a row."""
