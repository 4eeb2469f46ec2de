"""The key vault of the local stack: the secrets part of Azure Key Vault's data plane, over HTTPS."""
