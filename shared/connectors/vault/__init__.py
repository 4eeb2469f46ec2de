"""Secrets of the legacy systems, from Azure Key Vault (E-10)."""

from shared.connectors.vault.secrets import Vault

__all__ = ["Vault"]
