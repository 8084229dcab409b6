"""`doctor`: small checks of everything that could go wrong, each with the command that mends it."""
