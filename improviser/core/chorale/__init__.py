"""The task `chorale`: several voices that answer the player's together, each with a network, chosen jointly."""
