"""The chorale: terms, ends of phrases, figures, the model and its sessions."""
