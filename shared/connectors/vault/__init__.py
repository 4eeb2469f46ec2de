"""Secrets of the legacy systems, from Azure Key Vault (E-10)."""
