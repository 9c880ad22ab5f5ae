"""How accounts sign in, how long that lasts, and who may change them."""
