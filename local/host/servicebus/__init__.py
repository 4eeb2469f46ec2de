"""The host's Service Bus side: what it receives with, and how triggers are fed."""
