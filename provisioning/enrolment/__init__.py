"""A box enrols at city hall: key, credential, client, heartbeat."""
