"""City hall's fleet service: enrolment, heartbeats, staff's pages. May import: this room, device, provisioning."""
