"""From a network in real numbers to one in integers alone, whatever it was written in.

A front end (torch's export, an ONNX file) gives ``steps``; they are folded into the layers of
a ``FloatNetwork``, quantised, replayed in integers, compared and stored.
"""
