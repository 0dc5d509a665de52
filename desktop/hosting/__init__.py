"""What faces see of the running services and ask of them beyond the servers, one module a subject."""
