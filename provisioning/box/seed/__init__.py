"""A new box's first start: what goes on its card, and the sheet of labels. No secret but the enrolment code."""
