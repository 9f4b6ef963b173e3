"""One file per memory model; each exports ``POLICY``, which opens a ``Memory``."""
