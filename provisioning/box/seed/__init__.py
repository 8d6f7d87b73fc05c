"""The first start of a new box: the files on its card, and the sheet of labels. No secret but the enrolment code."""
