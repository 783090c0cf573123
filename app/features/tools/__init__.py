"""Tools in a chat: what a model may call there, who allows it, and the rounds until it answers in words."""
