"""Everything that needs torch: networks, quantisation, trace export. Extra ``[train]``."""
