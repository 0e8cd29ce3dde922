"""Breeding networks: corpora, recipes, generations, checkpoints, reports, scores."""
