"""Networks in ONNX: read with suspicion, run by ONNX Runtime, taken apart into layers."""
