"""Measurements of an exported artifact, taken in processes of their own."""
