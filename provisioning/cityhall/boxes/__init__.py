"""City hall and its boxes: credentials, enrolment, messages."""
