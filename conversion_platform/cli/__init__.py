"""The command `conversion-platform`: one module a group of commands, and what they show."""
