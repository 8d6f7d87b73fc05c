"""The city's side: register, eligibility, document, HTTP API. It may run elsewhere and knows no kiosk room."""
