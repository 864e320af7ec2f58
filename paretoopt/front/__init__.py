"""The mathematics of the Pareto front: dominance, hypervolume, knee, and picking one member."""
