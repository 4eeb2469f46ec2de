"""The worker's side of the host: what indexes the app and runs its functions."""
