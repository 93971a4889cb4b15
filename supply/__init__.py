"""What a wheel of Groundbreak brings with it or asks for, listed: `python -m supply`."""
