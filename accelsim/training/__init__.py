"""Training and trace export: everything that needs torch. Extra ``[train]``."""
