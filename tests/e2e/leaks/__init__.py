"""What the proof that nothing leaks is made of."""
