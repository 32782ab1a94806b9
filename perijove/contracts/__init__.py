"""What travels: structs, the routes table and the OpenAPI document made from them.

Nothing here does anything. Every other package may import this one, and it imports none.
"""
