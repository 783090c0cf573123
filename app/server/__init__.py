"""The server that lets other programs on this computer use its models; nothing of it runs before it is switched on."""
