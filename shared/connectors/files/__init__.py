"""The far side that only exchanges files: where its exports are dropped."""
