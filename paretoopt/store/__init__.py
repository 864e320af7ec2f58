"""The content-addressed store of stage outputs and measurements."""
