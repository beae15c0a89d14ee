"""HID devices: what they say of themselves, what they send, and what is attached to them."""
