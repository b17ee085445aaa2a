"""The pure middle: values and decisions. No asyncio, no I/O library, no clock in here."""
