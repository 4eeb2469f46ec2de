"""What follows a change: cloud flows and service endpoints, down to the message on the bus."""
