"""Encoders and rankers, as torch modules whose shapes follow their weights."""
