"""One file per dataflow; each exports ``DATAFLOW``, an ``accelsim.mapping.dataflow.Dataflow``."""
