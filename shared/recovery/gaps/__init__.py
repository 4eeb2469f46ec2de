"""The gap detector: what changed on either side without a message is noticed, and told after all (N-13)."""
