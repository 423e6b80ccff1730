"""Pictures: pixels and tensors, files in and out, sheets, animations and archives."""
