"""Sweeps of many design points: expanding studies, running points, storing results."""
