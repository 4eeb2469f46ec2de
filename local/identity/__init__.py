"""The local token issuer: OpenID discovery, client credentials and the managed identity endpoint."""
