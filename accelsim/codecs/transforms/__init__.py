"""What lossy formats are built from: transforms to integer symbols and back, exact."""
