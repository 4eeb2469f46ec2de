"""AMQP 1.0 on the wire: typed values, composites, frames and message sections. Pure: bytes in, values out."""
