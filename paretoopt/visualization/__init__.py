"""Plots of a Pareto front and of the search that found it."""
