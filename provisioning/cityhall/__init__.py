"""City hall's fleet service: enrolment, heartbeats, staff's pages."""
