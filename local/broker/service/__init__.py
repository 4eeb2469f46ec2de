"""What a link can be attached to: queues for sending and receiving, `$cbs` and `$management`."""
