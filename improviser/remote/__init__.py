"""Sessions steered and watched from elsewhere: MQTT, ensembles, the system they run on."""
