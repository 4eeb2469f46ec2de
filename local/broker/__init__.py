"""A local Service Bus: an AMQP 1.0 broker with session queues, for one machine. Never for production.

The layers, lowest first: `amqp` (bytes and values), `engine` (connections, sessions, links), `entities`
(queues, without I/O), `service` (what links are attached to), `store` (SQLite), `admin` (HTTP) and `server`
(all of it).
"""
