"""The command line. What lists and counts starts fast: it loads neither torch nor Optuna."""
