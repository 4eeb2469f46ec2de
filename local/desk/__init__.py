"""The local ticket desk: where the service tells a person that it needs one."""

from local.desk.desk import start

__all__ = ["start"]
