"""One file per codec; each exports ``CODEC``, a subclass of ``accelsim.codecs.base.Codec``."""
