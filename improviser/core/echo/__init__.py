"""The original experiment (bach_generator, 2021): networks that echo a tune, and their causal form."""
