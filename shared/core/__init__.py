"""The vocabulary and the decisions of the sync; pure, standard library only."""
