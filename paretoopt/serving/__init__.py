"""A bundle behind HTTP: answers, health and metrics, from one or more worker processes."""
