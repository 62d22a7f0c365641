"""Stand-ins on the loopback interface for the Azure services the function app talks to."""
