"""The way back onto the Service Bus queues."""
