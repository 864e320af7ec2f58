"""The deployable artifact: an ONNX graph with its manifest and checksums."""
