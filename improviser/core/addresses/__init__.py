"""What users name: ports, brokers and topics."""
