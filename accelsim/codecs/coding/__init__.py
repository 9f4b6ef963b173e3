"""What lossless formats are built from: codes, runs, planes, lines; no format of their own."""
