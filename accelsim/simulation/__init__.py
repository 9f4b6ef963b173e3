"""The whole simulation: a trace and a chip in, a result out."""
