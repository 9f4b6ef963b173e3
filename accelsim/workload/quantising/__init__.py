"""From a network in real numbers to an integer network, for any front end.

A front end (torch's export, an ONNX file) gives ``steps``; they are folded into the layers of
a ``FloatNetwork``, quantised, replayed in integers, compared and stored.
"""
