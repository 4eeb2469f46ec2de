"""What an export says, and what is odd about it: values, declarations, findings. Pure."""
