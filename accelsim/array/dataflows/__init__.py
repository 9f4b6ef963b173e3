"""One file per dataflow; each exports ``DATAFLOW``, an ``accelsim.array.dataflow.Dataflow``."""
