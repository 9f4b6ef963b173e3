"""From torch's export of a module to layers, in steps; see ``accelsim.training.capture``."""
