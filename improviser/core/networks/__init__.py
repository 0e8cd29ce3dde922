"""Networks: what they see, what they put out, and how a whole population is scored."""
