"""Sessions controlled and watched from outside: MQTT, ensembles, `improviser status`, systemd."""
