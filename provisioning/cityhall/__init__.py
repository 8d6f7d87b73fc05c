"""City hall's service: enrolment, heartbeats, staff's pages."""
