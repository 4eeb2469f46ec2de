"""What did not go through: tried again by the clock, told to people, sent again by them."""
