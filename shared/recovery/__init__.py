"""What did not go through: shown, tried again by the clock, told to people, sent again by them."""
