"""Deployment bundles: an artifact, its manifest and its checks, ready to be taken away."""
