"""Composition: what a candidate goes through, from parameters to measurements."""
