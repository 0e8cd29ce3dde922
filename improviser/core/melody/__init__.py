"""The task `melody`: a line that goes on."""
