"""A small AMQP 1.0 client for receiving: one connection, many links, on the broker's own codec."""
