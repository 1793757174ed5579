"""What people prefer: read from exports, heard, and compared with what the model says by itself."""
