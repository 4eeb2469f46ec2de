"""AMQP 1.0 as a conversation: connections, sessions and links. Knows nothing about queues."""
