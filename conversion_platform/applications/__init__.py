"""Uses of the model: one package for each."""
